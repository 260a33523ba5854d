package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// What save writes below its directory.
const (
	layoutDirectory = "oci-layout"
	dockerTarball   = "corsguard-docker.tar"
)

// localName is the repository of the saved images. A loaded one is called so by docker.
const localName = "corsguard"

// refName is the annotation by which tools tell the images of an OCI layout apart.
const refName = "org.opencontainers.image.ref.name"

// save writes an OCI layout with all images, in place of the one that is there, and the Docker image as a tarball.
func save(images []image, dir, tag string) error {
	path := filepath.Join(dir, layoutDirectory)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	written, err := layout.Write(path, empty.Index)
	if err != nil {
		return err
	}
	for _, i := range images {
		if err := written.AppendImage(i.Image, layout.WithAnnotations(map[string]string{refName: i.tag(tag)})); err != nil {
			return err
		}
		if i.layout != layoutDocker {
			continue
		}
		ref, err := name.NewTag(localName + ":" + i.tag(tag))
		if err != nil {
			return err
		}
		if err := tarball.WriteToFile(filepath.Join(dir, dockerTarball), ref, i.Image); err != nil {
			return err
		}
	}
	return nil
}

// push writes the images to a repository, with the credentials that docker login left, and tells their references.
func push(images []image, repository, tag string, insecure bool, stdout io.Writer) error {
	var options []name.Option
	if insecure {
		options = append(options, name.Insecure)
	}
	repo, err := name.NewRepository(repository, append(options, name.StrictValidation)...)
	if err != nil {
		return fmt.Errorf("%w; write host/repository, without a tag", err)
	}
	var refs []name.Tag
	for _, i := range images { // all of them are looked at before the first is pushed
		ref, parsed := name.NewTag(repo.Name()+":"+i.tag(tag), options...)
		err = errors.Join(err, parsed)
		refs = append(refs, ref)
	}
	if err != nil {
		return err
	}
	for n, i := range images {
		if err := remote.Write(refs[n], i.Image, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "pushed %s@%s\n", refs[n], i.digest)
	}
	return nil
}
