// Command dist builds the release archives of corsguard: dist [-version V] [-platforms os/arch,…] DIR. The same source and toolchain give the same bytes.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var allPlatforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	version := flag.String("version", "devel", "the release, as the archives and --version have it")
	platforms := flag.String("platforms", strings.Join(allPlatforms, ","), "what to build for")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: dist [-version V] [-platforms os/arch,…] DIR")
		os.Exit(2)
	}
	if err := run(*version, strings.Split(*platforms, ","), flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// run builds for platforms into dir, which is emptied of the archives of an earlier run.
func run(version string, platforms []string, dir string) error {
	for _, p := range platforms {
		if !slices.Contains(allPlatforms, p) {
			return fmt.Errorf("%q is no platform of a release: %s", p, strings.Join(allPlatforms, ", "))
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "corsguard_*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	common, err := documents(dir)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, platform := range platforms {
		name, data, err := build(version, platform, dir, common)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
		fmt.Println(name)
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// documents returns what every archive holds beside the binary: the licence, the reference, manual pages.
func documents(dir string) ([]file, error) {
	man, err := os.MkdirTemp(dir, "man")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(man)
	if err := goCommand(nil, "run", "./cmd/corsguard/internal/genman", man); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no manual pages: %w", err)
	}
	var files []file
	for _, from := range append([]string{"LICENSE", "docs/command.md"}, names...) {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		to := filepath.Base(from)
		if strings.HasSuffix(to, ".1") {
			to = "man1/" + to
		}
		files = append(files, file{name: to, data: data, mode: 0o644})
	}
	return files, nil
}

// build returns the name and the content of the archive for a platform.
func build(version, platform, dir string, common []file) (name string, archive []byte, err error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	exe := "corsguard"
	if goos == "windows" {
		exe += ".exe"
	}
	temp, err := os.MkdirTemp(dir, "build")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(temp)
	binary := filepath.Join(temp, exe)
	// Without cgo the binary needs no library of the machine that it runs on.
	env := []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}
	flags := "-s -w -buildid= -X corsguard/cmd/corsguard/internal/cli.version=" + version
	if err := goCommand(env, "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", binary, "./cmd/corsguard"); err != nil {
		return "", nil, err
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return "", nil, err
	}
	top := fmt.Sprintf("corsguard_%s_%s_%s", version, goos, goarch)
	files := append([]file{{name: exe, data: data, mode: 0o755}}, common...)
	if goos == "windows" {
		archive, err = zipped(top, files)
		return top + ".zip", archive, err
	}
	archive, err = tarred(top, files)
	return top + ".tar.gz", archive, err
}

func goCommand(env []string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
