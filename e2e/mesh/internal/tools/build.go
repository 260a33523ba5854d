package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Build makes all files that are not there yet, and tells what it does. The first time takes a quarter of an hour, and some gigabytes of Go's build cache.
func Build(ctx context.Context, stdout io.Writer) error {
	return errors.Join(
		istio.build(ctx, stdout, buildIstio),
		envoyGateway.build(ctx, stdout, buildEnvoyGateway),
	)
}

// build has fill make the files in a directory, which then takes its place whole: one that was interrupted leaves nothing that looks like a program.
func (p product) build(ctx context.Context, stdout io.Writer, fill func(context.Context, string) error) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	if p.isWhole(dir) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	fmt.Fprintf(stdout, "building %s %s\n", p.name, p.version)
	start := time.Now()
	if err := fill(ctx, made); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if !p.isWhole(made) {
		return fmt.Errorf("%s: not all of %q were made", p.name, p.files)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Chmod(made, 0o755), os.Rename(made, dir)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "built %s in %v\n", p.name, time.Since(start).Round(time.Second))
	return nil
}

func (p product) isWhole(dir string) bool {
	for _, name := range p.files {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

const istioModule = "istio.io/istio"

// buildIstio builds in this module, whose go.mod has requirements of Istio's in versions that the module proxy serves. It has the tags of Istio's own build.
func buildIstio(ctx context.Context, dir string) error {
	for _, pkg := range []string{"pilot/cmd/pilot-discovery", "pilot/cmd/pilot-agent", "istioctl/cmd/istioctl"} {
		if _, err := command(ctx, nil, "build", "-tags=vtprotobuf,disable_pgv", "-ldflags=-s -w", "-o", dir+"/", istioModule+"/"+pkg); err != nil {
			return err
		}
	}
	return errors.Join(
		join(ctx, istioModule, "manifests/charts/base/files/"+IstioCRDs, filepath.Join(dir, IstioCRDs)),
		join(ctx, istioModule, "tools/packaging/common/"+IstioBootstrap, filepath.Join(dir, IstioBootstrap)),
		join(ctx, "sigs.k8s.io/gateway-api", "config/crd/standard/*.yaml", filepath.Join(dir, GatewayAPICRDs)),
	)
}

// join writes the files of a module that a pattern names into one, as documents of YAML where they are several.
func join(ctx context.Context, module, pattern, to string) error {
	source, err := command(ctx, nil, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(source, pattern))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%s has no %s", module, pattern)
	}
	var all [][]byte
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all = append(all, content)
	}
	return os.WriteFile(to, bytes.Join(all, []byte("\n---\n")), 0o644)
}

// buildEnvoyGateway builds outside of any module of ours: the programs come with requirements of their own.
func buildEnvoyGateway(ctx context.Context, dir string) error {
	for _, name := range []string{EnvoyGateway, Egctl} {
		pkg := "github.com/envoyproxy/gateway/cmd/" + name + "@" + EnvoyGatewayVersion
		if _, err := command(ctx, []string{"GOBIN=" + dir}, "install", "-ldflags=-s -w", pkg); err != nil {
			return err
		}
	}
	return nil
}

// command runs the go command and returns the line that it prints.
func command(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, errs.Bytes())
	}
	return string(bytes.TrimSpace(out)), nil
}
