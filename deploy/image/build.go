package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// moduleName is the file that the fetchers look for in an image, at whatever depth.
const moduleName = "plugin.wasm"

// epoch is the time of all files and images, so that two builds of a module are the same bytes.
var epoch = time.Unix(0, 0).UTC()

// Names of the layouts.
const (
	layoutOCI      = "oci"
	layoutDocker   = "docker"
	layoutArtifact = "artifact"
)

// Media types of the artifact's layers. Both fetchers take an image with exactly these two.
const (
	wasmConfig types.MediaType = "application/vnd.module.wasm.config.v1+json"
	wasmModule types.MediaType = "application/vnd.module.wasm.content.layer.v1+wasm"
)

// runtimeConfig says what runs the module.
const runtimeConfig = `{"type":"envoy_proxy","abi_versions":["v0.2.1"],"config":{}}`

const titleAnnotation = "org.opencontainers.image.title"

// image is one layout of the plugin.
type image struct {
	v1.Image
	layout string
	digest v1.Hash // of the manifest: what references and Istio's sha256 name
}

// tag returns the tag of the image where all are tagged as tag says.
func (i image) tag(tag string) string {
	if i.layout == layoutOCI {
		return tag
	}
	return tag + "-" + i.layout
}

// about is what the annotations say of an image.
type about struct{ version, source string }

func (a about) annotations() map[string]string {
	m := map[string]string{
		titleAnnotation:                        "corsguard",
		"org.opencontainers.image.description": "CORS policy filter for Envoy, a proxy-wasm plugin",
		"org.opencontainers.image.version":     a.version,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if a.source != "" {
		m["org.opencontainers.image.source"] = a.source
	}
	return m
}

// build returns the module in all layouts.
func build(module []byte, a about) ([]image, error) {
	var images []image
	for _, layout := range []struct {
		name string
		make func([]byte, about) (v1.Image, error)
	}{{layoutOCI, ociImage}, {layoutDocker, dockerImage}, {layoutArtifact, artifact}} {
		made, err := layout.make(module, a)
		if err != nil {
			return nil, fmt.Errorf("layout %s: %w", layout.name, err)
		}
		digest, err := made.Digest()
		if err != nil {
			return nil, fmt.Errorf("layout %s: %w", layout.name, err)
		}
		images = append(images, image{made, layout.name, digest})
	}
	return images, nil
}

func ociImage(module []byte, a about) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	made, err := fromScratch(base, types.OCILayer, module, a)
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(made, a.annotations()).(v1.Image), nil
}

// dockerImage has the annotations as labels alone, since Docker's manifests have none.
func dockerImage(module []byte, a about) (v1.Image, error) {
	return fromScratch(empty.Image, types.DockerLayer, module, a)
}

// fromScratch adds to an empty image what a Dockerfile of `FROM scratch` and `COPY plugin.wasm /` does.
func fromScratch(base v1.Image, layerType types.MediaType, module []byte, a about) (v1.Image, error) {
	files, err := archive(module)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(layerType), tarball.WithCompressionLevel(gzip.BestCompression))
	if err != nil {
		return nil, err
	}
	made, err := mutate.Append(base, mutate.Addendum{
		Layer:     layer,
		MediaType: layerType,
		History:   v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "COPY " + moduleName + " /"},
	})
	if err != nil {
		return nil, err
	}
	config, err := made.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Architecture, config.OS, config.Created = "wasm", "wasi", v1.Time{Time: epoch}
	config.Config.Labels = a.annotations()
	return mutate.ConfigFile(made, config)
}

// archive returns a tar of the module, in the oldest format, which has no room for what varies.
func archive(module []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	head := tar.Header{Name: moduleName, Mode: 0o644, Size: int64(len(module)), ModTime: epoch, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
	if err := w.WriteHeader(&head); err != nil {
		return nil, err
	}
	if _, err := w.Write(module); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// artifact returns the module as a layer of its own, without a file system around it.
func artifact(module []byte, a about) (v1.Image, error) {
	made, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		mutate.Addendum{Layer: static.NewLayer([]byte(runtimeConfig), wasmConfig)},
		mutate.Addendum{Layer: static.NewLayer(module, wasmModule), Annotations: map[string]string{titleAnnotation: moduleName}},
	)
	if err != nil {
		return nil, err
	}
	made = mutate.ConfigMediaType(made, wasmConfig)
	return mutate.Annotations(made, a.annotations()).(v1.Image), nil
}
