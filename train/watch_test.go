package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// distance watches how far the parameters move in a step.
type distance struct {
	m     *nn.Model[float64]
	every int
	was   []float64
	calls int
}

func (d *distance) Names() []string { return []string{"moved", "nothing"} }
func (d *distance) Every() int      { return d.every }
func (d *distance) Before() error   { d.was = append(d.was[:0], d.m.Params...); return nil }

func (d *distance) Measure(_ context.Context, lr float64) ([]float64, error) {
	d.calls++
	sum := 0.0
	for i, v := range d.m.Params {
		sum += (v - d.was[i]) * (v - d.was[i])
	}
	return []float64{math.Sqrt(sum) / lr, math.NaN()}, nil
}

func TestWatchersMeasure(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3})
	dir := filepath.Join(t.TempDir(), "run")
	w := &distance{m: m, every: 3}
	var events []*Watched
	c := Config{Optimizer: &optimizers.SGD{LR: 0.1}, Epochs: 2, Batch: 40, Dir: dir, Watch: []Watcher{w}, Observers: []Observer{ObserverFunc(func(e Event) error {
		if e, ok := e.(*Watched); ok {
			events = append(events, e)
		}
		return nil
	})}}
	h, err := Fit(context.Background(), m, d, c)
	if err != nil {
		t.Fatal(err)
	}
	steps := h.Result.Steps
	if w.calls != steps/3 || len(events) != w.calls || events[0].Step != 3 {
		t.Errorf("%d measurements, %d events in %d steps", w.calls, len(events), steps)
	}
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	norms := map[int]float64{}
	for line := range strings.Lines(string(log)) {
		var e struct {
			Event    string
			Step     int
			GradNorm float64 `json:"grad_norm"`
			Moved    float64
			Nothing  *float64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		switch e.Event {
		case "step":
			norms[e.Step] = e.GradNorm
		case "watch":
			found++
			// A step of gradient descent moves by the rate times the gradient.
			if math.Abs(e.Moved-norms[e.Step]) > 1e-12*norms[e.Step] || e.Nothing != nil {
				t.Errorf("step %d: %v, gradient %v; %v", e.Step, e.Moved, norms[e.Step], e.Nothing)
			}
		}
	}
	if found != w.calls {
		t.Errorf("%d lines of the log", found)
	}
	head, rest, _ := strings.Cut(string(h.CSV()), "\n")
	if !strings.HasSuffix(head, ",moved") || strings.Count(rest, ",") != 2*strings.Count(head, ",") {
		t.Errorf("metrics.csv:\n%s", h.CSV())
	}
}

func TestWatchersAreChecked(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 3})
	for want, list := range map[string][]Watcher{
		"every 0 steps":  {&distance{m: m}},
		"measure moved":  {&distance{m: m, every: 1}, &distance{m: m, every: 2}},
		"broken":         {failing{}},
		"gives 0 values": {failing{short: true}},
	} {
		_, err := Fit(context.Background(), m, d, Config{Watch: list})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want one with %q", err, want)
		}
	}
}

type failing struct{ short bool }

func (failing) Names() []string { return []string{"x"} }
func (failing) Every() int      { return 1 }
func (failing) Before() error   { return nil }

func (f failing) Measure(context.Context, float64) ([]float64, error) {
	if f.short {
		return nil, nil
	}
	return nil, fmt.Errorf("broken")
}
