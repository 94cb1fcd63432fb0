package landscape

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// SymmetryKind is a group of changes of the parameters that leave the loss as it
// is (Kunin et al. 2021).
type SymmetryKind uint8

// The kinds.
const (
	Translation SymmetryKind = iota // the same number added to all that lead into a softmax from one input: θ_A + α
	Scale                           // the weights into a normalisation, of a unit or of a layer: αθ_A
	Rescaling                       // across a unit with f(αx) = αf(x): αθ_1, θ_2/α; θ_1 may be scale and shift of a normalisation
)

var symmetryNames = []string{"translation", "scale", "rescale"}

// String is the word for the kind: translation, scale or rescale.
func (k SymmetryKind) String() string {
	if int(k) < len(symmetryNames) {
		return symmetryNames[k]
	}
	return fmt.Sprintf("SymmetryKind(%d)", uint8(k))
}

// Symmetry is one symmetry of a loss: the parameters that it changes.
type Symmetry struct {
	Kind  SymmetryKind
	Layer string // whose outputs are a unit, or whose inputs are translated
	Unit  int    // which, -1 for all together; of a translation the input, -1 for the biases
	In    []int  // indices of θ_A, or of θ_1, which leads into the unit or is its scale and shift
	Out   []int  // of a rescaling: indices of θ_2, which leads out of it
}

// Unit is a hidden unit or channel: what can be permuted with the others of its
// layer.
type Unit struct {
	In   []int // indices of the weights and the bias that lead into it
	Norm []int // of its scale and shift
	Out  []int // of the weights that lead out of it

	Statistics []int // indices, among the buffers, of its running mean and variance
}

// Hidden is a layer whose units have their inputs and outputs in parameters alone.
type Hidden struct {
	Layer       string // that makes the units
	Units       []Unit
	Homogeneous bool // f(αx) = αf(x) for α > 0 between it and the next, and no normalisation
	Normalised  bool // by a normalisation, with such functions alone between them
	Together    bool // that is a layer normalisation, of all units together

	NormLayer       string // of the scales and shifts, empty where there are none
	NormHomogeneous bool   // f(αx) = αf(x) for α > 0 between a normalisation with a scale and the next layer
}

// HiddenLayers finds, in a model that is a sequence of layers, those whose units
// lead to one further layer: dense and convolutional layers with activations,
// pooling, flattening, batch normalisation and layer normalisation of all units
// between. A layer of one's own, or a residual connection, ends the search on both of
// its sides.
func HiddenLayers[T train.Float](m *nn.Model[T]) []Hidden {
	tensors := map[string]nn.Param{}
	for _, p := range m.Parameters() {
		tensors[p.Name] = p
	}
	var list []Hidden
	var now *Hidden // waits for the next layer with weights
	for _, r := range m.Rows() {
		word, _, _ := strings.Cut(r.Layer, " ")
		nested := strings.ContainsAny(r.Name, "/.")
		w, weighted := tensors[r.Name+".weight"]
		switch {
		case nested:
			now = nil
		case (word == "Dense" || word == "Conv2D") && weighted:
			if now != nil && leadOut(now, w) {
				list = append(list, *now)
			}
			now = newHidden(r.Name, w, tensors)
		case word == "BatchNorm" && now != nil:
			now.normalise(r, m.BufferList(), tensors, false)
		case word == "LayerNorm" && now != nil && r.Layer == fmt.Sprintf("LayerNorm %d", len(r.Output)):
			now.normalise(r, nil, tensors, true)
		case now != nil && slices.Contains([]string{"ReLU", "LeakyReLU", "MaxPool2D", "AvgPool2D", "GlobalAvgPool", "Flatten", "Dropout"}, word):
		case now != nil && slices.Contains([]string{"Tanh", "Sigmoid", "SiLU", "GELU", "ELU", "Softplus", "Clamp", "Sin", "Erf", "Abs"}, word):
			now.Homogeneous, now.NormHomogeneous = false, false
		default:
			now = nil
		}
	}
	return list
}

