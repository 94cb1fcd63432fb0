package opttest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func (s *suite[T]) checkEmpty(t *testing.T) {
	o, err := optimizers.New[T](s.method(), optimizers.Layout{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := o.Step(context.Background(), nil, nothing[T]{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Restore(o.State()); err != nil {
		t.Error(err)
	}
}

// nothing is a problem without parameters.
type nothing[T optimizers.Float] struct{}

func (p nothing[T]) Batch() optimizers.Sample[T]            { return p }
func (p nothing[T]) Full() optimizers.Sample[T]             { return p }
func (p nothing[T]) Draw(int) (optimizers.Sample[T], error) { return p, nil }
func (p nothing[T]) Has() optimizers.Oracle                 { return ^optimizers.Oracle(0) }
func (p nothing[T]) Len() int                               { return 1 }
func (p nothing[T]) Loss([]T) (float64, error)              { return 1, nil }
func (p nothing[T]) Grad(dst, x []T) (float64, error)       { return 1, nil }
func (p nothing[T]) Linearize([]T) error                    { return nil }
func (p nothing[T]) HessianMul(dst, v []T) error            { return nil }
func (p nothing[T]) GaussNewtonMul(dst, v []T) error        { return nil }
func (p nothing[T]) SquaredGrads(dst, x []T) error          { return nil }
func (p nothing[T]) SampledGrad(dst, x []T, _ int) error    { return nil }
func (p nothing[T]) StructuralMul(dst, v []T) error         { return nil }

func (p nothing[T]) ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error {
	return f(0, 1, nil)
}

func (s *suite[T]) checkApart(t *testing.T) {
	m := s.method()
	alone := s.begin(t, m)
	p := NewExamples[T]()
	if _, err := optimizers.New[T](m, p.Layout()); errors.Is(err, optimizers.ErrAtWork) {
		return // it refuses a second run, so there is nothing to share
	}
	alone.steps(4)
	one, two := s.begin(t, m), s.begin(t, m)
	two.x[0]++
	two.k = 9
	for range 4 {
		one.steps(1)
		two.steps(1)
	}
	if !sameBits(alone.x, one.x) {
		t.Errorf("beside another run %v, alone %v", one.x, alone.x)
	}
}

func (s *suite[T]) checkWork(t *testing.T) {
	c := s.begin(t, s.method())
	for range 4 {
		before := c.p.Work
		if r := c.steps(1); r.Work != c.p.Work-before {
			t.Errorf("step %d reports %d forward-equivalents; the problem has seen %d", c.k-1, r.Work, c.p.Work-before)
		}
	}
}

// checkReport recomputes what a step tells.
func (s *suite[T]) checkReport(t *testing.T) {
	c, alike := s.begin(t, s.method()), NewExamples[T]()
	size := len(c.x)
	before, g := make([]T, size), make([]T, size)
	near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-5*math.Abs(want) }
	for range 6 {
		copy(before, c.x)
		alike.At(c.k)
		loss, err := alike.Batch().Grad(g, before)
		if err != nil {
			t.Fatal(err)
		}
		r := c.steps(1)
		if r.Batch < 0 || r.Batch > examples || r.Noise < 0 {
			t.Errorf("step %d reports what cannot be: %+v", c.k-1, r)
		}
		if r.Batch == examples { // it has grown to the whole set
			if loss, err = alike.Full().Grad(g, before); err != nil {
				t.Fatal(err)
			}
		}
		grown := r.Batch > batchSize && r.Batch < examples // to what only it knows
		if r.Loss != loss && (r.Loss != 0 || s.known()) && !grown {
			t.Errorf("step %d reports a loss of %v; it was %v", c.k-1, r.Loss, loss)
		}
		if want := length(g, nil); !near(r.GradNorm, want) && (r.GradNorm != 0 || s.known()) && !grown {
			t.Errorf("step %d reports a gradient of norm %v; it was %v", c.k-1, r.GradNorm, want)
		}
		moved := length(c.x, before)
		// The difference of two rounded points is not exact.
		if rounding := 4 * epsilon[T]() * length(before, nil); r.StepNorm != 0 && math.Abs(r.StepNorm-moved) > 1e-5*moved+rounding {
			t.Errorf("step %d reports a step of length %v; it was %v", c.k-1, r.StepNorm, moved)
		}
		if r.Rejected && moved != 0 {
			t.Errorf("step %d was rejected, and moved by %v", c.k-1, moved)
		}
		if r.LR < 0 || r.Damping < 0 || r.Radius < 0 || r.Cubic < 0 || r.Trials < 0 || r.CGIterations < 0 || math.IsNaN(r.MinCurvature) || math.IsInf(r.MinCurvature, 0) {
			t.Errorf("step %d reports what cannot be: %+v", c.k-1, r)
		}
		// Where both decreases are as small as rounding, their ratio says nothing and counts as 1.
		if r.ModelDecrease > 1e-3*loss && !near(r.Rho, r.Decrease/r.ModelDecrease) {
			t.Errorf("step %d reports rho %v, decrease %v, model decrease %v", c.k-1, r.Rho, r.Decrease, r.ModelDecrease)
		}
		if s.known() && r.CGIterations > 0 && (r.CGStop == "" || r.Damping == 0 && r.Radius == 0 && r.LR == 0 && !r.Rejected || r.ModelDecrease == 0) {
			t.Errorf("step %d does not tell of its conjugate gradients or Lanczos: %+v", c.k-1, r)
		}
	}
}

// length is |a - b|, or |a| where b is nil.
func length[T optimizers.Float](a, b []T) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum)
}

func (s *suite[T]) checkAllocations(t *testing.T) {
	c := s.begin(t, s.method())
	// What happens outside a step must not count: an Examples that has drawn once has all its memory.
	if _, err := c.p.Draw(examples - 1); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var err error
	step := func() {
		if _, e := c.try(ctx); e != nil {
			err = e
		}
		c.k++
	}
	step()
	// AllocsPerRun gives a mean without its fraction, so that many steps have to be one run; the run before it, which
	// it does not count, has to be none. It also counts what other goroutines allocate meanwhile, those of the runtime
	// among them, but steps that allocate do so every time.
	n := 1.0
	for try := 0; try < 5 && n != 0; try++ {
		warm := false
		n = testing.AllocsPerRun(1, func() {
			for range 8 {
				if warm {
					step()
				}
			}
			warm = true
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("8 steps after the first allocate %v times, whenever they are taken", n)
	}
}

func (s *suite[T]) checkNonFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for after := range 2 {
			c := s.begin(t, s.method())
			c.steps(after)
			c.p.Poison = func(g []T, loss float64) float64 { g[7], g[10] = T(bad), T(bad); return loss }
			err := c.mustFail(context.Background(), "a gradient that is not finite")
			var e *optimizers.NonFiniteError
			if !errors.As(err, &e) || e.What != "gradient" || e.Tensor != "norm.scale" || e.Index != 1 {
				t.Errorf("a gradient of %v at index 1 of norm.scale gives %v", bad, err)
			}
			c.p.Poison = func([]T, float64) float64 { return bad }
			err = c.mustFail(context.Background(), "a loss that is not finite")
			if !errors.As(err, &e) || e.What != "loss" {
				t.Errorf("a loss of %v gives %v", bad, err)
			}
			c.p.Poison = nil
			c.steps(1)
		}
	}
}

func (s *suite[T]) checkErrors(t *testing.T) {
	for _, method := range []string{"Grad", "Loss", "Linearize", "HessianMul", "GaussNewtonMul", "SquaredGrads", "SampledGrad", "StructuralMul", "Factors", "ExampleGrads", "Draw"} {
		for after := range 2 {
			c := s.begin(t, s.method())
			c.steps(after)
			x, state := slices.Clone(c.x), c.o.State()
			c.p.Fail = method
			_, err := c.try(context.Background())
			if err == nil && method != "Grad" {
				continue // it does not ask for this
			}
			if !errors.Is(err, ErrExamples) {
				t.Errorf("a failing %s gives %v", method, err)
			}
			if !sameBits(x, c.x) {
				t.Errorf("a failing %s changed the parameters", method)
			}
			if diff := stateDiff(state, c.o.State()); diff != "" {
				t.Errorf("a failing %s changed the state: %s", method, diff)
			}
			c.p.Fail = ""
			c.steps(1)
		}
	}
}

func (s *suite[T]) checkCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for after := range 2 {
		c := s.begin(t, s.method())
		c.steps(after)
		if err := c.mustFail(ctx, "a cancelled context"); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context gives %v", err)
		}
		c.steps(1)
	}
}

