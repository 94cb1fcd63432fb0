package data

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func content(b []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(b); return err }
}

func TestWriteFileIsWholeOrNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "down", "file")
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for range 20 {
				if err := writeFile(path, content(bytes.Repeat([]byte{byte(k)}, 10000))); err != nil {
					t.Error(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || len(got) != 10000 || !bytes.Equal(got, bytes.Repeat(got[:1], 10000)) {
					t.Errorf("read %d bytes of more than one writer: %v", len(got), err)
				}
			}
		})
	}
	wg.Wait()
	if entries := must(os.ReadDir(filepath.Dir(path))); len(entries) != 1 {
		t.Errorf("%d files are left, want one", len(entries))
	}
}

func TestWriteFileLeavesNothingBehindWhenItFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	write(t, filepath.Join(path, "a"), nil) // a directory that is not empty cannot be replaced
	if err := writeFile(path, content([]byte("x"))); err == nil {
		t.Error("no error")
	}
	if err := writeFile(filepath.Join(path, "a", "b"), content(nil)); err == nil {
		t.Error("no error")
	}
	if entries := must(os.ReadDir(dir)); len(entries) != 1 {
		t.Errorf("%d files are left, want one", len(entries))
	}
}
