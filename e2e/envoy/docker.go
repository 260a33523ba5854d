package envoy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// pullLimit bounds the download of an image.
const pullLimit = 5 * time.Minute

// container says what a container needs beside the image. An executable of this machine needs none of it.
type container struct {
	name   string
	dir    string   // the working directory, mounted too
	mounts []string // paths that stand at the same place inside
}

// findImage returns the image ENVOY_IMAGE, pulled where it is not there yet. It starts no daemon: .ci/docker-up does.
func findImage(ctx context.Context) (Engine, error) {
	image := os.Getenv("ENVOY_IMAGE")
	if image == "" {
		image = "envoyproxy/envoy:v" + wantedVersion()
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return Engine{}, err
	}
	if quietly(exec.CommandContext(ctx, "docker", "image", "inspect", image)) != nil {
		pull, cancel := context.WithTimeout(ctx, pullLimit)
		defer cancel()
		if err := quietly(exec.CommandContext(pull, "docker", "pull", "--quiet", image)); err != nil {
			return Engine{}, fmt.Errorf("no image %s (e2e/docker/image makes one without a registry): %w", image, err)
		}
	}
	e := Engine{Image: image}
	return e, e.readVersion(ctx)
}

// command returns the command that runs Envoy with args. In a container, Envoy shares the network and the user of the test, so that ports and
// files are the same on both sides.
func (e Engine) command(ctx context.Context, c container, args ...string) *exec.Cmd {
	if e.Image == "" {
		return exec.CommandContext(ctx, e.Binary, args...)
	}
	run := []string{
		"run", "--rm", "--network", "host", "--entrypoint", "/usr/local/bin/envoy",
		"--user", strconv.Itoa(os.Getuid()) + ":" + strconv.Itoa(os.Getgid()),
	}
	if c.name != "" {
		run = append(run, "--name", c.name)
	}
	if c.dir != "" {
		c.mounts = append(c.mounts, c.dir)
		run = append(run, "--workdir", c.dir)
	}
	for _, path := range c.mounts {
		run = append(run, "--volume", path+":"+path)
	}
	run = append(run, e.Image)
	return exec.CommandContext(ctx, "docker", append(run, args...)...)
}
