package optimizers_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// counting is an optimizer of one's own that remembers how often it was asked.
type counting struct {
	rate  float64
	steps int
	size  int
	fails bool
}

func (c *counting) Name() string             { return "counter" }
func (c *counting) Rate() float64            { return c.rate }
func (c *counting) SetRate(lr float64)       { c.rate = lr }
func (c *counting) Needs() optimizers.Oracle { return optimizers.NeedHessian }

func (c *counting) Start(l optimizers.Layout) error {
	c.size = l.Size()
	if c.fails {
		return errors.New("not today")
	}
	return nil
}

func (c *counting) Step(context.Context, []float64, optimizers.Problem[float64]) (optimizers.Report, error) {
	c.steps++
	return optimizers.Report{LR: c.rate}, nil
}

func (c *counting) State() optimizers.State[float64] {
	return optimizers.State[float64]{Method: c.Name(), Step: c.steps}
}

func (c *counting) Restore(s optimizers.State[float64]) error {
	c.steps = s.Step
	return nil
}

func TestOwnMayHaveMoreThanStep(t *testing.T) {
	c := &counting{rate: 3}
	m := optimizers.Of(c)
	if m.Name() != "counter" {
		t.Error(m.Name())
	}
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](&optimizers.Scheduled{Of: &optimizers.Clip{Of: m}, Schedule: &optimizers.Constant{Factor: 0.5}}, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if c.size != p.Layout().Size() || o.Needs() != optimizers.NeedHessian {
		t.Errorf("started with %d parameters, needs %v", c.size, o.Needs())
	}
	if r := step(t, o, p.Start(), optimizers.Problem[float64](p)); r.LR != 1.5 {
		t.Errorf("rate %v", r.LR)
	}
	if s := o.State(); s.Method != "counter" || s.Step != 1 {
		t.Errorf("state %+v", s)
	}
	p.Lacks = optimizers.NeedHessian
	if err := optimizers.Check(o, optimizers.Problem[float64](p)); err == nil {
		t.Error("what it needs is not checked")
	}
}

func TestOwnErrors(t *testing.T) {
	one := optimizers.Of(&counting{})
	if _, err := optimizers.New[float64](one, optimizers.Flat(1)); err != nil {
		t.Fatal(err)
	}
	noop := optimizers.StepFunc[float64](func(context.Context, []float64, optimizers.Problem[float64]) (optimizers.Report, error) {
		return optimizers.Report{}, nil
	})
	make64 := func(s optimizers.Stepper[float64], err error) func(optimizers.Layout) (optimizers.Stepper[float64], error) {
		return func(optimizers.Layout) (optimizers.Stepper[float64], error) { return s, err }
	}
	broken := errors.New("broken")
	for claim, c := range map[string]struct {
		m    optimizers.Method
		want error
		text string
	}{
		"with a memory it starts once": {one, optimizers.ErrAtWork, "counter is already at work"},
		"a start may fail":             {optimizers.Of(&counting{fails: true}), nil, "not today"},
		"nothing is no optimizer":      {optimizers.Of[float64]((*counting)(nil)), nil, "no optimizer given"},
		"a nil function neither":       {optimizers.Of[float64](optimizers.StepFunc[float64](nil)), nil, "no optimizer given"},
		"it needs a name":              {optimizers.Own("", nil, make64(noop, nil)), nil, "needs a name"},
		"it has one precision":         {optimizers.Own("x", nil, nil), optimizers.ErrPrecision, "x does not work on float64"},
		"its function may fail":        {optimizers.Own("x", nil, make64(nil, broken)), broken, "broken"},
		"its function gives one":       {optimizers.Own("x", nil, make64(nil, nil)), nil, "x: its function gave no optimizer"},
		"there is a method":            {nil, nil, "no method given"},
	} {
		_, err := optimizers.New[float64](c.m, optimizers.Flat(1))
		if err == nil || !strings.Contains(err.Error(), c.text) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", claim, err)
		}
	}
	if _, err := optimizers.New[float32](optimizers.Of(noop), optimizers.Flat(1)); !errors.Is(err, optimizers.ErrPrecision) {
		t.Errorf("a float64 optimizer on float32 parameters: %v", err)
	}
}

