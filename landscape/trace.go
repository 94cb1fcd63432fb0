package landscape

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// TraceMethod is an estimator of the trace.
type TraceMethod uint8

// The estimators. With m products their errors fall as Σλ²'s root over √m
// (Hutchinson), and as 1/m or faster (the others) where few eigenvalues are large.
const (
	XTrace     TraceMethod = iota // Epperly, Tropp & Webber 2024
	HutchPP                       // Hutch++: Meyer, Musco, Musco & Woodruff 2021
	Hutchinson                    // Hutchinson 1990, with signs
)

var traceNames = []string{"xtrace", "hutch++", "hutchinson"}

// String is the word for the estimator: xtrace, hutch++ or hutchinson.
func (m TraceMethod) String() string {
	if int(m) < len(traceNames) {
		return traceNames[m]
	}
	return fmt.Sprintf("TraceMethod(%d)", uint8(m))
}

// TraceOptions say how Trace works. Zero values mean the defaults.
type TraceOptions struct {
	Method      TraceMethod // default XTrace
	Tol         float64     // stop when the standard error is at most Tol |trace|; default 0.01
	MaxProducts int         // default 400, at least 8; reaching it is no error: Error says how sure the value is
	Block       int         // directions multiplied at once; default 8
	Seed        uint64
	Progress    func(now Estimate, products int)
}

// TraceResult is an estimate of the trace.
type TraceResult struct {
	Estimate
	Products  int
	Converged bool // the standard error is within the tolerance
}

// Trace estimates the trace of a until its standard error is small enough. The
// rule asks for the error and not for a running mean that stands still, which it
// does long before it is right.
func Trace(ctx context.Context, a Matrix, o TraceOptions) (*TraceResult, error) {
	o.Tol, o.MaxProducts, o.Block = cmp.Or(o.Tol, 0.01), cmp.Or(o.MaxProducts, 400), cmp.Or(o.Block, 8)
	n := a.Size()
	switch {
	case n < 1:
		return nil, fmt.Errorf("landscape: a matrix without rows has no trace")
	case !(o.Tol > 0):
		return nil, fmt.Errorf("landscape: tolerance %v; allowed are numbers above 0", o.Tol)
	case o.MaxProducts < 8 || o.Block < 1:
		return nil, fmt.Errorf("landscape: at most %d products in blocks of %d; allowed are 8 and more in blocks of 1 and more", o.MaxProducts, o.Block)
	case int(o.Method) >= len(traceNames):
		return nil, fmt.Errorf("landscape: trace method %d; allowed are XTrace, HutchPP and Hutchinson", o.Method)
	}
	c := &counted{Matrix: a}
	if n <= 8 { // fewer rows than probes
		return exactTrace(ctx, c)
	}
	t := &tracer{TraceOptions: o, a: c, n: n}
	for {
		now, err := t.more(ctx)
		if err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(now, c.products)
		}
		r := &TraceResult{Estimate: now, Products: c.products, Converged: now.Error <= o.Tol*math.Abs(now.Value)}
		if r.Converged || t.full() {
			return r, nil
		}
	}
}

func exactTrace(ctx context.Context, c *counted) (*TraceResult, error) {
	n := c.Size()
	v, av := vectors(n, n), vectors(n, n)
	for i := range v {
		v[i][i] = 1
	}
	if err := c.Mul(ctx, av, v); err != nil {
		return nil, err
	}
	r := &TraceResult{Products: n, Converged: true}
	for i := range av {
		r.Value += av[i][i]
	}
	return r, nil
}

// tracer is a Trace under way.
type tracer struct {
	TraceOptions
	a    *counted
	n    int
	next uint64 // random stream

	quads []float64   // w'Aw of the probes of Hutchinson's estimator
	w, y  [][]float64 // probes of the sketch, and their products
	q, z  [][]float64 // an orthonormal basis of those, and its products
}

// full tells whether another round would be too much.
func (t *tracer) full() bool {
	round := t.Block
	if t.Method != Hutchinson {
		round *= 2
	}
	sketch := len(t.w) + t.Block
	return t.a.products+round > t.MaxProducts || t.Method != Hutchinson && 2*sketch > t.n
}

// more takes another round of products.
func (t *tracer) more(ctx context.Context) (Estimate, error) {
	switch t.Method {
	case Hutchinson:
		return t.hutchinson(ctx, nil)
	case HutchPP:
		return t.hutchPP(ctx)
	}
	return t.xtrace(ctx)
}

