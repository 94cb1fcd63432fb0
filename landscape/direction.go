package landscape

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/optimizers"
)

// Scaling says how a direction is made as long as the parameters, so that one step
// along it means the same in all places and for all networks (Li et al. 2018).
type Scaling uint8

// The scalings. A filter is all that makes one output: the weights of a unit of a
// dense layer, of a channel of a convolution.
const (
	ByFilter Scaling = iota // each filter as long as that of the parameters
	ByLayer                 // each tensor
	ByWeight                // each number: the direction's sign times the parameter's magnitude
	Unscaled                // as it is
)

var scalingNames = []string{"filter", "layer", "weight", "none"}

// String is the word for the scaling: filter, layer, weight or none.
func (s Scaling) String() string {
	if int(s) < len(scalingNames) {
		return scalingNames[s]
	}
	return fmt.Sprintf("Scaling(%d)", uint8(s))
}

// ParseScaling is the scaling that a word names.
func ParseScaling(word string) (Scaling, error) {
	if i := slices.Index(scalingNames, word); i >= 0 {
		return Scaling(i), nil
	}
	return 0, fmt.Errorf("landscape: unknown scaling %q; allowed are filter, layer, weight and none%s", word, spell.Hint(word, scalingNames))
}

// Rescale scales the direction d, in place, by the parameters x. Biases and the
// parameters of normalisations, which are one number an output, get the direction
// 0, as usual: what they add to a picture is not comparable. With keep they are
// scaled like one filter.
//
// The weights of a dense layer are [in, out], so a filter is a column; those of a
// convolution are [out, in, height, width].
func Rescale(d, x []float64, l optimizers.Layout, s Scaling, keep bool) error {
	if len(d) != l.Size() || len(x) != l.Size() {
		return fmt.Errorf("landscape: a direction of %d numbers at %d parameters; the layout has %d", len(d), len(x), l.Size())
	}
	if s == Unscaled {
		return nil
	}
	for _, t := range l {
		e, w := d[t.Offset:t.Offset+t.Size()], x[t.Offset:t.Offset+t.Size()]
		switch {
		case t.Kind != optimizers.Weight && !keep:
			clear(e)
		case s == ByWeight:
			for i := range e {
				sign := 1.0
				if e[i] < 0 {
					sign = -1
				}
				e[i] = sign * max(w[i], -w[i])
			}
		case s == ByFilter && t.Kind == optimizers.Weight && len(t.Shape) == 2:
			cols := t.Shape[1]
			for j := range cols {
				lengthen(e, w, j, cols, t.Shape[0])
			}
		case s == ByFilter && t.Kind == optimizers.Weight && len(t.Shape) > 2:
			size := t.Size() / t.Shape[0]
			for j := range t.Shape[0] {
				lengthen(e[j*size:], w[j*size:], 0, 1, size)
			}
		default:
			lengthen(e, w, 0, 1, len(e))
		}
	}
	return nil
}

// lengthen makes n elements of e, stride apart, as long together as those of w.
func lengthen(e, w []float64, at, stride, n int) {
	length := func(x []float64) float64 {
		y := make([]float64, n)
		for i := range y {
			y[i] = x[at+i*stride]
		}
		return norm(y)
	}
	c := length(w) / (length(e) + 1e-10)
	for i := range n {
		e[at+i*stride] *= c
	}
}

// RandomDirection is a direction of independent normal numbers, scaled by the
// parameters x.
func RandomDirection(x []float64, l optimizers.Layout, s Scaling, keep bool, seed uint64) ([]float64, error) {
	d := make([]float64, len(x))
	normals(d, source(seed, 0x64))
	return d, Rescale(d, x, l, s, keep)
}
