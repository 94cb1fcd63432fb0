package landscape

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/nn"
)

func TestAssignIsTheBestOfAll(t *testing.T) {
	r := source(5, 5)
	for round := range 300 {
		n := 1 + r.IntN(6)
		gains := make([]float64, n*n)
		for i := range gains {
			gains[i] = r.NormFloat64()
			if round%3 == 0 {
				gains[i] = math.Round(gains[i]) // ties
			}
		}
		got, err := Assign(gains, n)
		if err != nil {
			t.Fatal(err)
		}
		total := func(p []int) float64 {
			sum := 0.0
			for i, j := range p {
				sum += gains[i*n+j]
			}
			return sum
		}
		best := math.Inf(-1)
		p := make([]int, n)
		for i := range p {
			p[i] = i
		}
		var all func(k int)
		all = func(k int) {
			if k == n {
				best = max(best, total(p))
				return
			}
			for i := k; i < n; i++ {
				p[k], p[i] = p[i], p[k]
				all(k + 1)
				p[k], p[i] = p[i], p[k]
			}
		}
		all(0)
		seen := slices.Clone(got)
		slices.Sort(seen)
		for i, v := range seen {
			if i != v {
				t.Fatalf("%v is no permutation", got)
			}
		}
		if math.Abs(total(got)-best) > 1e-12 {
			t.Fatalf("%v gains %v, the best %v", got, total(got), best)
		}
	}
	if _, err := Assign([]float64{1, math.NaN(), 0, 1}, 2); err == nil {
		t.Error("NaN is accepted")
	}
	if _, err := Assign([]float64{1, 2, 3}, 2); err == nil {
		t.Error("three gains for two and two are accepted")
	}
	if p, err := Assign(nil, 0); err != nil || len(p) != 0 {
		t.Errorf("of nothing: %v, %v", p, err)
	}
}

// A permuted copy is found again: nothing lies between.
func TestMatchFindsAPermutedCopy(t *testing.T) {
	d := pictures(t)
	m, err := nn.Build[float64](nn.Sequential{
		nn.Conv2D{Filters: 8, Kernel: 3}, nn.BatchNorm{}, nn.ReLU{}, nn.Flatten{}, nn.Dense{Units: 16}, nn.Tanh{}, nn.Dense{Units: 12}, nn.ReLU{}, nn.Dense{Units: 3},
	}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	hidden := HiddenLayers(m)
	r := source(1, 1)
	x := slices.Clone(m.Params)
	for _, h := range hidden {
		x = h.Permute(x, r.Perm(len(h.Units)))
	}
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	alpha := Linspace(0, 1, 11)
	line, err := p.Line(background, m.Params, x, alpha)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(line[0]-line[10]) > 1e-12 {
		t.Fatalf("the copy has loss %v, the net %v", line[10], line[0])
	}
	got, units, err := Match(m.Params, x, hidden, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, m.Params) {
		t.Error("the copy is not found again")
	}
	for k, h := range hidden { // what units say is what was done
		x = h.Permute(x, units[k])
	}
	if !slices.Equal(x, got) {
		t.Error("the units are not those of the matched parameters")
	}
	if line, err = p.Line(background, m.Params, got, alpha); err != nil {
		t.Fatal(err)
	}
	if height, _ := Barrier(alpha, line); height > 1e-15*line[0] { // of (1-α)x + αx
		t.Errorf("a barrier of %v before its own copy", height)
	}
	if _, _, err := Match(m.Params, x, nil, 1); err == nil {
		t.Error("a model without hidden layers is matched")
	}
}

func TestBarrier(t *testing.T) {
	alpha := Linspace(0, 1, 5)
	for _, c := range []struct {
		loss       []float64
		height, at float64
	}{
		{[]float64{1, 2, 5, 3, 3}, 3, 0.5},
		{[]float64{1, 1, 1, 1, 1}, 0, 0},
		{[]float64{4, 2, 1, 0, 0}, 0, 0},
		{[]float64{0, 1, 2, 3.5, 4}, 0.5, 0.75},
	} {
		if height, at := Barrier(alpha, c.loss); math.Abs(height-c.height) > 1e-12 || height > 0 && at != c.at {
			t.Errorf("%v: %v at %v", c.loss, height, at)
		}
	}
}
