package landscape

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Eigenvectors come back as they were saved, to float32.
func TestVectorsAreReadAsTheyWereSaved(t *testing.T) {
	got, err := Eigen(background, withSpectrum(spectrum(40), 1), EigenOptions{Count: 3, Tol: 1e-8, MaxProducts: 1000})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "vectors.safetensors")
	if err := SaveVectors(path, got.Pairs); err != nil {
		t.Fatal(err)
	}
	back, err := LoadVectors(path, 40)
	if err != nil || len(back) != 3 {
		t.Fatalf("%d pairs (%v)", len(back), err)
	}
	for i, p := range back {
		want := got.Pairs[i]
		if p.Value != want.Value || p.Residual != want.Residual || Distance(p.Vector, want.Vector) > math.Exp2(-24) { // half a unit of the last place, of length 1
			t.Errorf("pair %d: %v with residual %v, %v away; saved %v and %v", i, p.Value, p.Residual, Distance(p.Vector, want.Vector), want.Value, want.Residual)
		}
	}
	if _, err := LoadVectors(path, 41); err == nil || !strings.Contains(err.Error(), "the model has 41 parameters") {
		t.Errorf("of another model: %v", err)
	}
	if _, err := LoadVectors(filepath.Join(dir, "none"), 40); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadVectors(path, 40); err == nil {
		t.Error("a broken file is read")
	}
	if err := SaveVectors(filepath.Join(dir, "none", "x"), got.Pairs); err == nil {
		t.Error("saved into a folder that is not there")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); left != nil {
		t.Errorf("left: %v", left)
	}
}
