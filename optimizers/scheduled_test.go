package optimizers_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// halving is a schedule that halves the rate whenever the metric has not fallen.
type halving struct{}

func (halving) Name() string { return "halving" }

func (halving) Start(_ int, base float64) (optimizers.Course, error) {
	return &halvingCourse{base, []float64{1, math.Inf(1)}}, nil
}

type halvingCourse struct {
	base   float64
	memory []float64 // the factor, and the last metric
}

func (c *halvingCourse) At(int) optimizers.Rates { return optimizers.Rates{LR: c.base * c.memory[0]} }
func (c *halvingCourse) Memory() []float64       { return c.memory }
func (c *halvingCourse) Feed(metric float64) {
	if metric >= c.memory[1] {
		c.memory[0] /= 2
	}
	c.memory[1] = metric
}

func TestScheduledFollowsAMetricAndResumes(t *testing.T) {
	m := &optimizers.Clip{Of: &optimizers.Scheduled{Of: &optimizers.SGD{LR: 0.5}, Schedule: halving{}}}
	metrics := []float64{3, 4, 2, 2, 1, 0.5, 0.7, 0.6}
	want := []float64{0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625}
	p := opttest.NewExamples[float32]()
	start := func() optimizers.Optimizer[float32] {
		o, err := optimizers.New[float32](m, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	run := func(o optimizers.Optimizer[float32], x []float32, from, to int) {
		t.Helper()
		feeder, ok := optimizers.As[optimizers.Feeder](o)
		if !ok {
			t.Fatal("there is nothing to feed")
		}
		for k := from; k < to; k++ {
			p.At(k)
			if r := step(t, o, x, optimizers.Problem[float32](p)); r.LR != want[k] {
				t.Errorf("step %d has the rate %v, want %v", k, r.LR, want[k])
			}
			feeder.Feed(metrics[k])
		}
	}
	whole, x := start(), p.Start()
	run(whole, x, 0, 4)
	state, y := whole.State(), slices.Clone(x)
	run(whole, x, 4, 8)
	resumed := start()
	run(resumed, p.Start(), 0, 2)
	if err := resumed.Restore(state); err != nil {
		t.Fatal(err)
	}
	run(resumed, y, 4, 8)
	if !slices.Equal(x, y) {
		t.Errorf("resumed at %v, uninterrupted %v", y, x)
	}
	for _, name := range []string{"schedule_step", "schedule_memory_0", "schedule_memory_1"} {
		bad := whole.State()
		delete(bad.Scalars, name)
		if err := resumed.Restore(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a state without %s: %v", name, err)
		}
	}
	for _, v := range []float64{-1, 0.5, math.NaN(), math.Inf(1)} {
		bad := whole.State()
		bad.Scalars["schedule_step"] = v
		if err := resumed.Restore(bad); err == nil {
			t.Errorf("schedule_step %v was accepted", v)
		}
	}
	alone, err := optimizers.New[float32](&optimizers.SGD{LR: 0.5}, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := resumed.Restore(alone.State()); err == nil {
		t.Error("the state of a run without a schedule was accepted")
	}
	if err := alone.Restore(whole.State()); err == nil {
		t.Error("the state of a run under a schedule was accepted without one")
	}
}

// TestAFailedStepIsNotCounted takes a failed step between two others, whose rates must be as if it had not been.
func TestAFailedStepIsNotCounted(t *testing.T) {
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](parsed("sgd:lr=1,momentum=0.5+onecycle:total_steps=9")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	course, err := (&optimizers.OneCycle{TotalSteps: 9}).Start(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	x := p.Start()
	for k := range 9 {
		rated, _ := optimizers.As[optimizers.Rated](o)
		cycled, _ := optimizers.As[optimizers.WithMomentum](o)
		rate, momentum := rated.Rate(), cycled.Momentum()
		p.Fail = "Grad"
		if _, err := o.Step(context.Background(), x, p); err == nil {
			t.Fatal("the step succeeded")
		}
		if rated.Rate() != rate || cycled.Momentum() != momentum {
			t.Errorf("a failed step changed rate %v to %v, momentum %v to %v", rate, rated.Rate(), momentum, cycled.Momentum())
		}
		p.Fail = ""
		want := course.At(k)
		if r := step(t, o, x, optimizers.Problem[float64](p)); r.LR != want.LR || cycled.Momentum() != want.Momentum {
			t.Errorf("step %d has rate %v and momentum %v, want %+v", k, r.LR, cycled.Momentum(), want)
		}
	}
}

func TestScheduledLeavesAMethodWithoutMomentumWithoutIt(t *testing.T) {
	p := opttest.NewExamples[float64]()
	one, err := optimizers.New[float64](parsed("sgd:lr=1+onecycle:total_steps=9")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	two, err := optimizers.New[float64](parsed("sgd:lr=1+onecycle:total_steps=9,cycle_momentum=false")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x, y := p.Start(), p.Start()
	for range 5 {
		step(t, one, x, optimizers.Problem[float64](p))
		step(t, two, y, optimizers.Problem[float64](p))
	}
	if !slices.Equal(x, y) {
		t.Errorf("with cycled momentum %v, without %v", x, y)
	}
}

func TestScheduleFunc(t *testing.T) {
	decay := optimizers.ScheduleFunc(func(step, n int, base float64) float64 { return base * (1 - float64(step)/float64(n)) })
	m := &optimizers.Scheduled{Of: &optimizers.Adam{LR: 1}, Schedule: decay}
	if m.Name() != "adam+func" {
		t.Error(m.Name())
	}
	var rates []float64
	watch := func(r optimizers.Report) error { rates = append(rates, r.LR); return nil }
	told := optimizers.ForSteps(&optimizers.Clip{Of: m}, 4)
	if _, err := optimizers.Minimize(context.Background(), opttest.Func[float64](opttest.Beale), []float64{1, 1}, told, optimizers.Until{Steps: 4, Watch: watch}); err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0.75, 0.5, 0.25}; !slices.Equal(rates, want) {
		t.Errorf("rates %v, want %v", rates, want)
	}
	if m.Steps != 0 {
		t.Error("ForSteps changed the method it was given")
	}
	m.Steps = 7
	if again := optimizers.ForSteps(m, 4).(*optimizers.Scheduled); again.Steps != 7 {
		t.Errorf("ForSteps changed %d steps to %d", 7, again.Steps)
	}
	for _, bad := range []optimizers.ScheduleFunc{nil, func(int, int, float64) float64 { return math.NaN() }, func(int, int, float64) float64 { return -1 }} {
		_, err := optimizers.Minimize(context.Background(), opttest.Func[float64](opttest.Beale), []float64{1, 1},
			&optimizers.Scheduled{Of: &optimizers.Adam{}, Schedule: bad}, optimizers.Until{Steps: 1})
		if err == nil || !strings.HasPrefix(err.Error(), "optimizers: ") {
			t.Errorf("a schedule that gives no rate: %v", err)
		}
	}
}

// TestOneCycleReachesItsTurns for lengths and shares of every kind.
func TestOneCycleReachesItsTurns(t *testing.T) {
	for _, n := range []int{2, 3, 10, 101} {
		for _, anneal := range []string{"cos", "linear"} {
			s := optimizers.OneCycle{MaxLR: 2, Anneal: anneal, PctStart: 0.5, DivFactor: 10, FinalDivFactor: 100}
			c, err := s.Start(n, 7)
			if err != nil {
				t.Fatal(err)
			}
			peak := 0.0
			for k := range n {
				r := c.At(k)
				peak = max(peak, r.LR)
				if !(r.LR >= 0.002*(1-1e-12) && r.LR <= 2) || !(r.Momentum >= 0.85-1e-12 && r.Momentum <= 0.95) || !r.Cycles {
					t.Errorf("%s, step %d of %d: %+v", anneal, k, n, r)
				}
			}
			if first, last := c.At(0).LR, c.At(n-1).LR; n > 2 && math.Abs(first-0.2) > 1e-12 || math.Abs(last-0.002) > 1e-12 || c.At(n+5) != c.At(n-1) {
				t.Errorf("%s, %d steps: from %v to %v, and then %v", anneal, n, first, last, c.At(n+5).LR)
			}
			if peak < 1 {
				t.Errorf("%s, %d steps: the highest rate is %v of 2", anneal, n, peak)
			}
		}
	}
}
