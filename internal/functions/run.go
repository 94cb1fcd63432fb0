package functions

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"github.com/saddle-ml/saddle/optimizers"
)

// counted is a function that counts what is asked of it.
type counted struct {
	of                      *Function
	at                      []float64
	losses, grads, hessians int
}

func (c *counted) Loss(x []float64) (float64, error) {
	c.losses++
	return c.of.f(x), nil
}

func (c *counted) Grad(dst, x []float64) (float64, error) {
	c.grads++
	c.of.Gradient(dst, x)
	return c.of.f(x), nil
}

func (c *counted) Linearize(x []float64) error {
	c.at = append(c.at[:0], x...)
	return nil
}

func (c *counted) HessianMul(dst, v []float64) error {
	c.hessians++
	c.of.HessianMul(dst, c.at, v)
	return nil
}

func (c *counted) GaussNewtonMul(dst, v []float64) error {
	return errors.New("functions: a plain function has no Gauss-Newton matrix")
}

func (c *counted) Has() optimizers.Oracle { return optimizers.NeedGrad | optimizers.NeedHessian }

// End says what kind of point a run has arrived at.
type End string

// The ends.
const (
	Minimum  End = "minimum"   // a listed one, by its value
	Resting  End = "resting"   // no gradient and no negative curvature, but the value is not listed
	SaddleAt End = "saddle"    // no gradient, but negative curvature
	Away     End = "not there" // there is a gradient
)

// Outcome is where a run has arrived and what it took. A gradient comes with the value of the function, which is not
// counted again; a product with the Hessian counts once, whatever it is made of. gonum asks for values and gradients
// apart; the Products of its Newton method are whole Hessians.
type Outcome struct {
	Function  string
	Dim       int
	Start     int
	Method    string
	End       End
	Value     float64
	Excess    float64 // of the value over the nearest listed minimum; NaN where none is
	GradNorm  float64
	Curvature float64 // lowest eigenvalue of the Hessian
	Losses    int
	Gradients int
	Products  int
	Steps     int
	Why       string // what ended it
}

// errStuck ends a run whose steps are refused one after another, as a function's rounding may have it.
var errStuck = errors.New("no lower point is found")

const mostRefused = 5

// Limits of what counts as having arrived.
const (
	valueLimit = 1e-8 // of the value over a listed minimum, relative to the value where that is above 1
	gradLimit  = 1e-6 // of the gradient's norm
	curveLimit = 1e-6 // of the lowest curvature, relative to the largest where that is above 1
)

// Run minimises f from its start with a method until the gradient's norm is at most tol, for at most so many steps. If
// that is at a saddle it goes on until no curvature is negative, whose looking for counts as well.
func Run(ctx context.Context, f *Function, start int, m optimizers.Method, tol float64, steps int) (Outcome, error) {
	c := &counted{of: f}
	x0 := f.Starts[start]
	refused := 0
	watch := func(r optimizers.Report) error {
		if refused++; !r.Rejected {
			refused = 0
		}
		if refused == mostRefused {
			return errStuck
		}
		return nil
	}
	until := optimizers.Until{GradNorm: tol, Steps: steps, Watch: watch}
	r, err := optimizers.Minimize(ctx, c, x0, m, until)
	if err == nil && r.GradNorm <= tol && lowest(f, r.X) < -curveLimit {
		until.Curvature = curveLimit
		done := r.Steps
		r, err = optimizers.Minimize(ctx, c, r.X, m, until)
		r.Steps += done
	}
	var bad *optimizers.NonFiniteError
	if err != nil && !errors.As(err, &bad) && !errors.Is(err, errStuck) {
		return Outcome{}, err
	}
	why := string(r.Status)
	if err != nil {
		why = err.Error()
	}
	o := Outcome{Function: f.Name, Dim: len(x0), Start: start, Method: m.Name(), Losses: c.losses, Gradients: c.grads,
		Products: c.hessians, Steps: r.Steps, Why: why}
	o.judge(f, r.X)
	return o, nil
}

// RunGonum does the same with a method of gonum's optimize.
func RunGonum(f *Function, start int, m optimize.Method, tol float64, steps int) (o Outcome) {
	x0 := f.Starts[start]
	name := fmt.Sprintf("%T", m)[len("*optimize."):]
	o = Outcome{Function: f.Name, Dim: len(x0), Start: start, Method: "gonum " + name}
	problem := optimize.Problem{Func: f.f, Grad: f.Gradient, Hess: func(h *mat.SymDense, x []float64) { h.CopySym(f.Hessian(x)) }}
	settings := &optimize.Settings{GradientThreshold: tol, MajorIterations: steps, Converger: optimize.NeverTerminate{}}
	r, err := optimize.Minimize(problem, x0, settings, m)
	x := x0
	if r != nil {
		o.Losses, o.Gradients, o.Products, o.Steps = r.FuncEvaluations, r.GradEvaluations, r.HessEvaluations, r.MajorIterations
		o.Why, x = r.Status.String(), r.X
	}
	if err != nil {
		o.Why = err.Error()
	}
	o.judge(f, x)
	return o
}

// lowest is the lowest eigenvalue of the Hessian.
func lowest(f *Function, x []float64) float64 {
	var eigen mat.EigenSym
	if !eigen.Factorize(f.Hessian(x), false) {
		return math.NaN()
	}
	return eigen.Values(nil)[0]
}

// judge says what x is.
func (o *Outcome) judge(f *Function, x []float64) {
	g := make([]float64, len(x))
	f.Gradient(g, x)
	o.Value, o.GradNorm, o.Excess, o.Curvature = f.f(x), 0, math.NaN(), math.NaN()
	for _, v := range g {
		o.GradNorm = math.Hypot(o.GradNorm, v)
	}
	for _, v := range f.Listed(len(x)) {
		if e := o.Value - v; !(math.Abs(e) >= math.Abs(o.Excess)) {
			o.Excess = e
		}
	}
	scale := 1.0
	if h := f.Hessian(x); finite(mat.Norm(h, 1)) {
		var eigen mat.EigenSym
		if eigen.Factorize(h, false) {
			values := eigen.Values(nil)
			o.Curvature = values[0]
			scale = max(1, math.Abs(values[0]), math.Abs(values[len(values)-1]))
		}
	}
	o.End = Away
	switch {
	case math.Abs(o.Excess) <= valueLimit*max(1, math.Abs(o.Value)):
		o.End = Minimum
	case o.GradNorm <= gradLimit && o.Curvature >= -curveLimit*scale:
		o.End = Resting
	case o.GradNorm <= gradLimit:
		o.End = SaddleAt
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
