package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"
)

var sample = []file{{name: "corsguard", data: []byte("binary"), mode: 0o755}, {name: "man1/corsguard.1", data: []byte("page"), mode: 0o644}}

func TestArchivesOfTheSameFilesAreTheSame(t *testing.T) {
	for name, archive := range map[string]func(string, []file) ([]byte, error){"tar": tarred, "zip": zipped} {
		first, err := archive("top", sample)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := archive("top", sample); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: two archives differ, or %v", name, err)
		}
	}
}

func TestTarHoldsFilesWithTheirModes(t *testing.T) {
	data, err := tarred("top", sample)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for _, want := range sample {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || h.Name != "top/"+want.name || h.Mode != int64(want.mode) || !bytes.Equal(content, want.data) || h.Uid != 0 {
			t.Errorf("%+v %q %v", h, content, err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("more files: %v", err)
	}
}

func TestZipHoldsFilesWithTheirModes(t *testing.T) {
	data, err := zipped("top", sample)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(r.File) != len(sample) {
		t.Fatalf("%v", err)
	}
	for i, want := range sample {
		f, err := r.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		if err != nil || r.File[i].Name != "top/"+want.name || r.File[i].Mode() != want.mode || !bytes.Equal(content, want.data) {
			t.Errorf("%+v %q %v", r.File[i].FileHeader, content, err)
		}
	}
}

func TestUnknownPlatformsAreRefused(t *testing.T) {
	if err := run("1", []string{"plan9/amd64"}, t.TempDir()); err == nil {
		t.Error("plan9 is a platform of a release")
	}
}
