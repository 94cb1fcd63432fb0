package experiments

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// The range ends at the first setting that is not good, whatever comes behind it.
func TestRangeOfGoodSettings(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		losses  []float64
		decades float64
		best    int
	}{
		{[]float64{1, 1.5, 2, 1.9, 1.1, 1.2, 2}, 3, 0},
		{[]float64{1.5, 2.5, 2, 1, 2, 2.1, 1.2}, 1, 3},
		{[]float64{9, 8, 7, 6, 5, 1, inf}, 0, 5},
		{[]float64{inf, inf, inf, 3, 2, 2, 4}, 1.5, 4},
	} {
		if d, best := within(c.losses, 2); d != c.decades || best != c.best {
			t.Errorf("%v: %v decades around %d, want %v around %d", c.losses, d, best, c.decades, c.best)
		}
	}
}

// The settings span three decades around the defaults, which are those of the methods.
func TestSettingsAreThoseOfTheMethods(t *testing.T) {
	x := times()
	if math.Abs(x[len(x)-1]/x[0]-1000) > 1e-9 || x[len(x)/2] != 1 {
		t.Errorf("settings at %v", x)
	}
	for _, m := range tunables() {
		method, err := optimizers.Parse(m.spec(1))
		if err != nil {
			t.Fatal(err)
		}
		info := optimizers.Describe(method)
		i := slices.IndexFunc(info.Settings, func(s optimizers.Setting) bool { return s.Name == m.key })
		if i < 0 {
			t.Fatalf("%s has no %s", m.word, m.key)
		}
		if m.word == "sgd" {
			continue // its default is in words
		}
		d, err := optimizers.Parse(m.word + ":" + m.key + "=" + info.Settings[i].Default + ",weight_decay=0.001")
		if err != nil || optimizers.Spec(d) != optimizers.Spec(method) {
			t.Errorf("%s: %s is not at its default %s (%v)", m.spec(1), m.key, info.Settings[i].Default, err)
		}
	}
}
