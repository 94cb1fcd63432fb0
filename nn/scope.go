package nn

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Scope is the place in a network at which a layer is applied. It has the
// methods of an ops.Builder and declares the layer's parameters.
type Scope struct {
	*ops.Builder
	net      *graphing
	path     string         // of this layer, as "conv1"
	kinds    map[string]int // layers of each kind so far, in this scope
	absolute bool           // parameters are named without the scope around
}

// graphing is a network while it is written to a graph.
type graphing struct {
	g        *gorgonia.ExprGraph
	dt       tensor.Dtype
	training bool
	declared *declarations
	params   map[string]*Node
	buffers  map[string]*Node
	updates  map[string]*Node
	streams  uint32
	names    map[string]bool // of Named layers
	rows     []Row           // of the summary
}

// declarations are the parameters and buffers of a network, in the order in
// which its layers first ask for them.
type declarations struct {
	params, buffers []declared
	at              map[string]int // of parameters
	bufferAt        map[string]int
	open            bool // new ones may come
}

type declared struct {
	Param
	init      Init
	fanIn     int
	fanOut    int
	constants float64 // a buffer's first value
}

// Training tells whether the graph is for training: whether dropout drops and
// batch normalisation uses the statistics of the batch.
func (s *Scope) Training() bool { return s.net.training }

// Failf records an error at this layer.
func (s *Scope) Failf(format string, args ...any) *Node {
	s.Fail(fmt.Errorf(format, args...))
	return nil
}

// Layer applies l to x under a name of its own.
func (s *Scope) Layer(l Layer, x *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	if l == nil {
		return s.Failf("nn: %s: a layer is nil", s.where())
	}
	name := ""
	child := &Scope{Builder: s.Builder, net: s.net, kinds: map[string]int{}}
	switch v := l.(type) {
	case Named:
		name = v.Name
		if path := s.join(name); name == "" || s.net.names[path] {
			return s.Failf("nn: %s: name %q is empty or used before; share parameters with Shared", s.where(), path)
		}
		s.net.names[s.join(name)] = true
		child.path = s.join(name)
	case Shared:
		if v.Name == "" {
			return s.Failf("nn: %s: a Shared layer needs a name", s.where())
		}
		child.path = v.Name
	default:
		k := kind(l)
		s.kinds[k]++
		name = fmt.Sprintf("%s%d", k, s.kinds[k])
		child.path = s.join(name)
	}
	before := s.In(child.path)
	params := len(s.net.declared.params)
	first := len(s.net.rows)
	y := l.Apply(child, x)
	s.In(before)
	if err := s.Err(); err != nil {
		s.wrap(child.path, l)
		return nil
	}
	if y == nil {
		return s.Failf("nn: %s (%s): it gave no node", child.path, describe(l))
	}
	if len(s.net.rows) == first { // its own layers have rows of their own
		n := 0
		for _, p := range s.net.declared.params[params:] {
			n += size(p.Shape)
		}
		s.net.rows = append(s.net.rows, Row{Name: child.path, Layer: describe(l), Output: slices.Clone([]int(y.Shape()))[1:], Params: n})
	}
	return y
}

func (s *Scope) where() string {
	if s.path == "" {
		return "network"
	}
	return s.path
}

func (s *Scope) join(name string) string {
	if s.path == "" {
		return name
	}
	return s.path + "." + name
}

// layerError is an error that already names its layer.
type layerError struct{ error }

// wrap makes the error name the innermost layer.
func (s *Scope) wrap(path string, l Layer) {
	err := s.Err()
	var le layerError
	if errors.As(err, &le) {
		return
	}
	var oe *ops.Error
	if errors.As(err, &oe) {
		err = oe.Err
	}
	s.Refail(layerError{fmt.Errorf("nn: %s (%s): %w", path, describe(l), err)})
}

// Kind says what a parameter is, for rules that treat kinds differently.
type Kind uint8

// The kinds of parameters.
const (
	Weight Kind = iota
	Bias
	Norm // scale and shift of a normalisation
)

func (k Kind) String() string { return [...]string{"weight", "bias", "norm"}[k] }

// Param is the parameter of this layer of the given name, declared on first
// use. A parameter named bias is of the kind Bias.
func (s *Scope) Param(name string, init Init, shape ...int) *Node {
	k := Weight
	if name == "bias" {
		k = Bias
	}
	in, out := fans(shape)
	return s.param(name, k, init, in, out, shape)
}

func (s *Scope) param(name string, k Kind, init Init, fanIn, fanOut int, shape []int) *Node {
	if s.Err() != nil {
		return nil
	}
	full := s.join(name)
	if n, ok := s.net.params[full]; ok {
		if !slices.Equal([]int(n.Shape()), shape) {
			return s.Failf("parameter %q has the shape %v, here it would need %v", full, n.Shape(), shape)
		}
		return n
	}
	d := s.net.declared
	if i, ok := d.at[full]; ok {
		if !slices.Equal(d.params[i].Shape, shape) {
			return s.Failf("parameter %q has the shape %v, for this input it would need %v", full, d.params[i].Shape, shape)
		}
	} else {
		if !d.open {
			return s.Failf("parameter %q did not exist when the model was built", full)
		}
		for _, n := range shape {
			if n < 1 {
				return s.Failf("parameter %q would have the shape %v", full, shape)
			}
		}
		if init == nil {
			return s.Failf("parameter %q has no initialiser", full)
		}
		offset := 0
		if n := len(d.params); n > 0 {
			offset = d.params[n-1].Offset + size(d.params[n-1].Shape)
		}
		d.at[full] = len(d.params)
		d.params = append(d.params, declared{Param: Param{full, slices.Clone(shape), offset, k}, init: init, fanIn: fanIn, fanOut: fanOut})
	}
	n := autodiff.NewInput(s.net.g, s.net.dt, full, shape...)
	s.net.params[full] = n
	return n
}

// Buffer is a tensor of this layer that is saved with the parameters but not
// trained, such as a running mean. Its elements begin as x. What it becomes
// after a training step is set with [Scope.Update].
func (s *Scope) Buffer(name string, x float64, shape ...int) *Node {
	if s.Err() != nil {
		return nil
	}
	full := s.join(name)
	if n, ok := s.net.buffers[full]; ok {
		return n
	}
	d := s.net.declared
	if _, ok := d.bufferAt[full]; !ok {
		if !d.open {
			return s.Failf("buffer %q did not exist when the model was built", full)
		}
		offset := 0
		if n := len(d.buffers); n > 0 {
			offset = d.buffers[n-1].Offset + size(d.buffers[n-1].Shape)
		}
		d.bufferAt[full] = len(d.buffers)
		d.buffers = append(d.buffers, declared{Param: Param{full, slices.Clone(shape), offset, Norm}, constants: x})
	}
	n := autodiff.NewInput(s.net.g, s.net.dt, full, shape...)
	s.net.buffers[full] = n
	return n
}

// Update makes value what the buffer of that name becomes after a training
// step. Outside training it does nothing.
func (s *Scope) Update(name string, value *Node) {
	if s.Err() == nil && s.Training() {
		s.net.updates[s.join(name)] = s.StopGradient(value)
	}
}

// Stream is a number for the random numbers of this layer, of its own in the
// network (see ops.Builder.Uniform).
func (s *Scope) Stream() uint32 {
	s.net.streams++
	return s.net.streams
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
