package landscape

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// WatchOptions say how a watch of the curvature measures. Zero values mean the
// defaults.
type WatchOptions struct {
	Steps    int     // from one measurement to the next; default 100
	Examples int     // of the training set; default 1000, or all where there are fewer
	Tol      float64 // of eigenvalues and the trace; default 0.01
	Layers   bool    // sizes of updates and largest eigenvalues by layer too
	Seed     uint64
}

// CurvatureWatch measures the curvature of a model while it trains: a
// [train.Watcher] for a Config.
type CurvatureWatch[T train.Float] struct {
	WatchOptions
	p      *Model[T]
	m      *nn.Model[T]
	noise  *single[T]
	x, y   []T // the examples
	layers []watchedLayer
	before []T

	Seconds float64 // that it has taken
	Count   int     // measurements
}

type watchedLayer struct {
	name  string
	spans []Span
}

// noiseExamples are those of the gradient noise scale.
const noiseExamples = 200

// NewCurvatureWatch makes a watch of m, which trains on d. It measures:
//
//	hessian_max, hessian_min   extreme eigenvalues of the Hessian
//	hessian_trace              its trace
//	two_over_lr                2 over the learning rate: where hessian_max is above it, gradient descent is unstable
//	noise_scale                of the gradients of single examples, NaN where the mean gradient drowns in it
//	update_ratio               length of the step over that of the parameters
//
// and with Layers hessian_max_LAYER and update_ratio_LAYER.
func NewCurvatureWatch[T train.Float](m *nn.Model[T], d data.Dataset, o WatchOptions) (*CurvatureWatch[T], error) {
	o.Steps, o.Tol = cmp.Or(o.Steps, 100), cmp.Or(o.Tol, 0.01)
	o.Examples = min(cmp.Or(o.Examples, 1000), d.Len())
	if o.Steps < 1 || o.Examples < 2 || !(o.Tol > 0 && o.Tol < 1) {
		return nil, fmt.Errorf("landscape: watching every %d steps on %d examples to %v; allowed are 1 and 2 and more, and numbers between 0 and 1", o.Steps, o.Examples, o.Tol)
	}
	p, err := At(m, d, o.Examples)
	if err != nil {
		return nil, err
	}
	w := &CurvatureWatch[T]{WatchOptions: o, p: p, m: m}
	if w.noise, err = newSingle(m); err != nil {
		return nil, err
	}
	l := data.Loader[T]{Data: d, Batch: min(noiseExamples, o.Examples)}
	for b, err := range l.Epoch(context.Background(), 0, 0) {
		if err != nil {
			return nil, err
		}
		w.x, w.y = append(w.x, b.X...), append(w.y, b.Y...)
		break
	}
	for _, t := range p.Layout {
		name, _, _ := strings.Cut(t.Name, ".")
		if n := len(w.layers); n == 0 || w.layers[n-1].name != name {
			w.layers = append(w.layers, watchedLayer{name, p.Spans(func(u optimizers.Tensor) bool {
				first, _, _ := strings.Cut(u.Name, ".")
				return first == name
			})})
		}
	}
	return w, nil
}

// Names are the columns.
func (w *CurvatureWatch[T]) Names() []string {
	names := []string{"hessian_max", "hessian_min", "hessian_trace", "two_over_lr", "noise_scale", "update_ratio"}
	if w.Layers {
		for _, l := range w.layers {
			names = append(names, "hessian_max_"+l.name, "update_ratio_"+l.name)
		}
	}
	return names
}

// Every is the number of steps between measurements.
func (w *CurvatureWatch[T]) Every() int { return w.Steps }

// Before notes where a step begins.
func (w *CurvatureWatch[T]) Before() error {
	w.before = append(w.before[:0], w.m.Params...)
	return nil
}

// Measure measures.
func (w *CurvatureWatch[T]) Measure(ctx context.Context, lr float64) ([]float64, error) {
	began := time.Now()
	defer func() { w.Seconds += time.Since(began).Seconds(); w.Count++ }()
	if err := w.p.Move(w.m.Params); err != nil {
		return nil, err
	}
	h := w.p.Hessian()
	high, err := w.extreme(ctx, h, EigenOptions{Count: 1})
	if err != nil {
		return nil, err
	}
	low, err := w.extreme(ctx, h, EigenOptions{Count: 1, End: Smallest})
	if err != nil {
		return nil, err
	}
	trace, err := Trace(ctx, h, TraceOptions{Tol: 5 * w.Tol, MaxProducts: 64, Seed: w.Seed})
	if err != nil {
		return nil, err
	}
	noise, err := w.noiseScale()
	if err != nil {
		return nil, err
	}
	values := []float64{high.Value, low.Value, trace.Value, 2 / lr, noise, w.ratio(Span{0, len(w.before)})}
	if !w.Layers {
		return values, nil
	}
	for _, l := range w.layers {
		b, err := Block(h, l.spans...)
		if err != nil {
			return nil, err
		}
		top, err := w.extreme(ctx, b, EigenOptions{Count: 1})
		if err != nil {
			return nil, err
		}
		values = append(values, top.Value, w.ratio(l.spans...))
	}
	return values, nil
}

func (w *CurvatureWatch[T]) extreme(ctx context.Context, a Matrix, o EigenOptions) (Eigenpair, error) {
	o.Tol, o.MaxProducts, o.Seed = w.Tol, 60, w.Seed
	e, err := Eigen(ctx, a, o)
	if err != nil && !errors.Is(err, ErrProducts) {
		return Eigenpair{}, err
	}
	return e.Pairs[0], nil
}

// ratio is the length of the step over that of the parameters, in the spans.
func (w *CurvatureWatch[T]) ratio(spans ...Span) float64 {
	step, size := 0.0, 0.0
	for _, s := range spans {
		for i := s.Lo; i < s.Hi; i++ {
			a, b := float64(w.m.Params[i]), float64(w.before[i])
			step += (a - b) * (a - b)
			size += b * b
		}
	}
	return math.Sqrt(step / size)
}

func (w *CurvatureWatch[T]) noiseScale() (float64, error) {
	in, out := 1, 1
	for _, s := range w.m.Input() {
		in *= s
	}
	target, _ := w.m.Target()
	for _, s := range target {
		out *= s
	}
	n := len(w.x) / in
	g, mean, squares := make([]float64, len(w.m.Params)), make([]float64, len(w.m.Params)), 0.0
	for i := range n {
		if err := w.noise.gradient(g, w.x[i*in:(i+1)*in], w.y[i*out:(i+1)*out]); err != nil {
			return 0, err
		}
		axpy(mean, 1, g)
		squares += dot(g, g)
	}
	scale(1/float64(n), mean)
	gg := dot(mean, mean)
	trace := max(0, (squares-float64(n)*gg)/float64(n-1))
	if free := gg - trace/float64(n); free > 0 {
		return trace / free, nil
	}
	return math.NaN(), nil
}
