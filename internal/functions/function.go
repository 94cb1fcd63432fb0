package functions

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
	gonum "gonum.org/v1/gonum/optimize/functions"
)

// Function is a function of some variables with what is known of it.
type Function struct {
	Name   string
	Starts [][]float64
	// Listed has the values of the known minima in the dimension of a start.
	Listed func(dim int) []float64

	f    func(x []float64) float64
	grad func(dst, x []float64)
	own  bool                           // grad is this package's
	hess func(*mat.SymDense, []float64) // nil: by differences of the gradient
}

// GradientBy says where the gradient comes from.
func (f *Function) GradientBy() string {
	if f.own {
		return "saddle"
	}
	return "gonum"
}

// HessianBy says where the products with the Hessian come from.
func (f *Function) HessianBy() string {
	if f.hess == nil {
		return "differences"
	}
	return "gonum"
}

// Gradient writes the gradient at x to dst.
func (f *Function) Gradient(dst, x []float64) { f.grad(dst, x) }

// stencil is the central difference of order 6: the coefficients of g(x+h), g(x+2h) and g(x+3h), those at -h, -2h and
// -3h negative. A step of stencilStep leaves an error of some 1e-11 where g is as smooth as the functions here, beside
// 1e-10 to 1e-6 of the plain difference.
var stencil = [3]float64{3.0 / 4, -3.0 / 20, 1.0 / 60}

const stencilStep = 1e-4

// HessianMul sets dst to the Hessian at x times v.
func (f *Function) HessianMul(dst, x, v []float64) {
	n := len(x)
	if f.hess != nil {
		h := mat.NewSymDense(n, nil)
		f.hess(h, x)
		out := mat.NewVecDense(n, dst)
		out.MulVec(h, mat.NewVecDense(n, append([]float64{}, v...)))
		return
	}
	clear(dst)
	size := 0.0
	for _, e := range v {
		size = math.Hypot(size, e)
	}
	if size == 0 {
		return
	}
	// The step moves no variable by more than a share of itself.
	h := math.Inf(1)
	for i, e := range v {
		if e != 0 {
			h = min(h, stencilStep*max(1, math.Abs(x[i]))/math.Abs(e))
		}
	}
	at, g := make([]float64, n), make([]float64, n)
	for k, c := range stencil {
		for _, sign := range []float64{1, -1} {
			for i := range at {
				at[i] = x[i] + sign*float64(k+1)*h*v[i]
			}
			f.Gradient(g, at)
			for i, e := range g {
				dst[i] += sign * c * e / h
			}
		}
	}
}

// Hessian is the Hessian at x, from its products with the unit vectors.
func (f *Function) Hessian(x []float64) *mat.SymDense {
	n := len(x)
	h := mat.NewSymDense(n, nil)
	if f.hess != nil {
		f.hess(h, x)
		return h
	}
	columns := make([][]float64, n)
	unit := make([]float64, n)
	for i := range n {
		unit[i] = 1
		columns[i] = make([]float64, n)
		f.HessianMul(columns[i], x, unit)
		unit[i] = 0
	}
	for i := range n {
		for j := i; j < n; j++ {
			h.SetSym(i, j, (columns[i][j]+columns[j][i])/2)
		}
	}
	return h
}

// lister is a function whose minima gonum lists.
type lister interface {
	Func(x []float64) float64
	Minima() []gonum.Minimum
}

func known(f lister, starts ...[]float64) Function {
	of := Function{Name: nameOf(f), Starts: starts, f: f.Func}
	of.Listed = func(dim int) []float64 {
		var values []float64
		for _, m := range f.Minima() {
			if len(m.X) == dim {
				values = append(values, m.F)
			}
		}
		return values
	}
	of.derive(f)
	return of
}

// described is a function whose minima stand in gonum's comments, or nowhere.
func described(f interface{ Func([]float64) float64 }, listed func(dim int) []float64, starts ...[]float64) Function {
	of := Function{Name: nameOf(f), Starts: starts, Listed: listed, f: f.Func}
	of.derive(f)
	return of
}

// derive takes the derivatives that gonum has.
func (f *Function) derive(from any) {
	switch g := from.(type) {
	case interface{ Grad(dst, x []float64) }:
		f.grad = g.Grad
	case interface {
		Grad(dst, x []float64) []float64
	}:
		f.grad = func(dst, x []float64) { g.Grad(dst, x) }
	}
	if h, ok := from.(interface {
		Hess(*mat.SymDense, []float64)
	}); ok {
		f.hess = h.Hess
	}
}

// with gives a function a gradient of this package.
func (f Function) with(grad func(dst, x []float64)) Function {
	f.grad, f.own = grad, true
	return f
}

// withoutHessian is for a Hessian of gonum's that is wrong.
func (f Function) withoutHessian() Function {
	f.hess = nil
	return f
}

func nameOf(f any) string {
	name := fmt.Sprintf("%T", f)
	return name[strings.LastIndexByte(name, '.')+1:]
}

func value(v float64) func(int) []float64 { return func(int) []float64 { return []float64{v} } }

func same(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}
