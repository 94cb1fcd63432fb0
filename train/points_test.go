package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// pointed is a run of 9 steps in 3 epochs that is measured after every second.
func pointed(t *testing.T, dir string, spec string) (*nn.Model[float32], data.Dataset, Config) {
	m, d := small[float32](t, plain()...)
	probe, err := data.Limit(d, 40)
	if err != nil {
		t.Fatal(err)
	}
	return m, d, Config{Optimizer: parse(t, spec), Epochs: 3, Batch: 64, Seed: 9, Test: d, Probe: probe, Every: 2, Dir: dir}
}

func TestPointsAreMeasuredBetweenEpochs(t *testing.T) {
	m, d, c := pointed(t, t.TempDir(), "adam")
	var events []string
	var steps []int
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		events = append(events, e.event())
		if p, ok := e.(*Measured); ok {
			steps = append(steps, p.Step)
			got, err := Evaluate(context.Background(), m, c.Probe)
			if err != nil || !reflect.DeepEqual(got, p.Probe) {
				t.Errorf("step %d: probe %+v, the model has %+v (%v)", p.Step, p.Probe, got, err)
			}
		}
		return nil
	})}
	h := mustFit(t, m, d, c)
	if want := []int{0, 2, 3, 4, 6, 8, 9}; !reflect.DeepEqual(steps, want) {
		t.Errorf("measured after steps %v, want %v", steps, want)
	}
	if want := "start saved point step step point step point epoch saved step point step step point epoch"; !strings.HasPrefix(strings.Join(events, " "), want) {
		t.Errorf("events %v, want %s", events, want)
	}
	examples := int64(d.Len())
	for i, p := range h.Points {
		last := Point{Epoch: -1, Step: -1, Work: -1, Gradients: -1, Seconds: -1}
		if i > 0 {
			last = h.Points[i-1]
		}
		if p.Epoch <= last.Epoch || p.Step <= last.Step || p.Work <= last.Work || p.Gradients <= last.Gradients || p.Seconds <= last.Seconds {
			t.Errorf("point %+v after %+v", p, last)
		}
	}
	end := h.Points[len(h.Points)-1]
	if end.Epoch != 3 || end.Gradients != 3*examples || end.Work != 2*3*examples || h.Result.Gradients != 3*examples {
		t.Errorf("the last point %+v, result %+v", end, h.Result)
	}
	if !reflect.DeepEqual(h.Result.Probe, end.Probe) || !reflect.DeepEqual(h.Rows[0].Test, h.Points[2].Test) {
		t.Error("the rows and the result are not the points at the ends of epochs")
	}

	// Measuring is no part of training.
	plain, d, c := pointed(t, "", "adam")
	c.Every, c.Probe = 0, nil
	mustFit(t, plain, d, c)
	if !reflect.DeepEqual(plain.Params, m.Params) {
		t.Error("a run that is measured has other weights")
	}
}

func TestResumedRunsHaveTheSamePoints(t *testing.T) {
	root := t.TempDir()
	without := func(points []Point) []Point {
		points = append([]Point(nil), points...)
		for i := range points {
			points[i].Seconds = 0
		}
		return points
	}
	for _, spec := range []string{"adam", "hf:curvature=20"} {
		m, d, c := pointed(t, filepath.Join(root, spec, "whole"), spec)
		whole := mustFit(t, m, d, c)
		for _, event := range []string{"step 2", "step 3", "step 5", "point 0", "point 2", "point 3", "point 9"} {
			m, d, c := pointed(t, filepath.Join(root, spec, event), spec)
			ctx, cancel := context.WithCancel(context.Background())
			c.Observers = []Observer{ObserverFunc(func(e Event) error {
				at := ""
				switch e := e.(type) {
				case *Stepped:
					at = fmt.Sprint("step ", e.Step)
				case *Measured:
					at = fmt.Sprint("point ", e.Step)
				}
				if at == event {
					cancel()
				}
				return nil
			})}
			_, err := Fit(ctx, m, d, c)
			cancel()
			if event != "point 9" && !errors.Is(err, context.Canceled) { // after that there is nothing to interrupt
				t.Fatalf("%s, %s: %v", spec, event, err)
			}
			m, d, c = pointed(t, c.Dir, spec)
			c.Resume = true
			h := mustFit(t, m, d, c)
			if got, want := without(h.Points), without(whole.Points); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, stopped at %s: points\n%+v, want\n%+v", spec, event, got, want)
			}
		}
	}
	m, d, c := pointed(t, filepath.Join(root, "adam", "step 2"), "adam")
	c.Resume, c.Every = true, 3
	if _, err := Fit(context.Background(), m, d, c); err == nil || !strings.Contains(err.Error(), "had every 2, now it is 3") {
		t.Errorf("resumed with other points: %v", err)
	}
}

