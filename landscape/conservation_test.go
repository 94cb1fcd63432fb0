package landscape

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// conservative is a net with all three symmetries, exact to rounding.
func conservative(t testing.TB) (*nn.Model[float64], train.Config) {
	t.Helper()
	d := pictures(t)
	m, err := nn.Build[float64](nn.Sequential{
		nn.Conv2D{Filters: 3, Kernel: 3}, nn.ReLU{}, nn.MaxPool2D{Size: 2},
		nn.Conv2D{Filters: 4, Kernel: 2}, nn.BatchNorm{Eps: 1e-300}, nn.ReLU{}, nn.Flatten{}, nn.Dense{Units: 3},
	}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Params { // biases begin at 0
		m.Params[i] += 0.1 * math.Sin(float64(7*i))
	}
	return m, train.Config{Epochs: 20, Batch: 8, Seed: 5}
}

// The discrete law holds to rounding, and the modified flow says how a quantity
// moves to the order of the rate, with a rate and a momentum that change too.
func TestConservationOfSGD(t *testing.T) {
	cycle := &optimizers.OneCycle{MaxLR: 0.02}
	for name, method := range map[string]optimizers.Method{
		"plain":     &optimizers.SGD{LR: 0.01},
		"decay":     &optimizers.SGD{LR: 0.01, WeightDecay: 0.1},
		"momentum":  &optimizers.SGD{LR: 0.002, Momentum: 0.9},
		"both":      &optimizers.SGD{LR: 0.002, Momentum: 0.9, WeightDecay: 0.1},
		"dampened":  &optimizers.SGD{LR: 0.004, Momentum: 0.8, WeightDecay: 0.1, Dampening: 0.5},
		"scheduled": &optimizers.Scheduled{Of: &optimizers.SGD{LR: 0.002, Momentum: 0.9, WeightDecay: 0.1}, Schedule: cycle},
	} {
		t.Run(name, func(t *testing.T) {
			m, c := conservative(t)
			w, err := NewSymmetryWatch(m, method, 5)
			if err != nil {
				t.Fatal(err)
			}
			c.Optimizer, c.Watch = method, []train.Watcher{w}
			if _, err := train.Fit(background, m, pictures(t), c); err != nil {
				t.Fatal(err)
			}
			MeasureConserved(w.Conservation, m.Params)
			exact := 0.0
			off, moved := map[SymmetryKind]float64{}, map[SymmetryKind]float64{}
			for _, q := range w.Of {
				exact = max(exact, math.Abs(q.Measured-q.Discrete)/q.Size)
				off[q.Kind] = max(off[q.Kind], math.Abs(q.Measured-q.Modified)/q.Size)
				moved[q.Kind] = max(moved[q.Kind], math.Abs(q.Measured-q.Start)/q.Size)
			}
			t.Logf("discrete %.2g, modified %v of %v", exact, off, moved)
			if !(exact <= 1e-13) {
				t.Errorf("the discrete law is off by %.3g", exact)
			}
			// The modified flow begins at rest half a step late: of some 60 steps that is
			// nearly a hundredth, and more where the first buffer is not dampened.
			for kind := range off {
				if !(off[kind] <= 0.03*moved[kind]+1e-13) {
					t.Errorf("the modified flow of %v is off by %.3g; the quantity moved by %.3g", kind, off[kind], moved[kind])
				}
			}
		})
	}
}

func TestConservationCanFail(t *testing.T) {
	m, c := conservative(t)
	w, err := NewSymmetryWatch(m, &optimizers.SGD{}, 5)
	if err != nil {
		t.Fatal(err)
	}
	c.Optimizer, c.Watch = &optimizers.Adam{LR: 0.01}, []train.Watcher{w}
	if _, err := train.Fit(background, m, pictures(t), c); err != nil {
		t.Fatal(err)
	}
	MeasureConserved(w.Conservation, m.Params)
	worst := 0.0
	for _, q := range w.Of {
		worst = max(worst, math.Abs(q.Measured-q.Discrete)/q.Size)
	}
	if worst < 1e-3 {
		t.Errorf("under Adam all laws of SGD hold to %.3g", worst)
	}
	for want, method := range map[string]optimizers.Method{
		"not for adam":  &optimizers.Adam{},
		"nesterov=true": &optimizers.SGD{Momentum: 0.9, Nesterov: true},
		"stands still":  &optimizers.SGD{Momentum: 0.9, Dampening: 1},
	} {
		if _, err := NewSymmetryWatch(m, method, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", optimizers.Spec(method), err)
		}
	}
}

// A run that is stopped and resumed says the same as one that is not.
func TestSymmetryWatchResumes(t *testing.T) {
	s := &optimizers.SGD{LR: 0.01, Momentum: 0.9, WeightDecay: 0.1}
	watched := func(dir string, stops ...int) []float64 {
		var last []float64
		for k := 0; ; k++ {
			m, c := conservative(t)
			w, err := NewSymmetryWatch(m, s, 3)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(background)
			c.Optimizer, c.Epochs, c.Dir, c.Resume, c.Watch = s, 4, dir, k > 0, []train.Watcher{w}
			c.Observers = []train.Observer{train.ObserverFunc(func(e train.Event) error {
				switch e := e.(type) {
				case *train.Watched:
					last = append([]float64(nil), e.Values...)
				case *train.Stepped:
					if k < len(stops) && e.Step == stops[k] {
						cancel()
					}
				}
				return nil
			})}
			_, err = train.Fit(ctx, m, pictures(t), c)
			cancel()
			if k < len(stops) {
				if err == nil {
					t.Fatal("not stopped")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(last); err != nil || len(last) != len(w.Names()) {
				t.Fatalf("%v: %v", err, last)
			}
			return last
		}
	}
	whole, parts := watched(t.TempDir()), watched(t.TempDir(), 4, 7)
	for i := range whole {
		if whole[i] != parts[i] {
			t.Errorf("value %d: %v, resumed %v", i, whole[i], parts[i])
		}
	}
}
