package optimizers_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/optimizers"
)

// scheduleCase is the course of a schedule: what each step used.
type scheduleCase struct {
	Schedule string
	Settings map[string]any
	Base     float64
	LR       []float64
	Momentum []float64 // where it is cycled
	Metric   []float64 // told after each step, where the schedule follows one
}

func TestGoldenSchedules(t *testing.T) {
	for _, path := range slices.Concat(golden.Files(t, "schedules.json"), golden.Files(t, "schedules_composed.json")) {
		t.Run(path, func(t *testing.T) {
			var file struct{ Cases []scheduleCase }
			golden.Read(t, path, &file)
			if len(file.Cases) == 0 {
				t.Error("there is no case")
			}
			for _, c := range file.Cases {
				settings, _ := json.Marshal(c.Settings)
				t.Run(c.Schedule+string(settings), func(t *testing.T) { goldenSchedule(t, c) })
			}
		})
	}
}

// goldenSchedule runs SGD with momentum under the schedule of the case, and compares what every step used. A name that
// begins with warmup_ is the rest of it with a warm-up, which any schedule may have.
func goldenSchedule(t *testing.T, c scheduleCase) {
	settings := maps.Clone(c.Settings)
	settings["inner"] = map[string]any{"method": "sgd", "lr": c.Base, "momentum": 0.5}
	m, err := optimizers.ParseSettings(strings.TrimPrefix(c.Schedule, "warmup_"), settings)
	if err != nil {
		t.Fatal(err)
	}
	again, err := optimizers.Parse(optimizers.Spec(m))
	if err != nil {
		t.Fatalf("%s: %v", optimizers.Spec(m), err)
	}
	for _, m := range []optimizers.Method{m, again} {
		o, err := optimizers.New[float64](optimizers.ForSteps(m, len(c.LR)), optimizers.Flat(1))
		if err != nil {
			t.Fatal(err)
		}
		momentum, _ := optimizers.As[optimizers.WithMomentum](o)
		feeder, _ := optimizers.As[optimizers.Feeder](o)
		x, furthest := []float64{1}, 0.0
		for k, want := range c.LR {
			r, err := o.Step(context.Background(), x, parabola{})
			if err != nil {
				t.Fatal(err)
			}
			d := math.Abs(r.LR - want)
			if furthest = max(furthest, d); !(d <= 1e-12) {
				t.Errorf("step %d: rate %v, golden %v", k, r.LR, want)
			}
			switch now := momentum.Momentum(); {
			case c.Momentum == nil && now != 0.5:
				t.Fatalf("step %d: the momentum is %v; it should stay", k, now)
			case c.Momentum != nil:
				d := math.Abs(now - c.Momentum[k])
				if furthest = max(furthest, d); !(d <= 1e-12) {
					t.Errorf("step %d: momentum %v, golden %v", k, now, c.Momentum[k])
				}
			}
			if c.Metric != nil {
				feeder.Feed(c.Metric[k])
			}
		}
		t.Logf("%d steps, furthest apart %.2g", len(c.LR), furthest)
	}
}

// TestGoldenSchedulesAreExact shows that the comparison would see a change of a setting by one part in a million, and
// that a metric matters.
func TestGoldenSchedulesAreExact(t *testing.T) {
	rate := func(spec string, metrics ...float64) float64 {
		o, err := optimizers.New[float64](parsed("sgd:lr=1+"+spec)(), optimizers.Flat(1))
		if err != nil {
			t.Fatal(err)
		}
		feeder, _ := optimizers.As[optimizers.Feeder](o)
		last, x := 0.0, []float64{1}
		for _, metric := range metrics {
			r, err := o.Step(context.Background(), x, parabola{})
			if err != nil {
				t.Fatal(err)
			}
			feeder.Feed(metric)
			last = r.LR
		}
		return last
	}
	for _, pair := range [][2]float64{
		{rate("exponential:gamma=0.9", 1, 2, 3), rate("exponential:gamma=0.9000009", 1, 2, 3)},
		{rate("cosine:t_max=9", 1, 2, 3), rate("cosine:t_max=9,eta_min=1e-6", 1, 2, 3)},
		{rate("plateau:patience=0", 1, 2, 3), rate("plateau:patience=0", 3, 2, 1)},
		{rate("plateau:patience=0", 1, 2, 3), rate("plateau:patience=1", 1, 2, 3)},
	} {
		if math.Abs(pair[0]-pair[1]) < 1e-9 {
			t.Errorf("%v and %v should differ", pair[0], pair[1])
		}
	}
}
