package train

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// A share of n predictions is k/n to the last bit, in either precision and
// however the examples are cut: an accuracy of 0.97 is not below 0.97.
func TestAccuracyIsACount(t *testing.T) {
	for _, n := range []int{1, 3, 10, 97, 100, 511, 513, 1000, 1537} {
		d, err := data.Blobs(max(n, 3), 3, 5, 2, uint64(n))
		if err != nil {
			t.Fatal(err)
		}
		set, err := data.Limit(d, n)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := small[float32](t, plain()...)
		s, err := Evaluate(context.Background(), m, set)
		if err != nil {
			t.Fatal(err)
		}
		if k := math.Round(s.Metrics["accuracy"] * float64(n)); s.Metrics["accuracy"] != k/float64(n) {
			t.Errorf("%d examples: accuracy %v, want %v", n, s.Metrics["accuracy"], k/float64(n))
		}
		h := mustFit(t, m, set, Config{Batch: 7, Test: set})
		for _, s := range []*Scores{h.Result.Train, h.Result.Test} {
			if k := math.Round(s.Metrics["accuracy"] * float64(n)); s.Metrics["accuracy"] != k/float64(n) {
				t.Errorf("%d examples: accuracy %v after training, want %v", n, s.Metrics["accuracy"], k/float64(n))
			}
		}
	}
}

// An answer an example is not all there may be, and what is no count is left
// as it is.
func TestCounted(t *testing.T) {
	for _, c := range []struct {
		sum     float64
		answers int
		want    float64
	}{
		{100 * float64(float32(0.97)), 1, 97},
		{60000 * float64(float32(0.12345)), 1, 7407},
		{10 * float64(float32(1.0/3)), 3, 10.0 / 3},
		{0, 1, 0},
		{0.4, 1, 0.4},
		{41.5, 1, 41.5},
		{41.5, 2, 41.5},
	} {
		if got := counted(c.sum, c.answers); got != c.want {
			t.Errorf("counted(%v, %d) = %v, want %v", c.sum, c.answers, got, c.want)
		}
	}
}

// Squared errors are sums over an example's outputs, means over the examples.
func TestSquaredErrorIsPerExample(t *testing.T) {
	d, err := data.Blobs(60, 3, 5, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	auto := data.Autoencode(d)
	m, err := nn.Build[float64](nn.Sequential{nn.Dense{Units: 2}, nn.Dense{Units: 5}}, nn.MeanSquaredError{}, []int{5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Evaluate(context.Background(), m, auto)
	if err != nil {
		t.Fatal(err)
	}
	b := batch[float64](t, auto, 0, 60)
	z, err := m.Predict(b.X)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i, v := range z {
		want += (v - b.Y[i]) * (v - b.Y[i]) / 60
	}
	if got := s.Metrics["squared_error"]; math.Abs(got-want) > 1e-12*want {
		t.Errorf("squared error %v, want %v", got, want)
	}
}
