package landscape

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// ErrNoSymmetry is for a model without any of the symmetries that are looked for.
var ErrNoSymmetry = errors.New("it has none of the symmetries that are looked for: a softmax behind the last dense layer, batch or layer normalisation right behind weights, ReLU-like units between two layers or a normalisation and a layer")

// SymmetryWatch follows the would-be conserved quantities of a model while SGD
// trains it: a [train.Watcher] for a Config.
type SymmetryWatch[T train.Float] struct {
	*Conservation
	m      *nn.Model[T]
	steps  int
	layers []conservedLayer

	Seconds float64 // that it has taken
	Count   int     // measurements
}

// conservedLayer is the quantities of one kind in one layer: [lo, hi) of Of.
type conservedLayer struct {
	name   string
	lo, hi int
}

// NewSymmetryWatch makes a watch of m, at the parameters that it begins with, that
// measures every so many steps of method, which is SGD. Of every layer and kind of
// symmetry (translation, scale, rescale) it measures, in the quantities Q of the
// layer's units that [Conserved] describes:
//
//	symmetry_KIND_LAYER            ΣQ; of translations, whose Q have signs, √ΣQ²
//	symmetry_KIND_LAYER_flow       what gradient flow says of it
//	symmetry_KIND_LAYER_modified   what the modified flow says
//	symmetry_KIND_LAYER_discrete   what the exact recursion says
//	symmetry_KIND_LAYER_error      largest |Q - recursion| of a unit over the sum of the magnitudes of its terms
//
// and of scales, whose weights stand before a normalisation, the geometric means over
// units (a unit with short weights has a rate that is far above all others) of
//
//	symmetry_scale_LAYER_rate      the effective learning rate of their direction, lr/|θ|²
//	symmetry_scale_LAYER_rate_law  what its law says, which is like RMSProp's (Tanaka & Kunin 2021)
//
// The error is a rounding where the symmetry is exact. That of batch normalisation
// is so up to its eps.
func NewSymmetryWatch[T train.Float](m *nn.Model[T], method optimizers.Method, every int) (*SymmetryWatch[T], error) {
	if every < 1 {
		return nil, fmt.Errorf("landscape: watching every %d steps; allowed are 1 and more", every)
	}
	s, err := SGDOf(method)
	if err != nil {
		return nil, err
	}
	list := Symmetries(m)
	if len(list) == 0 {
		return nil, fmt.Errorf("landscape: watching the symmetries of the model: %w", ErrNoSymmetry)
	}
	w := &SymmetryWatch[T]{Conservation: NewConservation(list, s, m.Params), m: m, steps: every}
	for i, s := range list {
		name := fmt.Sprintf("symmetry_%s_%s", s.Kind, s.Layer)
		if n := len(w.layers); n == 0 || w.layers[n-1].name != name {
			w.layers = append(w.layers, conservedLayer{name, i, i})
		}
		w.layers[len(w.layers)-1].hi = i + 1
	}
	return w, nil
}

// Names are the columns.
func (w *SymmetryWatch[T]) Names() []string {
	var names []string
	for _, l := range w.layers {
		names = append(names, l.name, l.name+"_flow", l.name+"_modified", l.name+"_discrete", l.name+"_error")
		if w.Of[l.lo].Kind == Scale {
			names = append(names, l.name+"_rate", l.name+"_rate_law")
		}
	}
	return names
}

// Every is the number of steps between measurements.
func (w *SymmetryWatch[T]) Every() int { return w.steps }

// Before does nothing: every step is followed.
func (w *SymmetryWatch[T]) Before() error { return nil }

// Step moves the theories on.
func (w *SymmetryWatch[T]) Step(s *train.Step[T]) error {
	began := time.Now()
	Follow(w.Conservation, s.Grad, s.Before, s.LR, s.Momentum)
	w.Seconds += time.Since(began).Seconds()
	return nil
}

// State is what a checkpoint keeps.
func (w *SymmetryWatch[T]) State() (json.RawMessage, error) { return w.state() }

// Restore goes back to it.
func (w *SymmetryWatch[T]) Restore(state json.RawMessage) error { return w.restore(state) }

// Measure measures.
func (w *SymmetryWatch[T]) Measure(context.Context, float64) ([]float64, error) {
	began := time.Now()
	defer func() { w.Seconds += time.Since(began).Seconds(); w.Count++ }()
	MeasureConserved(w.Conservation, w.m.Params)
	var values []float64
	for _, l := range w.layers {
		of := w.Of[l.lo:l.hi]
		total := func(f func(q *Conserved) float64) float64 {
			sum := 0.0
			for i := range of {
				v := f(&of[i])
				if of[i].Kind == Translation {
					v *= v
				}
				sum += v
			}
			if of[0].Kind == Translation {
				return math.Sqrt(sum)
			}
			return sum
		}
		worst := 0.0
		for _, q := range of {
			if d := math.Abs(q.Measured - q.Discrete); d > 0 {
				worst = max(worst, d/q.Size)
			}
		}
		values = append(values, total(func(q *Conserved) float64 { return q.Measured }), total(func(q *Conserved) float64 { return q.Flow }),
			total(func(q *Conserved) float64 { return q.Modified }), total(func(q *Conserved) float64 { return q.Discrete }), worst)
		if of[0].Kind == Scale {
			rate, law := 0.0, 0.0
			for _, q := range of {
				rate, law = rate+math.Log(q.Rate)/float64(len(of)), law+math.Log(q.RateLaw)/float64(len(of))
			}
			values = append(values, math.Exp(rate), math.Exp(law))
		}
	}
	return values, nil
}
