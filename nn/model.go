package nn

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Float is the number type of a model.
type Float interface{ float32 | float64 }

// Seed determines a model's first parameters.
type Seed uint64

// Param is a parameter or buffer of a model: a named part of a flat vector.
type Param struct {
	Name   string
	Shape  []int
	Offset int // of its first element in Model.Params or Model.Buffers
	Kind   Kind
}

// Size is the number of its elements.
func (p Param) Size() int { return size(p.Shape) }

// A Model is a network with a loss and parameters. The parameters are one flat
// vector, of which each layer's tensors are parts; so are the buffers.
type Model[T Float] struct {
	Params  []T
	Buffers []T

	net      Layer
	loss     Loss
	seed     Seed
	input    []int // of one example
	output   []int
	target   []int
	classes  int
	declared *declarations
	rows     []Row
	blocks   []Block
	hidden   bool            // it marks hidden states
	eval     []*inference[T] // by when they were last used
}

// Build gives the network parameters for inputs of the shape (of one example),
// drawn from the seed. Each parameter depends on the seed, its name and its
// initialiser alone.
func Build[T Float](net Layer, loss Loss, input []int, seed Seed) (*Model[T], error) {
	if isNil(net) || isNil(loss) {
		return nil, fmt.Errorf("nn: build: the network and the loss must not be nil")
	}
	for _, n := range input {
		if n < 1 {
			return nil, fmt.Errorf("nn: build: input of shape %v; all must be at least 1", input)
		}
	}
	if tooLarge(0, input) {
		return nil, fmt.Errorf("nn: build: input of shape %v; at most %d numbers are allowed", input, maxNumbers)
	}
	m := &Model[T]{net: net, loss: loss, seed: seed, input: slices.Clone(input),
		declared: &declarations{at: map[string]int{}, bufferAt: map[string]int{}, open: true}}
	// The batch of two is any: shapes of parameters must not depend on it.
	g, s := m.scope(2, true)
	z := m.apply(s, g)
	m.declared.open = false
	if err := s.Err(); err != nil {
		return nil, err
	}
	if err := fits(z.Shape(), 2, nil); err != nil {
		return nil, err
	}
	m.output = slices.Clone([]int(z.Shape()))[1:]
	m.rows = s.net.rows
	for _, b := range s.net.blocks() {
		m.blocks = append(m.blocks, b.block)
	}
	var err error
	if m.target, m.classes, err = loss.Target(m.output); err != nil {
		return nil, err
	}
	if len(m.declared.params) == 0 {
		return nil, fmt.Errorf("nn: build: the network has no parameters")
	}
	if err := m.draw(); err != nil {
		return nil, err
	}
	// The loss may refuse what the network gives.
	full, err := m.Graph(2, true)
	if err != nil {
		return nil, err
	}
	m.hidden = len(full.Hidden) > 0
	return m, nil
}

// draw sets the first values of parameters and buffers.
func (m *Model[T]) draw() error {
	size := 0
	for _, d := range m.declared.params {
		size += d.Size()
	}
	m.Params = exec.NewVector[T](size)[:0]
	for _, d := range m.declared.params {
		h := fnv.New64a()
		h.Write([]byte(d.Name))
		x := make([]float64, d.Size())
		d.init.Fill(rand.New(rand.NewPCG(uint64(m.seed), h.Sum64())), x, d.Shape, d.fanIn, d.fanOut)
		for _, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("nn: parameter %q: the initialiser %s gives %v", d.Name, d.init, v)
			}
			m.Params = append(m.Params, T(v))
		}
	}
	for _, d := range m.declared.buffers {
		for range d.Size() {
			m.Buffers = append(m.Buffers, T(d.constants))
		}
	}
	return nil
}

// Input is the shape of one example's input, Output that of its output. The
// caller must not change them.
func (m *Model[T]) Input() []int  { return m.input }
func (m *Model[T]) Output() []int { return m.output }

// Target is the shape of one example's target and, if it is a class number,
// the number of classes.
func (m *Model[T]) Target() (shape []int, classes int) { return m.target, m.classes }

