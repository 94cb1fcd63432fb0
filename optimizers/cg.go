package optimizers

import (
	"context"
	"fmt"
	"math"
)

// Operator sets dst to A v for a matrix A that only its products are known of. dst and v never overlap.
type Operator[T Float] func(dst, v []T) error

// CG minimises the quadratic
//
//	q(s) = g's + s'As/2
//
// by conjugate gradients, for a symmetric A: it solves A s = -g where A is positive definite. Its fields say when it
// stops; each is off at 0. With Radius it is the method of Steihaug (1983) for trust regions, with Progress that of
// Martens (2010) for the Hessian-free method. A direction p with p'Ap ≤ 0 always ends it: at the boundary where there
// is a Radius, otherwise at the iterate before, and Direction tells p.
//
// With Augment the start is only a direction u, such as the solution of a system much like this one. The first iterate is
// the lowest point of the plane of u and the preconditioned gradient, or along that alone where the plane's is against it,
// and all further directions are conjugate to both (augmented conjugate gradients, Erhel & Guyomarc'h 2000). It is the
// gradient here and not the residual after u, because where A is of a sample, its product with u brings the noise of
// that sample, which a preconditioner makes larger.
//
// Memory is allocated by the first Solve of its size and used again. Not safe for concurrent use.
type CG[T Float] struct {
	MaxIter  int     // most iterations; 0 means as many as there are unknowns
	MinIter  int     // iterations before which Tol and Progress do not stop it
	Tol      float64 // stop when the residual |g + A s| is at most Tol·|g|
	Progress float64 // stop at iteration i when q < 0 and (q - q[i-k])/q < Progress·k, with k = max(10, ceil(i/10))
	Radius   float64 // stop at the sphere |s| = Radius
	Augment  bool    // take the start as a direction; not with Radius
	Keep     bool    // keep the iterates ceil(5·1.3^k) for Iterates

	r, z, p, ap []T
	aside       []aside[T] // with Augment: directions that all others are conjugate to
	values      []float64  // q after each iteration
	marks       []int      // the iterations to keep
	store       [][]T
	iterates    []Iterate[T]
}

// Iterate is a point on the way of a Solve.
type Iterate[T Float] struct {
	At    int     // iterations done
	Value float64 // q(S)
	S     []T
}

// aside is a direction along which the minimum is found already.
type aside[T Float] struct {
	v, av     []T
	curvature float64 // v'Av
}

// Why conjugate gradients stopped.
const (
	StopResidual   = "residual"           // the residual is small enough, or as small as rounding allows
	StopProgress   = "progress"           // q no longer falls enough
	StopIterations = "iterations"         // MaxIter
	StopCurvature  = "negative curvature" // a direction with p'Ap ≤ 0
	StopBoundary   = "boundary"           // the next iterate is outside Radius
	StopBreakdown  = "breakdown"          // a product or residual is not finite
	StopIndefinite = "indefinite"         // a direction with r'Mr < 0, M the preconditioner
)

// CGResult tells of a Solve.
type CGResult struct {
	Iterations   int
	Products     int     // by A
	Value        float64 // q(s)
	Residual     float64 // |g + A s|, as the recurrence has it
	MinCurvature float64 // lowest p'Ap/p'p of the directions; +Inf where there was none
	Stop         string  // one of the Stop constants
}

