package experiments

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Of rows with variances 2 and 1 the mean leaves 3 and one component 1.
func TestLevelsOfImages(t *testing.T) {
	l, err := levelsOf([]float32{2, 0, -2, 0, 2, 0, -2, 0, 0, 2, 0, -2, 0, 0, 0, 0}, 2, 1)
	if err != nil || math.Abs(l.Mean-3) > 1e-12 || math.Abs(l.PCA-1) > 1e-12 {
		t.Errorf("%+v (%v), want 3 and 1", l, err)
	}
	l, err = levelsOf([]float32{0, 1, 1, 1}, 2, 1)
	if err != nil || math.Abs(l.Entropy-math.Ln2) > 1e-12 {
		t.Errorf("entropy %v (%v), want that of one even pixel", l.Entropy, err)
	}
}

func TestStartsOfAutoencoders(t *testing.T) {
	for start, want := range map[string]float64{"zero": 0, "near-zero": 1, "sparse": 5} {
		w := []float32{3, 4}
		beginAt(w, start, 1)
		if length := math.Hypot(float64(w[0]), float64(w[1])); math.Abs(length-want) > 1e-6 {
			t.Errorf("%s: length %v, want %v", start, length, want)
		}
	}
}

func TestPropagationsOfALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(path, []byte("{\"event\":\"start\"}\n{\"event\":\"step\",\"props\":30}\n{\"event\":\"point\"}\n{\"event\":\"step\",\"props\":12}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if p, err := propsOf(path); err != nil || len(p) != 3 || p[0] != 0 || p[1] != 30 || p[2] != 42 {
		t.Errorf("%v (%v)", p, err)
	}
}
