package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// at calls f when the dataset is read for the n-th time.
func at(t *testing.T, d data.Dataset, n int, f func()) data.Dataset {
	t.Helper()
	return &watched{Dataset: d, n: n, f: f}
}

type watched struct {
	data.Dataset
	n, reads int
	f        func()
}

func (w *watched) Read32(x, y []float32, index []int) error {
	if w.reads++; w.reads == w.n {
		w.f()
	}
	return w.Dataset.Read32(x, y, index)
}

// A run that is interrupted while it measures goes on with the measuring.
func TestInterruptedEvaluationsGoOn(t *testing.T) {
	root := t.TempDir()
	config := func(dir string) Config {
		return Config{Epochs: 3, Batch: 50, Seed: 2, Dir: filepath.Join(root, dir), Optimizer: parse(t, "adam")}
	}
	m, d := small[float32](t)
	c := config("whole")
	c.Val, c.Test = d, d
	whole := mustFit(t, m, d, c)
	want := readFile(t, filepath.Join(c.Dir, lastFile))
	for _, set := range []string{"val", "test"} {
		for _, n := range []int{2, 3, 4} { // the first read is for the checksum
			ctx, cancel := context.WithCancel(context.Background())
			c := config(fmt.Sprint(set, n))
			m, d := small[float32](t)
			c.Val, c.Test = d, d
			if set == "val" {
				c.Val = at(t, d, n, cancel)
			} else {
				c.Test = at(t, d, n, cancel)
			}
			if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) {
				t.Fatalf("%s set, read %d: error %v", set, n, err)
			}
			if _, err := os.Stat(filepath.Join(c.Dir, resultFile)); err == nil {
				t.Errorf("%s set, read %d: there is a result", set, n)
			}
			m, d = small[float32](t)
			c.Val, c.Test, c.Resume = d, d, true
			h := mustFit(t, m, d, c)
			if readFile(t, filepath.Join(c.Dir, lastFile)) != want || len(h.Rows) != 3 || h.Rows[n-2].Test.Loss != whole.Rows[n-2].Test.Loss || h.Rows[n-2].Train.Loss != whole.Rows[n-2].Train.Loss {
				t.Errorf("%s set, read %d: the resumed run is another", set, n)
			}
		}
	}
}

// A run that an observer has ended, and that is interrupted before that is measured,
// takes no further step when it goes on.
func TestAnEndThatIsInterruptedStaysTheEnd(t *testing.T) {
	for _, last := range []int{2, 3, 6} { // within an epoch of 3 steps, and with it
		var want *History
		for _, interrupted := range []bool{false, true} {
			ctx, cancel := context.WithCancel(context.Background())
			m, d := small[float32](t)
			c := Config{Epochs: 4, Batch: 50, Seed: 2, Dir: filepath.Join(t.TempDir(), "run"), Probe: d, Every: 2, Observers: []Observer{ObserverFunc(func(e Event) error {
				if s, ok := e.(*Stepped); ok && s.Step == last {
					if interrupted {
						cancel()
					}
					return ErrStop
				}
				return nil
			})}}
			h, err := Fit(ctx, m, d, c)
			cancel()
			if interrupted {
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("error %v", err)
				}
				m, d = small[float32](t)
				c.Probe, c.Resume = d, true
				h, err = Fit(context.Background(), m, d, c)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !interrupted {
				want = h
				continue
			}
			n := len(want.Points)
			if h.Result.Steps != last || want.Result.Steps != last || len(h.Points) != n || h.Points[n-1].Probe.Loss != want.Points[n-1].Probe.Loss || len(h.Rows) != len(want.Rows) {
				t.Errorf("ended at step %d: after %d steps %d points and %d rows, without an interrupt %d, %d and %d", last, h.Result.Steps, len(h.Points), len(h.Rows), want.Result.Steps, n, len(want.Rows))
			}
		}
	}
}

// A context that has ended before the first step leaves a run that can go on.
func TestARunInterruptedBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m, d := small[float32](t)
	c := Config{Epochs: 1, Dir: filepath.Join(t.TempDir(), "run")}
	if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after step 0 of 2") {
		t.Fatalf("error %v", err)
	}
	c.Resume = true
	mustFit(t, m, d, c)
}

// A run that is interrupted and cannot be saved does not say that it was.
func TestAnInterruptThatCannotBeSavedIsAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m, d := small[float32](t)
	dir := filepath.Join(t.TempDir(), "run")
	var last Event
	c := Config{Epochs: 2, Batch: 50, Dir: dir, Observers: []Observer{ObserverFunc(func(e Event) error {
		last = e
		if s, ok := e.(*Stepped); ok && s.Step == 2 {
			cancel()
			// The name that the next checkpoint is written to is taken.
			return os.Mkdir(filepath.Join(dir, temporary+fmt.Sprintf(stateFormat, 2)), 0o777)
		}
		return nil
	})}}
	_, err := Fit(ctx, m, d, c)
	if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted after step 2 of 6, but not saved") {
		t.Errorf("error %v", err)
	}
	if s, ok := last.(*Stopped); !ok || s.Err == nil || s.Err.Error() != err.Error() {
		t.Errorf("the last event is %+v", last)
	}
	if notes, err := LoadWeights(filepath.Join(dir, lastFile), m); err != nil || notes["step"] != "0" {
		t.Errorf("the checkpoint before is gone: %v %v", notes, err)
	}
}

// A state that is not finite would be saved behind weights that are.
func TestAStateThatIsNotFiniteIsNotSaved(t *testing.T) {
	m, d := small[float32](t, nn.Dense{Units: 3})
	huge, err := data.Affine(d, 1e22, 0) // the square of a gradient has no place in float32
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Batch: 150, Dir: t.TempDir(), Optimizer: parse(t, "adam")}
	_, err = Fit(context.Background(), m, huge, c)
	if err == nil || !strings.Contains(err.Error(), "after step 1: the optimizer's ") || !strings.Contains(err.Error(), " of dense") {
		t.Errorf("error %v", err)
	}
	if notes, err := LoadWeights(filepath.Join(c.Dir, lastFile), m); err != nil || notes["step"] != "0" {
		t.Errorf("the first checkpoint is gone: %v %v", notes, err)
	}
}

func TestMoreStepsThanCanBeCountedAreAnError(t *testing.T) {
	m, d := small[float32](t)
	for _, epochs := range []int{math.MaxInt, math.MaxInt/3 + 1} {
		if _, err := Fit(context.Background(), m, d, Config{Epochs: epochs, Batch: 50}); err == nil || !strings.Contains(err.Error(), "epochs of 3 steps") {
			t.Errorf("%d epochs: %v", epochs, err)
		}
	}
}

// What a step that fails has done to the weights is not saved.
func TestAStepThatFailsLeavesTheCheckpoint(t *testing.T) {
	m, d := small[float32](t)
	own := errors.New("no more")
	bad := optimizers.Of[float32](optimizers.StepFunc[float32](func(_ context.Context, x []float32, p optimizers.Problem[float32]) (optimizers.Report, error) {
		x[0] = float32(math.NaN())
		return optimizers.Report{}, own
	}))
	c := Config{Optimizer: bad, Dir: t.TempDir()}
	if _, err := Fit(context.Background(), m, d, c); !errors.Is(err, own) || !strings.Contains(err.Error(), "step 1") {
		t.Errorf("error %v", err)
	}
	if notes, err := LoadWeights(filepath.Join(c.Dir, lastFile), m); err != nil || notes["step"] != "0" || !allFinite(m.Params) {
		t.Errorf("the first checkpoint is gone: %v %v", notes, err)
	}
}
