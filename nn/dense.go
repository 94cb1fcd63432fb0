package nn

import "fmt"

// Dense multiplies vectors [n, in] by a weight [in, Units] and adds a bias
// [Units].
type Dense struct {
	Units    int
	NoBias   bool
	Init     Init // of the weight; nil means GlorotUniform
	BiasInit Init // nil means Zeros
}

func (d Dense) String() string { return fmt.Sprintf("Dense %d", d.Units) }

// Apply gives x w + b.
func (d Dense) Apply(s *Scope, x *Node) *Node {
	shape := s.Shape(x)
	if s.Err() != nil {
		return nil
	}
	if len(shape) < 2 {
		return s.Failf("input of shape %v, want a batch of vectors", shape)
	}
	if d.Units < 1 {
		return s.Failf("%d units; at least 1 is needed", d.Units)
	}
	if len(shape) > 2 {
		return s.Failf("input of shape %v, want a batch of vectors; put a Flatten before it", shape)
	}
	in := shape[1]
	if w := s.known("weight"); len(w) == 2 && w[0] != in {
		return s.Failf("input has %d features, weight wants %d (it has the shape %v)", in, w[0], w)
	}
	w := s.param("weight", Weight, or(d.Init, GlorotUniform), in, d.Units, []int{in, d.Units})
	y := s.MatMul(x, w)
	var b *Node
	if !d.NoBias {
		b = s.param("bias", Bias, or(d.BiasInit, Zeros), in, d.Units, []int{d.Units})
		y = s.Add(y, b)
	}
	s.site(Block{In: in, Out: d.Units, Groups: 1}, y, []*Node{w, b}, func(*Scope) *Node { return x }, itself)
	return y
}

func or(init, def Init) Init {
	if init == nil {
		return def
	}
	return init
}

// Flatten makes one axis of all axes behind the batch.
type Flatten struct{}

// Apply gives [n, all the rest].
func (Flatten) Apply(s *Scope, x *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Reshape(x, s.Shape(x)[0], size(s.Shape(x)[1:]))
}

// Reshape gives each example the shape To, of which one axis may be -1.
type Reshape struct{ To []int }

func (r Reshape) String() string { return fmt.Sprintf("Reshape %v", r.To) }

// Apply gives [n, To...].
func (r Reshape) Apply(s *Scope, x *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Reshape(x, append([]int{s.Shape(x)[0]}, r.To...)...)
}

// Dropout sets, in training, each element to zero with probability Rate and
// divides the others by 1-Rate. The mask is a function of the run's seed, the
// step and the place of the example in its batch.
type Dropout struct{ Rate float64 }

func (d Dropout) String() string { return fmt.Sprintf("Dropout %g", d.Rate) }

// Apply drops elements in training and is the identity otherwise.
func (d Dropout) Apply(s *Scope, x *Node) *Node {
	if !(d.Rate >= 0 && d.Rate < 1) {
		return s.Failf("rate %v; it must be at least 0 and below 1", d.Rate)
	}
	stream := s.Stream()
	if !s.Training() || s.Err() != nil {
		return x
	}
	return s.Builder.Dropout(x, d.Rate, s.Key(), stream)
}