// TestOwnWithoutAMemory may be started often, and its state is the number of steps.
func TestOwnWithoutAMemory(t *testing.T) {
	f := optimizers.StepFunc[float64](func(_ context.Context, x []float64, _ optimizers.Problem[float64]) (optimizers.Report, error) {
		x[0]++
		return optimizers.Report{}, nil
	})
	m := optimizers.Of(f)
	for range 2 {
		o, err := optimizers.New[float64](m, optimizers.Flat(1))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 1)
		for range 3 {
			step(t, o, x, optimizers.Problem[float64](newBowl(1)))
		}
		s := o.State()
		if x[0] != 3 || s.Step != 3 || s.Method != m.Name() {
			t.Errorf("at %v, state %+v", x, s)
		}
		if err := o.Restore(optimizers.State[float64]{Method: s.Method, Step: 1}); err != nil || o.State().Step != 1 {
			t.Errorf("restored to %+v: %v", o.State(), err)
		}
		s.Vectors = map[string][]float64{"v": nil}
		if err := o.Restore(s); err == nil {
			t.Error("a state with a vector was accepted")
		}
	}
}

// bare is what Minimize may be given: an Objective and nothing else.
type bare struct{ value float64 }

func (b bare) Loss(x []float64) (float64, error) { return b.value, nil }
func (b bare) Grad(dst, x []float64) (float64, error) {
	copy(dst, x)
	return b.value, nil
}

func TestMinimizeEnds(t *testing.T) {
	f, x0 := opttest.Func[float64](opttest.Saddle), []float64{1, 0.5}
	stop := errors.New("enough")
	for claim, c := range map[string]struct {
		until optimizers.Until
		want  optimizers.Status
		holds func(optimizers.Result[float64]) bool
	}{
		"by its gradient": {optimizers.Until{GradNorm: 1e-3}, optimizers.GradNormReached, func(r optimizers.Result[float64]) bool { return r.GradNorm <= 1e-3 && r.Steps > 5 }},
		"by its loss":     {optimizers.Until{Loss: 1e-3}, optimizers.LossReached, func(r optimizers.Result[float64]) bool { return r.Loss <= 1e-3 && r.Steps > 5 }},
		"by its steps":    {optimizers.Until{Steps: 3}, optimizers.StepsDone, func(r optimizers.Result[float64]) bool { return r.Steps == 3 && r.Work == 8 }},
		"by its work":     {optimizers.Until{Work: 9}, optimizers.WorkDone, func(r optimizers.Result[float64]) bool { return r.Work == 10 && r.Steps == 4 }},
		"by its watcher": {optimizers.Until{Watch: func(optimizers.Report) error { return stop }}, optimizers.Failed,
			func(r optimizers.Result[float64]) bool { return r.Steps == 1 }},
	} {
		r, err := optimizers.Minimize(context.Background(), f, x0, &optimizers.SGD{}, c.until)
		if r.Status != c.want || !c.holds(r) || (err != nil) != (c.want == optimizers.Failed) {
			t.Errorf("%s: %+v %v", claim, r, err)
		}
	}
	if x0[0] != 1 || x0[1] != 0.5 {
		t.Errorf("the start was changed to %v", x0)
	}
	// At a point without a slope, and with no parameters at all, there is nothing to do.
	for _, x0 := range [][]float64{{0, 1}, {}, nil} {
		r, err := optimizers.Minimize[float64](context.Background(), bare{}, make([]float64, len(x0)), &optimizers.HF{}, optimizers.Until{})
		if err == nil {
			t.Errorf("HF ran without curvature: %+v", r)
		}
		r, err = optimizers.Minimize[float64](context.Background(), bare{}, make([]float64, len(x0)), &optimizers.Adam{}, optimizers.Until{})
		if err != nil || r.Status != optimizers.GradNormReached || r.Steps != 0 {
			t.Errorf("from %v: %+v %v", x0, r, err)
		}
	}
}

func TestMinimizeErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	bg, f, x0 := context.Background(), optimizers.Objective[float64](opttest.Func[float64](opttest.Beale)), []float64{1, 1}
	for text, c := range map[string]struct {
		ctx   context.Context
		f     optimizers.Objective[float64]
		m     optimizers.Method
		until optimizers.Until
	}{
		"no function given":    {bg, nil, &optimizers.SGD{}, optimizers.Until{}},
		"no method given":      {bg, f, nil, optimizers.Until{}},
		"-1 steps":             {bg, f, &optimizers.SGD{}, optimizers.Until{Steps: -1}},
		"gradient norm NaN":    {bg, f, &optimizers.SGD{}, optimizers.Until{GradNorm: math.NaN()}},
		"stopped after 0":      {cancelled, f, &optimizers.SGD{}, optimizers.Until{}},
		"loss is NaN":          {bg, bare{math.NaN()}, &optimizers.SGD{}, optimizers.Until{}},
		"hf needs Gauss":       {bg, bare{1}, &optimizers.HF{}, optimizers.Until{}},
		"squared per-example":  {bg, f, &optimizers.HF{Precondition: "squares"}, optimizers.Until{}},
		"needs gradients":      {bg, &optimizers.Func[float64]{F: func([]float64) float64 { return 0 }}, &optimizers.SGD{}, optimizers.Until{}},
		"gradient of x is NaN": {bg, &optimizers.Func[float64]{G: func(dst, _ []float64) float64 { dst[0] = math.NaN(); return 0 }}, &optimizers.SGD{}, optimizers.Until{}},
	} {
		r, err := optimizers.Minimize(c.ctx, c.f, x0, c.m, c.until)
		if err == nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
		if r.Status != optimizers.Failed || fmt.Sprint(r.X) != "[1 1]" {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

// TestMinimizeStopsWhenTheContextDoes, between steps and inside one, with what it has.
func TestMinimizeStopsWhenTheContextDoes(t *testing.T) {
	f := opttest.Func[float64](opttest.Rosenbrock)
	for _, m := range []optimizers.Method{&optimizers.SGD{LR: 1e-3}, &optimizers.HF{}} {
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		r, err := optimizers.Minimize(ctx, f, []float64{-1.2, 1}, m, optimizers.Until{Watch: func(optimizers.Report) error {
			if steps++; steps == 3 {
				cancel()
			}
			return nil
		}})
		if !errors.Is(err, context.Canceled) || r.Steps != 3 || r.Status != optimizers.Failed || r.X[0] == -1.2 || !strings.Contains(err.Error(), "after 3 steps") {
			t.Errorf("%s: %+v %v", m.Name(), r, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	products := 0
	inside := *f
	inside.GN = func(dst, x, v []float64) {
		if products++; products == 4 { // the second step's first
			cancel()
		}
		f.GN(dst, x, v)
	}
	r, err := optimizers.Minimize(ctx, &inside, []float64{-1.2, 1}, &optimizers.HF{}, optimizers.Until{})
	if !errors.Is(err, context.Canceled) || r.Steps != 1 || products != 4 || !strings.Contains(err.Error(), "no step taken") {
		t.Errorf("inside a step: %+v after %d products: %v", r, products, err)
	}
}

// TestFuncWithoutF has its values from the gradient.
func TestFuncWithoutF(t *testing.T) {
	f := &optimizers.Func[float64]{G: func(dst, x []float64) float64 { dst[0] = 2 * x[0]; return x[0] * x[0] }}
	if v, err := f.Loss([]float64{3}); v != 9 || err != nil {
		t.Errorf("%v %v", v, err)
	}
	f.G = nil
	for what, err := range map[string]error{
		"F nor G": func() error { _, err := f.Loss([]float64{3}); return err }(),
		"G is":    func() error { _, err := f.Grad(nil, nil); return err }(),
		"H is":    f.HessianMul(nil, nil),
		"GN is":   f.GaussNewtonMul(nil, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
