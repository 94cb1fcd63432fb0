package landscape

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// Units of which it is known when they are on.
func TestActivity(t *testing.T) {
	rows := [][]float64{
		{1, 0, 0, 0},
		{2, 0, 0, 0}, // like the first
		{0, 0, 0, 0}, // dead
		{1, 2, 3, 4},
		{4, 3, 2, 1}, // the opposite of the one before
		{5, 5, 5, 5}, // always on
		{0, 1, 0, 1},
	}
	a := activity(rows, 0.95)
	if a.Units != 7 || a.Kept != 5 || !near(a.Dead, 1.0/7, 1e-12) || !near(a.Active, float64(1+0+4+4+2)/20, 1e-12) {
		t.Errorf("%+v", a)
	}
}

func TestActiveOfANetwork(t *testing.T) {
	d, err := data.Spirals(60, 3, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](nn.Sequential{nn.Dense{Units: 5}, nn.ReLU{}, nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	clear(m.Tensor("dense1.weight"))
	copy(m.Tensor("dense1.bias"), []float64{1, -1, 2, -2, 3})
	got, err := Active(background, m, d, 0, 0.95, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Layer != "relu1" || !near(got[0].Active, 0.6, 1e-12) || !near(got[0].Dead, 0.4, 1e-12) {
		t.Errorf("%+v", got)
	}
	tanh, _ := tiny[float64](t)
	if _, err := Active(background, tanh, d, 0, 0.95, 1); err == nil {
		t.Error("a network without ReLU has active units")
	}
}

// The rank of a linear model's Jacobian is known: examples have two inputs and a
// bias, and each of three outputs has weights of its own.
func TestJacobianRank(t *testing.T) {
	d, err := data.Spirals(60, 3, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](nn.Dense{Units: 3}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{1: 3, 2: 6, 3: 9, 10: 9} {
		r, err := JacobianRank(background, m, d, n, 1e-6)
		if err != nil {
			t.Fatal(err)
		}
		if r.Rank != want || r.Of != 3*n {
			t.Errorf("%d examples: rank %d of %d, want %d", n, r.Rank, r.Of, want)
		}
	}
	// Against the squares of the singular values: their sum is that of all elements.
	deep, _ := tiny[float64](t)
	r, err := JacobianRank(background, deep, d, 5, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, s := range r.Singular {
		sum += s * s
	}
	if r.Rank < 9 || !(sum > 0) || math.IsInf(sum, 0) {
		t.Errorf("rank %d, sum of squares %v", r.Rank, sum)
	}
	if _, err := JacobianRank(background, deep, d, 5, 1e-12); err == nil {
		t.Error("a tolerance below what can be told is accepted")
	}
}
