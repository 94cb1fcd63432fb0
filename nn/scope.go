package nn

import (
	"errors"
	"fmt"
	"iter"
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
	net    *graphing
	path   string          // of this layer, as "conv1"
	shared string          // name of the Shared layer around, if any
	kinds  map[string]int  // layers of each kind so far, in this scope
	names  map[string]bool // of the layers in this scope
}

func newScope(b *ops.Builder, net *graphing) *Scope {
	return &Scope{Builder: b, net: net, kinds: map[string]int{}, names: map[string]bool{}}
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
	averaged map[string][]*Node // of each buffer, the batch's statistics that it averages
	owners   map[string]owner   // of parameters and buffers
	streams  uint32
	rows     []Row   // of the summary
	layers   []*Node // their outputs
	sites    []*site
	hidden   []*Node // marked by Hidden
}

// owner says which layer a tensor belongs to. Layers that share are one.
type owner struct {
	layer  *Scope
	shared string
	buffer bool
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
	refuse := func(format string, args ...any) *Node {
		s.Fail(layerError{fmt.Errorf("nn: %s: %s", s.where(), fmt.Sprintf(format, args...))})
		return nil
	}
	if isNil(l) {
		return refuse("a layer is nil")
	}
	child := newScope(s.Builder, s.net)
	child.shared = s.shared
	switch v := l.(type) {
	case Named:
		if v.Name == "" || s.names[v.Name] {
			return refuse("the name %q is empty or used before; share parameters with Shared", v.Name)
		}
		s.names[v.Name] = true
		child.path = s.join(v.Name)
	case Shared:
		if v.Name == "" {
			return refuse("a Shared layer needs a name")
		}
		child.path, child.shared = v.Name, v.Name
	default:
		k := kind(l)
		name := ""
		for name == "" || s.names[name] {
			s.kinds[k]++
			name = fmt.Sprintf("%s%d", k, s.kinds[k])
		}
		s.names[name] = true
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
	if y == nil || y.Shape().Dims() == 0 {
		what := "no node"
		if y != nil {
			what = fmt.Sprintf("a number for a batch of shape %v", []int(x.Shape()))
		}
		s.Fail(layerError{fmt.Errorf("nn: %s (%s): it gives %s", child.path, describe(l), what)})
		return nil
	}
	if tooLarge(0, y.Shape()) {
		s.Fail(layerError{fmt.Errorf("nn: %s (%s): it gives shape %v; at most %d numbers are allowed", child.path, describe(l), []int(y.Shape()), maxNumbers)})
		return nil
	}
	if len(s.net.rows) == first { // its own layers have rows of their own
		n := 0
		for _, p := range s.net.declared.params[params:] {
			n += size(p.Shape)
		}
		s.net.rows = append(s.net.rows, Row{Name: child.path, Layer: describe(l), Output: slices.Clone([]int(y.Shape()))[1:], Params: n})
		s.net.layers = append(s.net.layers, y)
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
	if !s.own(full, false) {
		return nil
	}
	if n, ok := s.net.params[full]; ok {
		if !slices.Equal([]int(n.Shape()), shape) {
			return s.Failf("parameter %q has the shape %v, here it would need %v", full, []int(n.Shape()), shape)
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
		if isNil(init) {
			return s.Failf("parameter %q has no initialiser", full)
		}
		offset := end(d.params)
		if tooLarge(offset, shape) {
			return s.Failf("parameter %q would have the shape %v after %d parameters of other layers; a model has at most %d", full, shape, offset, maxNumbers)
		}
		d.at[full] = len(d.params)
		d.params = append(d.params, declared{Param: Param{full, slices.Clone(shape), offset, k}, init: init, fanIn: fanIn, fanOut: fanOut})
	}
	n := autodiff.NewInput(s.net.g, s.net.dt, full, shape...)
	s.net.params[full] = n
	return n
}

// Params are the network's parameters and their nodes, in the model's order: for
// losses that look at them. Layers come before the loss, so that it sees all.
func (s *Scope) Params() iter.Seq2[Param, *Node] {
	return func(yield func(Param, *Node) bool) {
		for _, d := range s.net.declared.params {
			if n := s.net.params[d.Name]; n != nil && !yield(d.Param, n) {
				return
			}
		}
	}
}

// known is the shape of the layer's parameter of that name where it has one
// already, from an earlier place in the network or an earlier graph.
func (s *Scope) known(name string) []int {
	if i, ok := s.net.declared.at[s.join(name)]; ok {
		return s.net.declared.params[i].Shape
	}
	return nil
}

// own tells whether a parameter or buffer is that of this layer, by asking for
// it first or by sharing.
func (s *Scope) own(full string, buffer bool) bool {
	me := owner{layer: s, shared: s.shared, buffer: buffer}
	if s.shared != "" {
		me.layer = nil
	}
	was, ok := s.net.owners[full]
	switch {
	case !ok:
		s.net.owners[full] = me
	case was.buffer != buffer:
		s.Failf("%q is both a parameter and a buffer", full)
	case was != me:
		s.Failf("%q belongs to another layer already; name the layers apart or make both Shared", full)
	}
	return s.Err() == nil
}

// Buffer is a tensor of this layer that is saved with the parameters but not
// trained, such as a running mean. Its elements begin as x. What it becomes
// after a training step is set with [Scope.Update].
func (s *Scope) Buffer(name string, x float64, shape ...int) *Node {
	if s.Err() != nil {
		return nil
	}
	full := s.join(name)
	if !s.own(full, true) {
		return nil
	}
	d := s.net.declared
	if i, ok := d.bufferAt[full]; ok {
		if !slices.Equal(d.buffers[i].Shape, shape) {
			return s.Failf("buffer %q has the shape %v, here it would need %v", full, d.buffers[i].Shape, shape)
		}
	} else {
		if !d.open {
			return s.Failf("buffer %q did not exist when the model was built", full)
		}
		for _, n := range shape {
			if n < 1 {
				return s.Failf("buffer %q would have the shape %v", full, shape)
			}
		}
		offset := end(d.buffers)
		if tooLarge(offset, shape) {
			return s.Failf("buffer %q would have the shape %v after %d numbers in other buffers; a model has at most %d", full, shape, offset, maxNumbers)
		}
		d.bufferAt[full] = len(d.buffers)
		d.buffers = append(d.buffers, declared{Param: Param{full, slices.Clone(shape), offset, Norm}, constants: x})
	}
	if n, ok := s.net.buffers[full]; ok {
		return n
	}
	n := autodiff.NewInput(s.net.g, s.net.dt, full, shape...)
	s.net.buffers[full] = n
	return n
}

// Update makes value what the buffer of that name becomes after a training
// step; it has the buffer's shape. Outside training it does nothing.
func (s *Scope) Update(name string, value *Node) {
	if s.Err() != nil {
		return
	}
	full := s.join(name)
	buffer := s.net.buffers[full]
	switch {
	case buffer == nil:
		s.Failf("buffer %q is updated but not declared", full)
	case value == nil || !value.Shape().Eq(buffer.Shape()):
		got := "no node"
		if value != nil {
			got = fmt.Sprintf("the shape %v", []int(value.Shape()))
		}
		s.Failf("buffer %q has the shape %v, its update %s", full, []int(buffer.Shape()), got)
	case s.Training():
		s.net.updates[full] = s.StopGradient(value)
	}
}

// Statistic says that a buffer is a running average of value, a statistic of the
// batch: who wants the average at other parameters computes it of these.
func (s *Scope) Statistic(name string, value *Node) {
	if s.Err() != nil {
		return
	}
	full := s.join(name)
	if buffer := s.net.buffers[full]; buffer == nil || value == nil || !value.Shape().Eq(buffer.Shape()) {
		s.Failf("buffer %q is not declared, or its statistic has another shape", full)
		return
	}
	s.net.averaged[full] = append(s.net.averaged[full], s.StopGradient(value))
}

// meanOf is the mean of the statistics of layers that share a buffer, or nil.
func (s *Scope) meanOf(list []*Node) *Node {
	if len(list) < 2 {
		if len(list) == 0 {
			return nil
		}
		return list[0]
	}
	sum := list[0]
	for _, v := range list[1:] {
		sum = s.Add(sum, v)
	}
	return s.Mul(s.Const(1/float64(len(list))), sum)
}

// pending is what the buffer becomes by what has been applied so far: itself,
// unless a layer that shares it stands before this one.
func (s *Scope) pending(name string) *Node {
	if u := s.net.updates[s.join(name)]; u != nil {
		return u
	}
	return s.net.buffers[s.join(name)]
}

// Hidden marks h as a hidden state, whose change structural damping makes small
// (see optimizers.StructuralDamping), and returns it: the state of a recurrent
// net after each time step, above all. Its first axis is the batch.
func (s *Scope) Hidden(h *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	s.net.hidden = append(s.net.hidden, h)
	return h
}

// Stream is a number for the random numbers of this layer, of its own in the
// network (see ops.Builder.Uniform).
func (s *Scope) Stream() uint32 {
	s.net.streams++
	return s.net.streams
}

// maxNumbers limits parameters, buffers and what one layer gives: enough for
// all that a computer can train, so that a mistyped size is an error and no
// attempt to find the memory.
const maxNumbers = 1<<31 - 1

// tooLarge tells whether a tensor of the shape and the numbers before it are
// more than maxNumbers.
func tooLarge(before int, shape []int) bool {
	n := 1
	for _, d := range shape {
		if d > 0 && n > maxNumbers/d {
			return true
		}
		n *= d
	}
	return n > maxNumbers-before
}

// end is the number of elements in all of a list.
func end(ds []declared) int {
	if len(ds) == 0 {
		return 0
	}
	last := ds[len(ds)-1]
	return last.Offset + last.Size()
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
