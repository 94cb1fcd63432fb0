package opttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// Goal is a minimum that a method has to come near.
type Goal struct {
	Known  Known
	Method func() optimizers.Method // with the settings for it; nil means the method under test
	Steps  int                      // steps allowed
	Below  float64                  // the function, whose minimum is 0, has to fall to this; in float32 to 1e-6 at best
}

// Run checks the contract of the method that the function makes, anew for each check, in both precisions or in the one
// it has, and that it reaches the goals.
func Run(t *testing.T, method func() optimizers.Method, goals ...Goal) {
	t.Helper()
	name := method().Name()
	if name == "" {
		t.Error("the method has no name")
	}
	has32, has64 := works[float32](t, method), works[float64](t, method)
	if !has32 && !has64 {
		t.Fatalf("%s works in neither precision", name)
	}
	if has32 {
		t.Run("float32", func(t *testing.T) { run[float32](t, method, goals) })
	}
	if has64 {
		t.Run("float64", func(t *testing.T) { run[float64](t, method, goals) })
	}
	if has32 && has64 {
		t.Run("the precisions agree", func(t *testing.T) { checkPrecisions(t, method) })
	}
	if has64 && known(method) {
		t.Run("the specification gives the same method", func(t *testing.T) { checkSpec(t, method) })
		t.Run("bad settings are refused", func(t *testing.T) { checkSettings(t, method) })
	}
}

// known says whether it is a method of package optimizers, which can be parsed and whose settings are described.
func known(method func() optimizers.Method) bool {
	return len(optimizers.Describe(method()).Settings) > 0
}

// works says whether the method has the precision.
func works[T optimizers.Float](t *testing.T, method func() optimizers.Method) bool {
	t.Helper()
	_, err := optimizers.New[T](method(), NewExamples[T]().Layout())
	if err != nil && !errors.Is(err, optimizers.ErrPrecision) {
		t.Fatal(err)
	}
	return err == nil
}

// run has all checks in one precision.
func run[T optimizers.Float](t *testing.T, method func() optimizers.Method, goals []Goal) {
	s := &suite[T]{method}
	for _, check := range []struct {
		claim string
		run   func(*testing.T)
	}{
		{"an empty layout is no trouble", s.checkEmpty},
		{"wrong arguments are refused", s.checkArguments},
		{"what the problem lacks is said early", s.checkLacks},
		{"resumed equals uninterrupted", s.checkResume},
		{"a state is a copy", s.checkStateCopied},
		{"a state that does not fit is refused", s.checkStateRefused},
		{"weights for evaluation are made of x and the state alone", s.checkEvalWeights},
		{"two runs of one method share nothing", s.checkApart},
		{"the reported work is the work done", s.checkWork},
		{"the report tells what happened", s.checkReport},
		{"no allocation after the first step", s.checkAllocations},
		{"a loss or gradient that is not finite changes nothing", s.checkNonFinite},
		{"an error of the problem changes nothing", s.checkErrors},
		{"a cancelled context changes nothing", s.checkCancelled},
		{"a gradient of zero leaves everything finite", s.checkZeroGradient},
		{"a gradient too small to be squared leaves everything finite", s.checkTinyGradient},
	} {
		t.Run(check.claim, check.run)
	}
	for _, g := range goals {
		t.Run("reaches the minimum of "+g.Known.Name, func(t *testing.T) { s.checkGoal(t, g) })
	}
}

// suite is the checks of a method in one precision.
type suite[T optimizers.Float] struct {
	method func() optimizers.Method
}

func (s *suite[T]) known() bool { return known(s.method) }

// course is one run on an Examples.
type course[T optimizers.Float] struct {
	t *testing.T
	o optimizers.Optimizer[T]
	p *Examples[T]
	x []T
	k int
}

// begin starts a run of a method.
func (s *suite[T]) begin(t *testing.T, m optimizers.Method) *course[T] {
	t.Helper()
	p := NewExamples[T]()
	o, err := optimizers.New[T](m, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	return &course[T]{t, o, p, p.Start(), 0}
}

// try takes one step.
func (c *course[T]) try(ctx context.Context) (optimizers.Report, error) {
	c.p.At(c.k)
	return c.o.Step(ctx, c.x, c.p)
}

// steps takes n steps that must succeed.
func (c *course[T]) steps(n int) optimizers.Report {
	c.t.Helper()
	var r optimizers.Report
	for range n {
		var err error
		if r, err = c.try(context.Background()); err != nil {
			c.t.Fatalf("step %d: %v", c.k, err)
		}
		c.k++
	}
	return r
}

// mustFail takes a step that must fail, leave everything as it was, and not prevent a later success.
func (c *course[T]) mustFail(ctx context.Context, what string) error {
	c.t.Helper()
	x, state := slices.Clone(c.x), c.o.State()
	_, err := c.try(ctx)
	if err == nil {
		c.t.Fatalf("%s: the step succeeded", what)
	}
	if !sameBits(x, c.x) {
		c.t.Errorf("%s: the failed step changed the parameters", what)
	}
	if diff := stateDiff(state, c.o.State()); diff != "" {
		c.t.Errorf("%s: the failed step changed the state: %s", what, diff)
	}
	return err
}

// sameBits compares numbers as bits, so that NaN equals itself and 0 does not equal -0.
func sameBits[T optimizers.Float](a, b []T) bool {
	return slices.EqualFunc(a, b, func(a, b T) bool {
		return math.Float64bits(float64(a)) == math.Float64bits(float64(b))
	})
}

// stateDiff says in what two states differ, or "".
func stateDiff[T optimizers.Float](a, b optimizers.State[T]) string {
	if a.Method != b.Method || a.Step != b.Step {
		return fmt.Sprintf("%s after %d steps, %s after %d", a.Method, a.Step, b.Method, b.Step)
	}
	if !maps.EqualFunc(a.Scalars, b.Scalars, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
		return fmt.Sprintf("scalars %v, %v", a.Scalars, b.Scalars)
	}
	if !maps.EqualFunc(a.Vectors, b.Vectors, sameBits[T]) {
		return fmt.Sprintf("vectors %v, %v", a.Vectors, b.Vectors)
	}
	return ""
}

// checkGoal runs the method on a known function.
func (s *suite[T]) checkGoal(t *testing.T, g Goal) {
	method := g.Method
	if method == nil {
		method = s.method
	}
	below := g.Below
	if _, single := any(T(0)).(float32); single {
		below = max(below, 1e-6)
	}
	r, err := optimizers.Minimize(context.Background(), Func[T](g.Known), Begin[T](g.Known), method(), optimizers.Until{Loss: below, Steps: g.Steps})
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != optimizers.LossReached && r.Loss > below {
		t.Errorf("%v after %d steps (%d forward-equivalents), want %v", r.Loss, r.Steps, r.Work, below)
	}
}
