package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Files are the paths of the golden file of that name: the one in the
// repository and, if $SADDLE_GOLDEN names a folder that has one, that too.
func Files(t *testing.T, name string) []string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	own := filepath.Join(filepath.Dir(file), "..", "..", "testdata", "golden", name)
	if _, err := os.Stat(own); err != nil {
		t.Fatalf("golden numbers are missing: %v", err)
	}
	files := []string{own}
	if dir := os.Getenv("SADDLE_GOLDEN"); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			t.Fatalf("SADDLE_GOLDEN: %v", err)
		}
		other := filepath.Join(dir, name)
		if _, err := os.Stat(other); err == nil {
			files = append(files, other)
		} else if !os.IsNotExist(err) {
			t.Fatalf("SADDLE_GOLDEN: %v", err)
		}
	}
	return files
}

// Read reads a file into v. An unknown field anywhere is a failure.
func Read(t *testing.T, path string, v any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Settings are the settings of a layer, loss or method in a golden file. Each
// must be taken, or Rest fails.
type Settings map[string]json.RawMessage

// Take decodes the setting of that name into v, if there is one, and removes
// it.
func (s Settings) Take(name string, v any) error {
	raw, ok := s[name]
	if !ok {
		return nil
	}
	delete(s, name)
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("setting %q: %w", name, err)
	}
	return nil
}

// Rest is an error if a setting was not taken.
func (s Settings) Rest() error {
	var names []string
	for name := range s {
		names = append(names, name)
	}
	if len(names) > 0 {
		return fmt.Errorf("unknown settings: %s", strings.Join(names, ", "))
	}
	return nil
}