func TestObserversStopAtAPoint(t *testing.T) {
	m, d, c := pointed(t, "", "adam")
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if p, ok := e.(*Measured); ok && p.Step == 4 {
			return ErrStop
		}
		return nil
	})}
	h := mustFit(t, m, d, c)
	if n := len(h.Points); h.Result.Steps != 4 || n != 4 || !reflect.DeepEqual(h.Result.Test, h.Points[n-1].Test) {
		t.Errorf("%d steps, %d points", h.Result.Steps, n)
	}
}

// Gradients are counted where they are computed, whatever the method reports.
func TestGradientsAreCounted(t *testing.T) {
	const n = 150
	greedy := optimizers.Of[float32](optimizers.StepFunc[float32](func(_ context.Context, x []float32, p optimizers.Problem[float32]) (optimizers.Report, error) {
		g := make([]float32, len(x))
		loss, err := p.Batch().Grad(g, x)
		_, full := p.Full().Grad(g, x)
		s, drawn := p.Draw(7)
		if err := errors.Join(err, full, drawn); err != nil {
			return optimizers.Report{}, err
		}
		_, err = s.Grad(g, x)
		return optimizers.Report{Loss: loss}, errors.Join(err, s.(optimizers.SquaredGrads[float32]).SquaredGrads(g, x))
	}))
	m, d := small[float32](t, plain()...)
	if d.Len() != n {
		t.Fatalf("%d examples", d.Len())
	}
	h := mustFit(t, m, d, Config{Optimizer: greedy, Epochs: 1, Batch: 50})
	if want := int64(50+50+50) + 3*(n+7+7); h.Result.Gradients != want {
		t.Errorf("%d gradients, want %d", h.Result.Gradients, want)
	}
}

func TestStepErrorsTellMethodsFromMachines(t *testing.T) {
	fit := func(spec string, batch int, dir string, step func() error) error {
		m, d := small[float32](t, plain()...)
		method := optimizers.Of[float32](optimizers.StepFunc[float32](func(_ context.Context, _ []float32, p optimizers.Problem[float32]) (optimizers.Report, error) {
			return optimizers.Report{}, step()
		}))
		c := Config{Optimizer: method, Batch: batch, Epochs: 3, Dir: dir}
		if batch == 150 {
			c.Test = d
		}
		if spec != "" {
			c.Optimizer = parse(t, spec)
		}
		_, err := Fit(context.Background(), m, d, c)
		return err
	}
	for name, c := range map[string]struct {
		err      error
		step     int
		diverged bool
	}{
		"a gradient":     {fit("sgd:lr=1e38", 50, "", nil), 2, true},
		"the test":       {fit("sgd:lr=1e38", 150, "", nil), 1, true},
		"the weights":    {fit("sgd:lr=1e39", 150, t.TempDir(), nil), 1, true},
		"a broken rule":  {fit("", 50, "", func() error { return errors.New("no step found") }), 1, false},
		"a broken value": {fit("", 50, "", func() error { return &optimizers.NonFiniteError{Method: "x", What: "product"} }), 1, true},
	} {
		var step *StepError
		if !errors.As(c.err, &step) || step.Step != c.step || step.Diverged != c.diverged {
			t.Errorf("%s: %+v (%v), want step %d, diverged %v", name, step, c.err, c.step, c.diverged)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var step *StepError
	if err := fit("adam", 50, filepath.Join(file, "run"), nil); err == nil || errors.As(err, &step) {
		t.Errorf("a directory that cannot be: %v", err)
	}
}
