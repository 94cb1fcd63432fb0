package train

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
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

// A linear layer with a square loss has the Gauss-Newton matrix A ⊗ G exactly, also
// on a minibatch of two parts, which weigh by their examples.
func TestGrowingMinibatchesHaveFactors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	x, y := make([]float64, 60*3), make([]float64, 60*2)
	for _, v := range [][]float64{x, y} {
		for i := range v {
			v[i] = r.NormFloat64()
		}
	}
	d, err := data.New(x, []int{3}, y, data.Target{Shape: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](nn.Dense{Units: 2}, nn.MeanSquaredError{}, []int{3}, nn.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	layout := Layout(m)
	k, err := optimizers.NewKronecker[float64](layout, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact})
	if err != nil {
		t.Fatal(err)
	}
	parts := 0
	look := func(_ context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
		s := p.Batch()
		if err := k.Update(s, x, 0); err != nil {
			return optimizers.Report{}, err
		}
		if err := s.Linearize(x); err != nil {
			return optimizers.Report{}, err
		}
		v, have, want := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		for i := range v {
			v[i] = r.NormFloat64()
		}
		if err := s.GaussNewtonMul(want, v); err != nil {
			return optimizers.Report{}, err
		}
		if err := k.Mul(have, v); err != nil {
			return optimizers.Report{}, err
		}
		for i := range want {
			if math.Abs(have[i]-want[i]) > 1e-12*(1+math.Abs(want[i])) {
				t.Errorf("%d examples: product %v, want %v", s.Len(), have[i], want[i])
			}
		}
		if n := s.Len(); n > 10 && n < 60 {
			parts++
		}
		return optimizers.Report{Loss: 1}, nil
	}
	grown := &optimizers.GeometricBatch{Tau: 1.3, Of: optimizers.Of[float64](optimizers.StepFunc[float64](look))}
	mustFit(t, m, d, Config{Optimizer: grown, Epochs: 2, Batch: 10})
	if parts < 3 {
		t.Errorf("%d minibatches of two parts", parts)
	}
}

// The first examples of a minibatch of two parts have the mean of their own losses, also where the second part is cut.
func TestGrowingMinibatchesAreCut(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3})
	cuts := 0
	look := func(_ context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
		s := p.Batch()
		examples, ok := optimizers.SampleAs[optimizers.ExampleGrads[float64]](s)
		cut, sharp := optimizers.SampleAs[optimizers.Cut[float64]](s)
		if !ok || !sharp {
			return optimizers.Report{}, errors.New("the sample shows no examples, or cannot be cut")
		}
		sums := []float64{0}
		err := examples.ExampleGrads(x, func(_ int, loss float64, _ []float64) error {
			sums = append(sums, sums[len(sums)-1]+loss)
			return nil
		})
		if err != nil {
			return optimizers.Report{}, err
		}
		if s.Len() == d.Len() { // streamed
			return optimizers.Report{Loss: 1}, nil
		}
		for _, n := range []int{1, 7, 10, 11, s.Len() - 1, s.Len()} {
			if n > s.Len() {
				continue
			}
			first, err := cut.First(n)
			if err != nil {
				return optimizers.Report{}, err
			}
			loss, err := first.Loss(x)
			if err != nil {
				return optimizers.Report{}, err
			}
			if want := sums[n] / float64(n); first.Len() != n || math.Abs(loss-want) > 1e-12*want {
				t.Errorf("the first %d of %d, %d of them, have the loss %v, want %v", n, s.Len(), first.Len(), loss, want)
			}
			if n > 10 && n < s.Len() {
				cuts++
			}
		}
		return optimizers.Report{Loss: 1}, nil
	}
	grown := &optimizers.GeometricBatch{Tau: 1.3, Of: optimizers.Of[float64](optimizers.StepFunc[float64](look))}
	mustFit(t, m, d, Config{Optimizer: grown, Epochs: 2, Batch: 10})
	if cuts < 3 {
		t.Errorf("%d cuts of a second part", cuts)
	}
}