// Solve minimises q from the s it is given, and leaves the result there; a start outside Radius is shortened to it.
// precondition, if not nil, multiplies by the inverse of a positive definite approximation of A; one that turns out not
// to be ends the iterations as StopIndefinite. After an error s is undefined.
func (c *CG[T]) Solve(ctx context.Context, a, precondition Operator[T], g, s []T) (CGResult, error) {
	res := CGResult{MinCurvature: math.Inf(1)}
	if a == nil || len(s) != len(g) || c.Radius < 0 || c.MaxIter < 0 || c.Augment && c.Radius > 0 {
		return res, fmt.Errorf("optimizers: conjugate gradients: want an operator, equal lengths, no negative setting, and no radius where the start is a direction; got %d and %d elements, radius %v, at most %d iterations",
			len(g), len(s), c.Radius, c.MaxIter)
	}
	most := c.prepare(len(g), precondition != nil)
	r, p, ap := c.r, c.p, c.ap
	copy(r, g)
	scale(r, -1)
	gNorm := norm(g)
	size := norm(s)
	if c.Radius > 0 && size > c.Radius {
		scale(s, T(c.Radius/size))
		size = c.Radius
	}
	if size > 0 {
		if err := a(ap, s); err != nil {
			return res, err
		}
		res.Products++
		if c.Augment {
			c.along(g, s)
		}
		axpy(r, -1, ap)
	}
	c.values[0] = quadratic(s, g, r)
	z := r
	if precondition != nil {
		z = c.z
	}
	rz, from := 0.0, 0 // from is where the recurrence of directions begins
	for i := 0; ; i++ {
		res.Iterations, res.Value, res.Residual = i, c.values[i], norm(r)
		if res.Stop = c.stop(i, most, gNorm, &res); res.Stop != "" {
			break
		}
		if err := ctx.Err(); err != nil {
			return res, err
		}
		before := rz
		if i == 0 && len(c.aside) > 0 {
			if err := c.first(precondition, g, s, &res); err != nil {
				return res, err
			}
			from = len(c.aside)
			rz = dot(r, p)
		} else {
			if precondition != nil {
				if err := precondition(z, r); err != nil {
					return res, err
				}
			}
			rz = dot(r, z)
			if i == from {
				copy(p, z)
			} else {
				direction(p, z, T(rz/before))
			}
		}
		if !(rz > 0) || !finite(rz) {
			res.Stop = StopBreakdown
			if rz < 0 && finite(rz) {
				res.Stop = StopIndefinite
			}
			break
		}
		removed := c.turn(p)
		if err := a(ap, p); err != nil {
			return res, err
		}
		res.Products++
		pAp, pp := dot(p, ap), dot(p, p)
		if !finite(pAp) || pp == 0 {
			res.Stop = StopBreakdown
			break
		}
		if i < from && math.Abs(pAp) <= 100*epsilon[T]()*removed {
			res.Stop = StopResidual // the plane is a line, and s its lowest point
			break
		}
		res.MinCurvature = min(res.MinCurvature, pAp/pp)
		alpha := rz / pAp
		if pAp <= 0 {
			res.Stop = StopCurvature
		}
		if c.Radius > 0 {
			if tau := toSphere(dot(s, s), dot(s, p), pp, c.Radius); pAp <= 0 || alpha >= tau {
				res.Value += tau * (tau*pAp/2 - dot(r, p))
				advance(s, r, p, ap, T(tau))
				res.Residual = norm(r)
				res.Iterations++
				if pAp > 0 {
					res.Stop = StopBoundary
				}
			}
		}
		if res.Stop != "" {
			break
		}
		advance(s, r, p, ap, T(alpha))
		c.values[i+1] = quadratic(s, g, r)
		c.keep(i+1, s)
		if i < from && i+1 < most {
			c.leave(p, ap, pAp)
		}
	}
	if k := len(c.iterates); c.Keep && (k == 0 || c.iterates[k-1].At < res.Iterations) {
		c.iterates = append(c.iterates, Iterate[T]{res.Iterations, res.Value, s})
	}
	return res, nil
}

// along moves the start s, whose product is in c.ap, and that product to the lowest point along s, and leaves its
// direction aside. Where there is no lowest point nothing is moved.
func (c *CG[T]) along(g, s []T) {
	curvature := dot(s, c.ap)
	best := -dot(s, g) / curvature
	if !(curvature > 0) || !finite(curvature) || !finite(best) {
		return
	}
	c.leave(s, c.ap, curvature)
	scale(s, T(best))
	scale(c.ap, T(best))
}

// leave adds a direction to those aside.
func (c *CG[T]) leave(v, av []T, curvature float64) {
	k := len(c.aside)
	if k == cap(c.aside) {
		c.aside = append(make([]aside[T], 0, 2), c.aside...)
	}
	c.aside = c.aside[:k+1]
	d := &c.aside[k]
	if len(d.v) != len(v) {
		d.v, d.av = make([]T, len(v)), make([]T, len(v))
	}
	copy(d.v, v)
	copy(d.av, av)
	d.curvature = curvature
}

// first sets p to the preconditioned gradient, downwards. Where the plane's lowest point is against it, s becomes 0.
func (c *CG[T]) first(precondition Operator[T], g, s []T, res *CGResult) error {
	copy(c.p, g)
	scale(c.p, -1)
	if precondition != nil {
		copy(c.ap, c.p)
		if err := precondition(c.p, c.ap); err != nil {
			return err
		}
	}
	if dot(c.r, c.p) <= 0 {
		c.aside = c.aside[:0]
		clear(s)
		copy(c.r, g)
		scale(c.r, -1)
		c.values[0], res.Value, res.Residual = 0, 0, norm(c.r)
	}
	return nil
}

