package landscape

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// CurveKind is the form of a curve between two points with one more, the control
// point, that bends it (Garipov et al. 2018).
type CurveKind uint8

// The kinds.
const (
	Bezier  CurveKind = iota // (1-t)² a + 2t(1-t) c + t² b
	Polygon                  // from a to c along a line, and on to b along another
)

var curveNames = []string{"bezier", "polygon"}

// String is the word for the kind: bezier or polygon.
func (k CurveKind) String() string {
	if int(k) < len(curveNames) {
		return curveNames[k]
	}
	return fmt.Sprintf("CurveKind(%d)", uint8(k))
}

// ParseCurve is the kind that a word names.
func ParseCurve(word string) (CurveKind, error) {
	if i := slices.Index(curveNames, word); i >= 0 {
		return CurveKind(i), nil
	}
	return 0, fmt.Errorf("landscape: unknown curve %q; allowed are bezier and polygon%s", word, spell.Hint(word, curveNames))
}

// weights are those of the two ends and the control point at t.
func (k CurveKind) weights(t float64) (a, c, b float64) {
	if k == Bezier {
		return (1 - t) * (1 - t), 2 * t * (1 - t), t * t
	}
	if t < 0.5 {
		return 1 - 2*t, 2 * t, 0
	}
	return 0, 2 - 2*t, 2*t - 1
}

// Curve is a curve of parameters from A to B with the control point C.
type Curve struct {
	Kind    CurveKind
	A, C, B []float64
}

// curvePoint sets x to the point of the curve at t.
func curvePoint[T train.Float](x []T, c *Curve, t float64) {
	a, m, b := c.Kind.weights(t)
	inChunks(len(x), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i] = T(a*c.A[i] + m*c.C[i] + b*c.B[i])
		}
	})
}

// CurveOptions say how a curve is trained. Zero values mean the defaults.
type CurveOptions struct {
	Steps    int     // default 500, one gradient each
	LR       float64 // of the first step, falling to 0 along a line; default 0.1
	Seed     uint64
	Progress func(done int)
}

// TrainCurve minimises the expected loss over t, uniform on [0, 1], on a curve from
// a to b: stochastic gradient descent with momentum 0.9 on the control point, which
// begins in the middle of the line, with one t a step. The loss at a place t of the
// curve is f(t): [Model.On], or one that is the same everywhere.
func TrainCurve[T train.Float](ctx context.Context, f func(t float64) optimizers.Objective[T], kind CurveKind, a, b []float64, o CurveOptions) (*Curve, error) {
	o.Steps, o.LR = cmp.Or(o.Steps, 500), cmp.Or(o.LR, 0.1)
	if len(a) != len(b) || o.Steps < 1 || !(o.LR > 0) || int(kind) >= len(curveNames) {
		return nil, fmt.Errorf("landscape: %v between %d and %d parameters in %d steps at the rate %v; allowed are as many at both ends, and 1 step and more at a rate above 0", kind, len(a), len(b), o.Steps, o.LR)
	}
	c := &Curve{kind, a, make([]float64, len(a)), b}
	point(c.C, a, b, 0.5)
	x, g, v := make([]T, len(a)), make([]T, len(a)), make([]float64, len(a))
	r := source(o.Seed, 0x63)
	for k := range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t := r.Float64()
		curvePoint(x, c, t)
		loss, err := f(t).Grad(g, x)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("landscape: step %d of the %v curve: the loss is %v; try a rate below %v", k+1, kind, loss, o.LR)
		}
		_, w, _ := kind.weights(t)
		lr := o.LR * (1 - float64(k)/float64(o.Steps))
		for i := range v {
			v[i] = 0.9*v[i] + w*float64(g[i])
			c.C[i] -= lr * v[i]
		}
		if o.Progress != nil {
			o.Progress(k + 1)
		}
	}
	return c, nil
}

// AlongCurve is the loss f(t) at each t of a curve.
func AlongCurve[T train.Float](ctx context.Context, f func(t float64) optimizers.Objective[T], c *Curve, t []float64) ([]float64, error) {
	x, loss := make([]T, len(c.A)), make([]float64, len(t))
	for i, s := range t {
		if err := ctx.Err(); err != nil {
			return loss[:i], err
		}
		curvePoint(x, c, s)
		var err error
		if loss[i], err = f(s).Loss(x); err != nil {
			return loss[:i], err
		}
	}
	return loss, nil
}
