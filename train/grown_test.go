package train

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Minibatches that grow leave what a run tells of its examples as it is: the
// table has the mean over the minibatches of the epoch, also when the samples
// have grown to the whole set, and the log has the samples.
func TestGrowingMinibatchesAreLogged(t *testing.T) {
	for _, c := range []struct {
		spec string
		last int // examples in the last step
	}{
		{"sgd:lr=0.1+geometric_batch:tau=1.5", 150},
		{"sgd:lr=0.1+geometric_batch:tau=1.5,most=90", 90}, // 80 beside the last minibatch, of 10
		{"sgd:lr=0.1+norm_test:every=1,theta=0.05", 150},
	} {
		m, d := small[float64](t, plain()...)
		dir := filepath.Join(t.TempDir(), "run")
		h := mustFit(t, m, d, Config{Optimizer: parse(t, c.spec), Epochs: 2, Batch: 20, Seed: 3, Dir: dir})
		type entry struct {
			Event string
			Loss  float64
			Batch int
			Noise float64
		}
		var sizes []int
		noisy := 0
		for line := range strings.Lines(readFile(t, filepath.Join(dir, logFile))) {
			var e entry
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.Event == "step" {
				sizes = append(sizes, e.Batch)
				if e.Noise > 0 {
					noisy++
				}
			}
		}
		if len(sizes) != 16 || sizes[0] != 20 || sizes[15] != c.last || !slices.IsSorted(sizes[:7]) {
			t.Errorf("%s: the samples have %v examples, want 20 to %d", c.spec, sizes, c.last)
		}
		if tests := strings.Contains(c.spec, "norm_test"); tests != (noisy > 0) {
			t.Errorf("%s: noise in %d steps", c.spec, noisy)
		}
		for i, r := range h.Rows {
			if !(r.Train.Loss > 0.1 && r.Train.Loss < 2) || !(r.Train.Metrics["accuracy"] > 0.2) {
				t.Errorf("%s: epoch %d has the scores %+v", c.spec, i+1, r.Train)
			}
		}
		if h.Rows[1].Work <= 2*h.Rows[0].Work-1 || math.IsNaN(h.Result.Train.Loss) {
			t.Errorf("%s: work %d and %d: the second epoch has the larger samples", c.spec, h.Rows[0].Work, h.Rows[1].Work)
		}
	}
}