// HasHidden tells whether the network marks hidden states (see Scope.Hidden).
func (m *Model[T]) HasHidden() bool { return m.hidden }

// Loss is the loss the model was built with.
func (m *Model[T]) Loss() Loss { return m.loss }

// Joint tells whether the loss couples its examples, as log-sum-exp does, so that
// it is no mean of what it is on parts of them. Such a Loss says so by a method
// Joint.
func (m *Model[T]) Joint() bool { return isJoint(m.loss) }

// Parameters lists the parameters in the order of Params.
func (m *Model[T]) Parameters() []Param { return undeclared(m.declared.params) }

// BufferList lists the buffers in the order of Buffers.
func (m *Model[T]) BufferList() []Param { return undeclared(m.declared.buffers) }

func undeclared(ds []declared) []Param {
	ps := make([]Param, len(ds))
	for i, d := range ds {
		ps[i] = d.Param
	}
	return ps
}

// Tensor is the part of Params or Buffers that has the name, or nil.
func (m *Model[T]) Tensor(name string) []T {
	if i, ok := m.declared.at[name]; ok {
		p := m.declared.params[i]
		return m.Params[p.Offset : p.Offset+p.Size()]
	}
	if i, ok := m.declared.bufferAt[name]; ok {
		p := m.declared.buffers[i]
		return m.Buffers[p.Offset : p.Offset+p.Size()]
	}
	return nil
}

// A Graph is a model written for one batch size.
type Graph struct {
	X, Y            *Node   // inputs: examples and targets
	Params, Buffers []*Node // in the model's order
	Output          *Node   // [batch, output...]
	Layers          []*Node // [batch, ...], the output of each layer of Rows
	Hidden          []*Node // the states that Scope.Hidden has marked, in order
	Loss            *Node   // a scalar: the mean loss
	Penalty         *Node   // the part of Loss for the parameters alone; nil for none
	Metrics         []Metric
	Updates         []*Node // what each buffer becomes after a training step; nil if it stays
	Statistics      []*Node // in training, the batch's statistic that each buffer is a running average of; nil if it is not one

	scope *Scope
	loss  Loss
	sites []*site // of the blocks
}

// OutputHessian is the product of the Hessian of the loss with respect to the
// output and u.
func (g *Graph) OutputHessian(u *Node) (*Node, error) {
	h := g.loss.OutputHessian(g.scope, g.Output, g.Y, u)
	return h, g.scope.Err()
}

// GaussNewton is the product of the Gauss-Newton matrix of the loss with a
// direction, a tensor for each parameter: J'CJ with the Jacobian J of the output
// and the Hessian C of the loss in it, and the Hessian of the penalty where there
// is one.
func (g *Graph) GaussNewton(v []*Node) ([]*Node, error) {
	h := func(_, u *Node) (*Node, error) { return g.OutputHessian(u) }
	product, err := autodiff.GGNWith(h, g.Output, g.Params, v)
	if err != nil {
		return nil, err
	}
	return g.addPenalty(product, v)
}

// Structural is the product of the matrix of structural damping with a direction,
// a tensor for each parameter: the mean over examples of J'J, J the Jacobian of
// the marked hidden states, which is how much a step changes them (Martens &
// Sutskever 2011, with the squared distance).
func (g *Graph) Structural(v []*Node) ([]*Node, error) {
	if len(g.Hidden) == 0 {
		return nil, fmt.Errorf("nn: the network marks no hidden states")
	}
	change, err := autodiff.JVP(g.Hidden, g.Params, v)
	if err != nil {
		return nil, err
	}
	for i, c := range change {
		change[i] = g.scope.Mul(c, g.scope.Const(1/batch(g.scope, c)))
	}
	if err := g.scope.Err(); err != nil {
		return nil, err
	}
	return autodiff.VJP(g.Hidden, g.Params, change)
}

// dtype is the number type of a graph for T.
func dtype[T Float]() tensor.Dtype {
	var x T
	if _, ok := any(x).(float32); ok {
		return tensor.Float32
	}
	return tensor.Float64
}

