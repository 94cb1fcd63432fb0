package experiments

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func TestRanks(t *testing.T) {
	for _, c := range []struct{ x, want []float64 }{
		{[]float64{3, 1, 2}, []float64{2, 0, 1}},
		{[]float64{5, 1, 5, 5}, []float64{2, 0, 2, 2}}, // places 1, 2 and 3
		{[]float64{7, 7}, []float64{0.5, 0.5}},
		{nil, []float64{}},
	} {
		if got := ranks(c.x); !slices.Equal(got, c.want) {
			t.Errorf("ranks of %v are %v, want %v", c.x, got, c.want)
		}
	}
}

// The values by hand: without ties ρ is 1 - 6Σd²/(n³-n); with them it is the
// correlation of the mean ranks, and τ_b divides by pairs that are not tied.
func TestRankCorrelations(t *testing.T) {
	for _, c := range []struct {
		x, y     []float64
		rho, tau float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{1e-9, 2, 50, 1e9}, 1, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1, -1},
		{[]float64{1, 2, 3, 4, 5}, []float64{2, 1, 4, 3, 5}, 1 - 6*4.0/120, 6.0 / 10},
		{[]float64{1, 1, 2}, []float64{1, 2, 3}, math.Sqrt(3) / 2, 2 / math.Sqrt(6)},
		{[]float64{1, 1, 2, 2}, []float64{1, 1, 2, 2}, 1, 1},
	} {
		for _, swap := range []bool{false, true} {
			x, y := c.x, c.y
			if swap {
				x, y = y, x
			}
			if got := spearman(x, y); math.Abs(got-c.rho) > 1e-14 {
				t.Errorf("Spearman's of %v and %v is %v, want %v", x, y, got, c.rho)
			}
			if got := kendall(x, y); math.Abs(got-c.tau) > 1e-14 {
				t.Errorf("Kendall's of %v and %v is %v, want %v", x, y, got, c.tau)
			}
		}
	}
	for name, f := range map[string]func(x, y []float64) float64{"Spearman": spearman, "Kendall": kendall} {
		if got := f([]float64{1, 2, 3}, []float64{4, 4, 4}); !math.IsNaN(got) {
			t.Errorf("%s's with a constant is %v", name, got)
		}
		// A monotone change of the numbers changes no rank.
		r := rand.New(rand.NewPCG(1, 2))
		x, y, z := make([]float64, 20), make([]float64, 20), make([]float64, 20)
		for i := range x {
			x[i], y[i] = r.NormFloat64(), r.NormFloat64()
			z[i] = math.Exp(3 * y[i])
		}
		if a, b := f(x, y), f(x, z); a != b || math.Abs(a) >= 1 {
			t.Errorf("%s's is %v, and %v of the exponentials", name, a, b)
		}
	}
}

// What has been trained is read again, and a run that diverges leaves the weights as
// they were.
func TestTrainedIsKept(t *testing.T) {
	d, err := data.Blobs(30, 3, 2, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	build := func() *nn.Model[float64] {
		m, err := nn.Build[float64](nn.Sequential{nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{2}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	e := env(t.TempDir())
	for name, lr := range map[string]float64{"good": 0.1, "bad": 1e308} {
		first := build()
		begin := slices.Clone(first.Params)
		c := train.Config{Optimizer: &optimizers.SGD{LR: lr}, Epochs: 3, Batch: 5}
		diverged, err := trained(context.Background(), e, name, first, d, c)
		if err != nil || diverged != (name == "bad") || slices.Equal(first.Params, begin) != diverged {
			t.Fatalf("%s: diverged %v, weights %v (%v)", name, diverged, first.Params, err)
		}
		again := build()
		for i := range again.Params {
			again.Params[i]++
		}
		same, err := trained(context.Background(), e, name, again, d, train.Config{Epochs: -1}) // which would fail
		if err != nil || same != diverged || !slices.Equal(first.Params, again.Params) {
			t.Errorf("%s, again: diverged %v, weights %v, want %v (%v)", name, same, again.Params, first.Params, err)
		}
	}
}