func (s *suite[T]) checkArguments(t *testing.T) {
	c := s.begin(t, s.method())
	if _, err := c.o.Step(context.Background(), c.x[1:], c.p); err == nil {
		t.Error("a step on a parameter too few succeeded")
	}
	if _, err := c.o.Step(context.Background(), c.x, nil); err == nil {
		t.Error("a step without a problem succeeded")
	}
	if _, err := optimizers.New[T](s.method(), optimizers.Flat(-1)); err == nil {
		t.Error("a layout with a negative dimension was accepted")
	}
}

func (s *suite[T]) checkLacks(t *testing.T) {
	c := s.begin(t, s.method())
	if err := optimizers.Check(c.o, optimizers.Problem[T](c.p)); err != nil {
		t.Fatal(err)
	}
	c.p.Lacks = c.o.Needs()
	if c.p.Lacks == 0 {
		return
	}
	if err := optimizers.Check(c.o, optimizers.Problem[T](c.p)); err == nil {
		t.Error("Check sees nothing missing")
	}
	_ = c.mustFail(context.Background(), "a problem that lacks what the method needs")
}

// checkTinyGradient has gradients whose squares are 0 after rounding.
func (s *suite[T]) checkTinyGradient(t *testing.T) {
	tiny := 1e-170
	if _, single := any(T(0)).(float32); single {
		tiny = 1e-25
	}
	for after := range 3 {
		c := s.begin(t, s.method())
		c.steps(after)
		c.p.Poison = func(g []T, loss float64) float64 {
			for i := range g {
				g[i] *= T(tiny)
			}
			return loss
		}
		c.steps(3)
		finite := func(what string, x []T) {
			for i, v := range x {
				if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("after %d ordinary steps: element %d of %s is %v", after, i, what, v)
				}
			}
		}
		finite("the parameters", c.x)
		for name, v := range c.o.State().Vectors {
			finite(name, v)
		}
	}
}