// hutchinson is the mean of w'Aw over random signs w, of (I-QQ')w where there is a
// basis Q.
func (t *tracer) hutchinson(ctx context.Context, q [][]float64) (Estimate, error) {
	w, y := vectors(t.Block, t.n), vectors(t.Block, t.n)
	for _, x := range w {
		signs(x, source(t.Seed, t.next))
		t.next++
	}
	for range 2 {
		combine(w, -1, q, gram(q, w))
	}
	if err := t.a.Mul(ctx, y, w); err != nil {
		return Estimate{}, err
	}
	for i := range w {
		t.quads = append(t.quads, dot(w[i], y[i]))
	}
	return meanOf(t.quads), nil
}

// hutchPP takes the trace of a sketch of half of its products exactly, and
// estimates what is outside by the other half. The sketch is of the first round
// that reaches its size; rounds after it only add to the estimate, so that all of
// those are of one matrix.
func (t *tracer) hutchPP(ctx context.Context) (Estimate, error) {
	if len(t.q) == 0 {
		k := max(1, min(t.n/4, t.MaxProducts/6))
		w, y := vectors(k, t.n), vectors(k, t.n)
		for _, x := range w {
			signs(x, source(t.Seed, t.next))
			t.next++
		}
		if err := t.inBlocks(ctx, y, w); err != nil {
			return Estimate{}, err
		}
		t.q = orthonormal(nil, y)
		t.z = vectors(len(t.q), t.n)
		if err := t.inBlocks(ctx, t.z, t.q); err != nil {
			return Estimate{}, err
		}
	}
	inside := 0.0
	for i, q := range t.q {
		inside += dot(q, t.z[i])
	}
	e, err := t.hutchinson(ctx, t.q)
	return Estimate{inside + e.Value, e.Error}, err
}

func (t *tracer) inBlocks(ctx context.Context, dst, v [][]float64) error {
	for at := 0; at < len(v); at += t.Block {
		end := min(len(v), at+t.Block)
		if err := t.a.Mul(ctx, dst[at:end], v[at:end]); err != nil {
			return err
		}
	}
	return nil
}

// xtrace leaves each probe out of the sketch in turn, takes the trace in the rest
// of the sketch exactly and estimates what is outside by the probe. The value is
// the mean of these, the error their spread. Probes are uniform on a sphere, so
// the part of a probe outside the sketch can be given the length that it has on
// average.
func (t *tracer) xtrace(ctx context.Context) (Estimate, error) {
	w, y := vectors(t.Block, t.n), vectors(t.Block, t.n)
	for _, x := range w {
		normals(x, source(t.Seed, t.next))
		t.next++
		scale(math.Sqrt(float64(t.n))/norm(x), x)
	}
	if err := t.a.Mul(ctx, y, w); err != nil {
		return Estimate{}, err
	}
	old := len(t.w)
	t.w, t.y = append(t.w, w...), append(t.y, y...)
	basis := vectors(t.Block, t.n)
	for i := range basis {
		copy(basis[i], y[i])
	}
	fresh := orthonormal(t.q, basis)
	if len(fresh) > 0 {
		z := vectors(len(fresh), t.n)
		if err := t.a.Mul(ctx, z, fresh); err != nil {
			return Estimate{}, err
		}
		t.q, t.z = append(t.q, fresh...), append(t.z, z...)
	}
	if len(t.q) < old+t.Block {
		// The products span less than the probes: Q has all of the range of A.
		inside := 0.0
		for i, q := range t.q {
			inside += dot(q, t.z[i])
		}
		return Estimate{Value: inside}, nil
	}
	m := len(t.q)
	qw := mat.NewDense(m, m, gram(t.q, t.w)) // Q'W
	r := mat.NewDense(m, m, gram(t.q, t.y))  // Q'AW, upper triangular
	h := mat.NewDense(m, m, gram(t.q, t.z))  // Q'AQ
	trace := mat.Trace(h)
	var s mat.Dense // columns orthogonal to all columns of r but one
	if err := s.Inverse(r.T()); err != nil {
		if cond, ok := err.(mat.Condition); !ok || math.IsInf(float64(cond), 1) {
			return Estimate{}, fmt.Errorf("landscape: xtrace: the sketch is singular: %w", err)
		}
	}
	estimates := make([]float64, m)
	for i := range m {
		si := mat.NewVecDense(m, nil)
		si.CopyVec(s.ColView(i))
		si.ScaleVec(1/mat.Norm(si, 2), si)
		wi := mat.NewVecDense(m, nil)
		wi.CopyVec(qw.ColView(i))
		p := mat.NewVecDense(m, nil) // the part of the probe in the rest of the sketch
		p.AddScaledVec(wi, -mat.Dot(si, wi), si)
		inside := trace - mat.Inner(si, h, si)
		outside := dot(t.w[i], t.y[i]) - 2*mat.Dot(p, r.ColView(i)) + mat.Inner(p, h, p)
		left := float64(t.n) - mat.Dot(p, p) // squared length of the part outside
		estimates[i] = inside + outside*float64(t.n-m+1)/left
	}
	return meanOf(estimates), nil
}
