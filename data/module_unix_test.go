//go:build unix

package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The go command of someone who has no home, or one that cannot be written,
// works in directories of its own for the time.
func TestGoCommandWithoutAPlaceToWriteGetsOne(t *testing.T) {
	bin := t.TempDir()
	if err := os.Symlink(must(os.Executable()), filepath.Join(bin, "go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("SADDLE_FAKE_GO", "picky")
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("GOMODCACHE", "")
	file := filepath.Join(bin, "file")
	write(t, file, nil)
	for name, cache := range map[string]string{"none": "", "not writable": filepath.Join(file, "below")} {
		t.Setenv("FAKE_MODCACHE", cache)
		dir, done, err := goModule(t.Context(), "example.com/tiny@v1")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		done()
		if left := must(os.ReadDir(os.Getenv("TMPDIR"))); len(left) != 0 {
			t.Errorf("%s: %s is left", name, left[0].Name())
		}
	}
	// Where it can write, its failure is another, and stands.
	t.Setenv("FAKE_MODCACHE", filepath.Join(t.TempDir(), "mod"))
	if _, _, err := goModule(t.Context(), "example.com/tiny@v1"); err == nil || !strings.Contains(err.Error(), "nowhere to write") {
		t.Errorf("got %v", err)
	}
	if left := must(os.ReadDir(os.Getenv("TMPDIR"))); len(left) != 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}
