package optimizers

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
)

// strict is a problem that answers nothing but one gradient of its minibatch a step, where the step begins.
type strict struct {
	at    []float64
	asked int
}

var errStrict = errors.New("this is not asked by a method that asks for one gradient")

func (p *strict) Batch() Sample[float64]                { return p }
func (p *strict) Full() Sample[float64]                 { return nil }
func (p *strict) Draw(int) (Sample[float64], error)     { return nil, errStrict }
func (p *strict) Has() Oracle                           { return ^Oracle(0) }
func (p *strict) Len() int                              { return 1 }
func (p *strict) Loss([]float64) (float64, error)       { return 0, errStrict }
func (p *strict) Linearize([]float64) error             { return errStrict }
func (p *strict) HessianMul(dst, v []float64) error     { return errStrict }
func (p *strict) GaussNewtonMul(dst, v []float64) error { return errStrict }

func (p *strict) Grad(dst, x []float64) (float64, error) {
	p.asked++
	if p.asked > 1 || !slices.Equal(x, p.at) {
		return 0, errStrict
	}
	for i, v := range x {
		dst[i] = math.Sin(v + 1)
	}
	return 1, nil
}

// TestMethodsThatAskForOneGradientDoNoMore: a step in groups of these is not prepared to be taken back.
func TestMethodsThatAskForOneGradientDoNoMore(t *testing.T) {
	layout := Layout{{Name: "w", Shape: []int{3, 4}}, {Name: "b", Shape: []int{4}, Offset: 12, Kind: Bias}}
	plain := 0
	for _, m := range methods() {
		for _, m := range []Method{m, &Clip{Of: &Noise{Of: m}}, &Lookahead{Of: m, K: 2}} {
			o, err := New[float64](m, layout)
			if err != nil {
				continue // what cannot stand around what
			}
			if !asksOneGradient(o) {
				continue
			}
			plain++
			x := make([]float64, 16)
			for k := range 12 {
				p := &strict{at: slices.Clone(x)}
				if _, err := o.Step(context.Background(), x, p); err != nil {
					t.Errorf("%s, step %d: %v", Spec(m), k, err)
					break
				}
			}
		}
	}
	if plain < 30 {
		t.Errorf("%d methods and wrappers ask for one gradient; want 30 at least", plain)
	}
}