// scope begins a graph.
func (m *Model[T]) scope(batch int, training bool) (*Graph, *Scope) {
	eg := gorgonia.NewGraph()
	dt := dtype[T]()
	net := &graphing{g: eg, dt: dt, training: training, declared: m.declared, params: map[string]*Node{},
		buffers: map[string]*Node{}, updates: map[string]*Node{}, averaged: map[string][]*Node{}, owners: map[string]owner{}}
	s := newScope(ops.NewBuilder(eg, dt), net)
	return &Graph{X: autodiff.NewInput(eg, dt, "x", append([]int{batch}, m.input...)...), scope: s, loss: m.loss}, s
}

// apply applies the network to the input.
func (m *Model[T]) apply(s *Scope, g *Graph) *Node {
	if q, ok := m.net.(Sequential); ok {
		return q.Apply(s, g.X)
	}
	return s.Layer(m.net, g.X)
}

// fits refuses an output that is not one for each example of a batch, of the
// given shape if that is known.
func fits(got []int, batch int, output []int) error {
	switch {
	case len(got) == 0 || got[0] != batch:
		return fmt.Errorf("nn: the network gives shape %v for a batch of %d; the first axis must be the batch", got, batch)
	case output != nil && !slices.Equal(got[1:], output):
		return fmt.Errorf("nn: the network gives shape %v for a batch of %d, want %v for each example", got, batch, output)
	}
	return nil
}

// Graph writes the model for a batch of the given size, for training or not.
func (m *Model[T]) Graph(batch int, training bool) (*Graph, error) {
	if batch < 1 {
		return nil, fmt.Errorf("nn: a batch of %d examples", batch)
	}
	g, s := m.scope(batch, training)
	g.Output = m.apply(s, g)
	g.Layers = s.net.layers
	if err := s.Err(); err != nil {
		return nil, err
	}
	if err := fits(g.Output.Shape(), batch, m.output); err != nil {
		return nil, err
	}
	g.sites = s.net.blocks()
	for _, p := range m.declared.params {
		n := s.net.params[p.Name]
		if n == nil {
			return nil, fmt.Errorf("nn: parameter %q is not used in this graph; layers must declare the same parameters each time", p.Name)
		}
		g.Params = append(g.Params, n)
	}
	for _, p := range m.declared.buffers {
		g.Buffers = append(g.Buffers, s.net.buffers[p.Name])
		g.Updates = append(g.Updates, s.net.updates[p.Name])
		g.Statistics = append(g.Statistics, s.meanOf(s.net.averaged[p.Name]))
	}
	g.Hidden = s.net.hidden
	g.Y = autodiff.NewInput(s.net.g, s.net.dt, "y", append([]int{batch}, m.target...)...)
	s.In("loss")
	g.Loss = m.loss.Loss(s, g.Output, g.Y)
	if p, ok := m.loss.(Penalised); ok {
		g.Penalty = p.Penalty(s)
	}
	g.Metrics = m.loss.Metrics(s, g.Output, g.Y)
	s.In("")
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("nn: %s: %w", m.loss, err)
	}
	if len(g.Loss.Shape()) != 0 {
		return nil, fmt.Errorf("nn: %s gives shape %v; want a scalar", m.loss, []int(g.Loss.Shape()))
	}
	return g, nil
}

// Bind makes a program compiled from g read its parameters from the flat vector
// params, of the model's layout, and its buffers from the model's own. They are
// read at every run.
func (m *Model[T]) Bind(g *Graph, p *exec.Program[T], params []T) error {
	if len(params) != len(m.Params) {
		return fmt.Errorf("nn: bind: %d parameters, the model has %d", len(params), len(m.Params))
	}
	for i, d := range m.declared.params {
		if err := p.Set(g.Params[i], params[d.Offset:d.Offset+d.Size()]); err != nil {
			return err
		}
	}
	for i, d := range m.declared.buffers {
		if g.Buffers[i] == nil {
			continue
		}
		if err := p.Set(g.Buffers[i], m.Buffers[d.Offset:d.Offset+d.Size()]); err != nil {
			return err
		}
	}
	return nil
}