// newHidden has the units of the layer with the weights w.
func newHidden(name string, w nn.Param, tensors map[string]nn.Param) *Hidden {
	units := w.Shape[0]
	if len(w.Shape) == 2 {
		units = w.Shape[1]
	}
	h := &Hidden{Layer: name, Units: make([]Unit, units), Homogeneous: true}
	bias, biased := tensors[name+".bias"]
	for u := range h.Units {
		var in []int
		if len(w.Shape) == 2 { // [in, out]
			for i := range w.Shape[0] {
				in = append(in, w.Offset+i*units+u)
			}
		} else { // [out, in, height, width]
			size := w.Size() / units
			for i := range size {
				in = append(in, w.Offset+u*size+i)
			}
		}
		if biased {
			in = append(in, bias.Offset+u)
		}
		h.Units[u].In = in
	}
	return h
}

// normalise notes a normalisation of the units, or of all of them together.
func (h *Hidden) normalise(r nn.Row, buffers []nn.Param, tensors map[string]nn.Param, together bool) {
	first := h.NormLayer == "" && !h.Normalised && h.Homogeneous
	if first {
		h.Normalised, h.Together = true, together
	}
	// Behind a second one a scale of the first is normalised as weights are.
	_, scaled := tensors[r.Name+".weight"]
	h.NormHomogeneous = scaled && h.NormLayer == ""
	h.Homogeneous = false
	for _, name := range []string{".weight", ".bias"} {
		p, ok := tensors[r.Name+name]
		if !ok {
			continue
		}
		h.NormLayer = r.Name
		each := p.Size() / len(h.Units) // one, or a plane
		for u := range h.Units {
			for i := range each {
				h.Units[u].Norm = append(h.Units[u].Norm, p.Offset+u*each+i)
			}
		}
	}
	for _, b := range buffers {
		if layer, _, _ := strings.Cut(b.Name, "."); layer != r.Name {
			continue
		}
		each := b.Size() / len(h.Units)
		for u := range h.Units {
			for i := range each {
				h.Units[u].Statistics = append(h.Units[u].Statistics, b.Offset+u*each+i)
			}
		}
	}
}

// leadOut notes the weights w that lead out of each unit, if w has the same number
// of them for each: a plane that is flattened has several rows a channel.
func leadOut(h *Hidden, w nn.Param) bool {
	units := len(h.Units)
	if len(w.Shape) == 2 {
		in, out := w.Shape[0], w.Shape[1]
		if in%units != 0 {
			return false
		}
		each := in / units * out
		for u := range h.Units {
			for i := range each {
				h.Units[u].Out = append(h.Units[u].Out, w.Offset+u*each+i)
			}
		}
		return true
	}
	if w.Shape[1] != units { // grouped
		return false
	}
	plane := w.Size() / (w.Shape[0] * units)
	for u := range h.Units {
		for o := range w.Shape[0] {
			for i := range plane {
				h.Units[u].Out = append(h.Units[u].Out, w.Offset+(o*units+u)*plane+i)
			}
		}
	}
	return true
}

// Symmetries finds the continuous symmetries of a model's loss from its layers.
func Symmetries[T train.Float](m *nn.Model[T]) []Symmetry {
	var list []Symmetry
	for _, h := range HiddenLayers(m) {
		switch {
		case h.Together:
			all := Symmetry{Kind: Scale, Layer: h.Layer, Unit: -1}
			for _, unit := range h.Units {
				all.In = append(all.In, unit.In...)
			}
			list = append(list, all)
		case h.Normalised:
			for u, unit := range h.Units {
				list = append(list, Symmetry{Kind: Scale, Layer: h.Layer, Unit: u, In: unit.In})
			}
		case h.Homogeneous:
			for u, unit := range h.Units {
				list = append(list, Symmetry{Kind: Rescaling, Layer: h.Layer, Unit: u, In: unit.In, Out: unit.Out})
			}
		}
		if h.NormHomogeneous {
			for u, unit := range h.Units {
				list = append(list, Symmetry{Kind: Rescaling, Layer: h.NormLayer, Unit: u, In: unit.Norm, Out: unit.Out})
			}
		}
	}
	return append(list, translations(m)...)
}