func (s *suite[T]) checkZeroGradient(t *testing.T) {
	c := s.begin(t, s.method())
	c.steps(2) // one tensor's gradient is 0 throughout
	c.p.Poison = func(g []T, loss float64) float64 { clear(g); return loss }
	c.steps(3)
	for i, v := range c.x {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("parameter %d is %v", i, v)
		}
	}
	start := s.begin(t, s.method())
	start.p.Poison = c.p.Poison
	start.steps(2)
	for i, v := range start.x {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("from the start: parameter %d is %v", i, v)
		}
	}
}

// checkPrecisions compares a step in float32 with the same in float64, by how far it goes. It is a single one: where a
// method chooses between points that are as good, rounding may decide, and later steps rightly go apart.
func checkPrecisions(t *testing.T, method func() optimizers.Method) {
	single := (&suite[float32]{method}).begin(t, method())
	double := (&suite[float64]{method}).begin(t, method())
	start := double.p.Start()
	single.steps(1)
	double.steps(1)
	moved := 0.0
	for i, v := range double.x {
		moved = max(moved, math.Abs(v-start[i]))
	}
	for i, v := range double.x {
		rounding := 4 * epsilon[float32]() * math.Abs(v)
		if d := math.Abs(v - float64(single.x[i])); !(d <= 1e-3*moved+rounding) {
			t.Errorf("parameter %d is %v in float64 and %v in float32, after moves of %v", i, v, single.x[i], moved)
		}
	}
}

// epsilon is the relative rounding error of T.
func epsilon[T optimizers.Float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return 0x1p-23
	}
	return 0x1p-52
}