// turn makes p conjugate to the directions aside, and says how much curvature that takes from it.
func (c *CG[T]) turn(p []T) float64 {
	removed := 0.0
	for k := range c.aside {
		d := &c.aside[k]
		share := dot(p, d.av) / d.curvature
		axpy(p, T(-share), d.v)
		removed += share * share * d.curvature
	}
	return removed
}

// Iterates are the points that the last Solve kept, in order; the last of them is its result. They are valid until
// the next Solve.
func (c *CG[T]) Iterates() []Iterate[T] { return c.iterates }

// Direction is the last direction p of the last Solve, and p'Ap/p'p belongs to it where it ended with StopCurvature.
// It is valid until the next Solve.
func (c *CG[T]) Direction() []T { return c.p }

// stop says why the iterations end after i of them, or "".
func (c *CG[T]) stop(i, most int, gNorm float64, res *CGResult) string {
	if !finite(res.Residual) {
		return StopBreakdown
	}
	if res.Residual <= epsilon[T]()*gNorm || i >= c.MinIter && res.Residual <= c.Tol*gNorm {
		return StopResidual
	}
	if i >= most {
		return StopIterations
	}
	k := max(10, (i+9)/10)
	if q := res.Value; c.Progress > 0 && i > k && i >= c.MinIter && q < 0 && (q-c.values[i-k])/q < c.Progress*float64(k) {
		return StopProgress
	}
	return ""
}

// keep copies s if iteration i is one to keep.
func (c *CG[T]) keep(i int, s []T) {
	k := len(c.iterates)
	if !c.Keep || k == len(c.store) || i != c.marks[k] {
		return
	}
	copy(c.store[k], s)
	c.iterates = append(c.iterates, Iterate[T]{i, c.values[i], c.store[k]})
}

// prepare has the memory ready and returns the limit on iterations.
func (c *CG[T]) prepare(n int, preconditioned bool) int {
	most := c.MaxIter
	if most == 0 {
		most = n
	}
	if len(c.r) != n {
		c.r, c.p, c.ap, c.z, c.store = make([]T, n), make([]T, n), make([]T, n), nil, nil
	}
	if preconditioned && len(c.z) != n {
		c.z = make([]T, n)
	}
	if len(c.values) <= most {
		c.values = make([]float64, most+1)
	}
	if c.Keep && (len(c.marks) == 0 || c.marks[len(c.marks)-1] != most || len(c.store) != len(c.marks)-1) {
		c.marks = keepAt(most)
		c.iterates = make([]Iterate[T], 0, len(c.marks)+1)
		for len(c.store) < len(c.marks)-1 { // the last one needs no copy: it is the result
			c.store = append(c.store, make([]T, n))
		}
		c.store = c.store[:len(c.marks)-1]
	}
	c.iterates, c.aside = c.iterates[:0], c.aside[:0]
	return most
}

// keepAt lists the iterations ceil(5·1.3^k) before the last, and the last.
func keepAt(last int) []int {
	var at []int
	for k := 5.0; int(math.Ceil(k)) < last; k *= 1.3 {
		at = append(at, int(math.Ceil(k)))
	}
	return append(at, last)
}

// quadratic is q(s) from the residual r = -g - A s:  s'As = -s'g - s'r.
func quadratic[T Float](s, g, r []T) float64 { return (dot(s, g) - dot(s, r)) / 2 }

// direction sets p to z + beta·p.
func direction[T Float](p, z []T, beta T) {
	z = z[:len(p)]
	for i, v := range p {
		p[i] = z[i] + beta*v
	}
}

// advance goes alpha along p: s grows by it, r loses alpha·A p.
func advance[T Float](s, r, p, ap []T, alpha T) {
	r, p, ap = r[:len(s)], p[:len(s)], ap[:len(s)]
	for i := range s {
		s[i] += alpha * p[i]
		r[i] -= alpha * ap[i]
	}
}

// toSphere is the tau ≥ 0 with |s + tau·p| = radius, from s's, s'p and p'p; it avoids cancellation.
func toSphere(ss, sp, pp, radius float64) float64 {
	c := ss - radius*radius
	root := math.Sqrt(max(0, sp*sp-pp*c))
	if sp > 0 {
		return max(0, -c/(sp+root))
	}
	return max(0, (root-sp)/pp)
}