// translations are those of the last layer where the loss is a softmax's.
func translations[T train.Float](m *nn.Model[T]) []Symmetry {
	rows := m.Rows()
	if len(rows) == 0 || !strings.HasPrefix(m.Loss().String(), "softmax cross-entropy") {
		return nil
	}
	last := rows[len(rows)-1]
	if !strings.HasPrefix(last.Layer, "Dense ") {
		return nil
	}
	var list []Symmetry
	for _, p := range m.Parameters() {
		switch p.Name {
		case last.Name + ".weight":
			for i := range p.Shape[0] {
				s := Symmetry{Kind: Translation, Layer: last.Name, Unit: i}
				for j := range p.Shape[1] {
					s.In = append(s.In, p.Offset+i*p.Shape[1]+j)
				}
				list = append(list, s)
			}
		case last.Name + ".bias":
			s := Symmetry{Kind: Translation, Layer: last.Name, Unit: -1}
			for j := range p.Size() {
				s.In = append(s.In, p.Offset+j)
			}
			list = append(list, s)
		}
	}
	return list
}

// direction sets t to the symmetry's generator at x: 1 on A, θ_A, or θ_1 - θ_2; it
// gives how that generator changes, applied to g, into pg.
func (s *Symmetry) direction(t, pg, x, g []float64) {
	clear(t)
	clear(pg)
	for _, i := range s.In {
		t[i] = 1
		if s.Kind != Translation {
			t[i], pg[i] = x[i], g[i]
		}
	}
	for _, i := range s.Out {
		t[i], pg[i] = -x[i], -g[i]
	}
}

// Conserved is the quantity at x that gradient flow keeps: <θ_A,1>, |θ_A|², or |θ_1|² -
// |θ_2|².
func (s *Symmetry) Conserved(x []float64) float64 {
	sum := 0.0
	for _, i := range s.In {
		if s.Kind == Translation {
			sum += x[i]
		} else {
			sum += x[i] * x[i]
		}
	}
	for _, i := range s.Out {
		sum -= x[i] * x[i]
	}
	return sum
}

// SymmetryResidual is how well the identities of a symmetry hold at a point.
type SymmetryResidual struct {
	Symmetry
	Gradient float64 // |<g,t>| over the sum of the sizes of its terms
	Hessian  float64 // |Ht + Pg| over |Ht| + |Pg|, or over |H||t| where both are 0
}

// CheckSymmetries computes the residuals of the identities that the symmetries
// force on the gradient and the Hessian (Kunin et al. 2021, section 3):
//
//	translation   <g,1_A> = 0          H 1_A = 0
//	scale         <g,t_A> = 0          H t_A + P_A g = 0
//	rescale       <g,t_1> = <g,t_2>    H(t_1 - t_2) + (P_1 - P_2) g = 0
//
// In float64 they are roundings. size is the largest magnitude of an eigenvalue of
// the Hessian, by which what should be 0 is judged.
func CheckSymmetries[T train.Float](ctx context.Context, p *Model[T], list []Symmetry, size float64, progress func(done int)) ([]SymmetryResidual, error) {
	g, _, err := p.Gradient()
	if err != nil {
		return nil, err
	}
	n := len(g)
	x := make([]float64, n)
	for i, v := range p.Params {
		x[i] = float64(v)
	}
	h := &counted{Matrix: p.Hessian()}
	const block = 8
	t, pg, ht := vectors(block, n), vectors(block, n), vectors(block, n)
	out := make([]SymmetryResidual, 0, len(list))
	for at := 0; at < len(list); at += block {
		k := min(block, len(list)-at)
		for i := range k {
			list[at+i].direction(t[i], pg[i], x, g)
		}
		if err := h.Mul(ctx, ht[:k], t[:k]); err != nil {
			return out, err
		}
		for i := range k {
			r := SymmetryResidual{Symmetry: list[at+i]}
			sum, sizes := 0.0, 0.0
			for _, j := range append(slices.Clone(r.In), r.Out...) {
				sum += g[j] * t[i][j]
				sizes += math.Abs(g[j] * t[i][j])
			}
			if sizes > 0 {
				r.Gradient = math.Abs(sum) / sizes
			}
			scaleOf := max(norm(ht[i])+norm(pg[i]), size*norm(t[i]))
			axpy(ht[i], 1, pg[i])
			if scaleOf > 0 {
				r.Hessian = norm(ht[i]) / scaleOf
			}
			out = append(out, r)
		}
		if progress != nil {
			progress(len(out))
		}
	}
	return out, nil
}
