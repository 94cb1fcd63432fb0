package exec

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// Inputs lists the nodes whose values change from run to run.
type Inputs []*gorgonia.Node

// Params lists the nodes whose values are a model's parameters.
type Params []*gorgonia.Node

// Options are settings of Compile. The zero value is the default.
type Options struct {
	Pool *parallel.Pool // who runs the program; nil for the pool of the process
}

// A Program computes the values of some nodes from the values of others. It is
// not safe for use by several goroutines at once.
type Program[T Float] struct {
	m       *machine[T]
	steps   []step
	insts   []*inst // the instruction of each step
	inputs  []port
	outputs []port
	slot    map[*gorgonia.Node]int // of inputs
	key     []T                    // of random numbers; nil if there are none
}

// port is an input or output: a slot that holds n elements.
type port struct {
	slot, n int
	name    string
	shape   []int
}

// Compile makes a program that computes the outputs from the inputs and the
// parameters. Every node must have an operation that is an [Op]; package
// autodiff translates those of Gorgonia first.
func Compile[T Float](outputs []*gorgonia.Node, inputs Inputs, params Params, o Options) (*Program[T], error) {
	b := newBuilder()
	given := slices.Concat([]*gorgonia.Node(inputs), []*gorgonia.Node(params))
	dt := tensor.Float64
	if sizeof[T]() == 4 {
		dt = tensor.Float32
	}
	key, err := lower(b, dt, outputs, given)
	if err != nil {
		return nil, err
	}
	p, err := assemble[T](b.g, o)
	if err != nil {
		return nil, err
	}
	if key != nil {
		p.key = make([]T, 4)
		given = append(given, key)
		p.m.slots[firstSlot+len(given)-1] = p.key
	}
	p.slot = make(map[*gorgonia.Node]int, len(given))
	for i, n := range given {
		p.slot[n] = i
	}
	return p, nil
}

// pass is one step from a lowered program to one that runs.
type pass struct {
	name string
	run  func(*graph)
}

// passes are what assemble does to a program, in order. Those that improve it
// stand before schedule.
var passes = []pass{
	{"prune", prune},
	{"simplify", simplify},
	{"prune", prune},
	{"schedule", schedule},
}

func assemble[T Float](g *graph, o Options) (*Program[T], error) {
	for _, p := range passes {
		p.run(g)
	}
	return link[T](g, o)
}

// link plans the memory of g and binds its instructions to it.
func link[T Float](g *graph, o Options) (*Program[T], error) {
	ownOutputs(g)
	p := &Program[T]{}
	for i := range g.code {
		if in, ok := g.code[i].op.(inputOp); ok {
			shape := g.shape(g.code[i].out)
			p.inputs = append(p.inputs, port{firstSlot + in.slot, Size(shape), in.name, shape})
		}
	}
	slices.SortFunc(p.inputs, func(a, b port) int { return a.slot - b.slot })
	plan := makePlan(g, len(p.inputs))
	if o.Pool == nil {
		o.Pool = parallel.Shared()
	}
	m := &machine[T]{g: g, pool: o.Pool, at: plan.at}
	m.slots = make([][]T, firstSlot+plan.inputs+plan.outputs)
	m.slots[arenaSlot] = aligned[T](plan.arena)
	m.slots[constSlot] = aligned[T](len(plan.data))
	for i, x := range plan.data {
		m.slots[constSlot][i] = T(x)
	}
	for i, v := range g.outs {
		n := Size(g.shape(v))
		q := port{firstSlot + plan.inputs + i, n, fmt.Sprintf("output %d", i), g.shape(v)}
		p.outputs = append(p.outputs, q)
	}
	for i := range g.code {
		in := &g.code[i]
		switch in.op.(type) {
		case viewOp, inputOp, constOp:
			continue
		}
		s, err := m.bind(in)
		if err != nil {
			return nil, err
		}
		p.steps = append(p.steps, s)
		p.insts = append(p.insts, in)
	}
	m.work = make([][]T, m.pool.Workers())
	for i := range m.work {
		m.work[i] = aligned[T](m.need)
	}
	p.m = m
	return p, nil
}

// ownOutputs gives every output an instruction of its own that writes it: a
// copy where it is a view, an input, a constant, or wanted twice.
func ownOutputs(g *graph) {
	seen := map[Value]bool{}
	for i, v := range g.outs {
		switch g.def(v).op.(type) {
		case viewOp, inputOp, constOp:
		default:
			if !seen[v] {
				seen[v] = true
				continue
			}
		}
		where := g.def(v).where
		g.outs[i] = g.add(mapOp{[]mapFn{{fn: Copy, operand: 1}}}, where, g.shape(v), v)
	}
}

// Set gives the value of an input or parameter: x, in row-major order, is read
// by every later Run and must stay as long as it is set. It is not copied.
func (p *Program[T]) Set(n *gorgonia.Node, x []T) error {
	i, ok := p.slot[n]
	if !ok {
		return fmt.Errorf("exec: node %v is no input of the program", n)
	}
	return p.SetInput(i, x)
}

// SetInput is Set for the input of that number: inputs are numbered in the
// order given to Compile, and parameters after them.
func (p *Program[T]) SetInput(i int, x []T) error {
	if i < 0 || i >= len(p.inputs) {
		return fmt.Errorf("exec: input %d of %d", i, len(p.inputs))
	}
	q := &p.inputs[i]
	if len(x) != q.n {
		return fmt.Errorf("exec: %d numbers for input %q of shape %v, want %d", len(x), q.name, q.shape, q.n)
	}
	p.m.slots[q.slot] = x
	return nil
}

// SetOutput makes later runs write output i to dst, which must not overlap any
// input or other output.
func (p *Program[T]) SetOutput(i int, dst []T) error {
	if i < 0 || i >= len(p.outputs) {
		return fmt.Errorf("exec: output %d of %d", i, len(p.outputs))
	}
	q := &p.outputs[i]
	if len(dst) != q.n {
		return fmt.Errorf("exec: %d numbers for output %d of shape %v, want %d", len(dst), i, q.shape, q.n)
	}
	p.m.slots[q.slot] = dst
	return nil
}

// Output is the value of output i after a Run. The next Run overwrites it.
func (p *Program[T]) Output(i int) []T { return p.m.slots[p.outputs[i].slot] }

// Shape is the shape of output i. The caller must not change it.
func (p *Program[T]) Shape(i int) []int { return p.outputs[i].shape }

// Run computes the outputs. It allocates nothing but, the first time, memory for
// the outputs that SetOutput did not place.
func (p *Program[T]) Run() error {
	if err := p.ready(); err != nil {
		return err
	}
	for _, s := range p.steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// Seed chooses the random numbers of later runs, if the program has any: they
// are a function of seed and step. row is the place of the first example in
// its batch, for a program that runs a slice of one.
func (p *Program[T]) Seed(seed, step uint64, row int) {
	if p.key == nil {
		return
	}
	for i, w := range kernel.Mix(seed, step) {
		p.key[i] = T(w)
	}
	p.key[3] = T(row)
}

// Random tells whether the program draws random numbers by a key of its own.
func (p *Program[T]) Random() bool { return p.key != nil }

func (p *Program[T]) ready() error {
	for i := range p.inputs {
		if q := &p.inputs[i]; p.m.slots[q.slot] == nil && q.n > 0 {
			return fmt.Errorf("exec: input %q of shape %v is not set", q.name, q.shape)
		}
	}
	for _, q := range p.outputs {
		if p.m.slots[q.slot] == nil {
			p.m.slots[q.slot] = aligned[T](q.n)
		}
	}
	return nil
}

// Bytes is the memory of the program: arena, constants, scratch and the outputs
// as they are set.
func (p *Program[T]) Bytes() int {
	n := len(p.m.slots[arenaSlot]) + len(p.m.slots[constSlot]) + p.m.need*len(p.m.work)
	for _, q := range p.outputs {
		n += len(p.m.slots[q.slot])
	}
	return n * sizeof[T]()
}

// Steps is the number of instructions that a Run executes.
func (p *Program[T]) Steps() int { return len(p.steps) }

// String lists the program as it runs, an instruction a line.
func (p *Program[T]) String() string { return p.m.g.String() }

// NonFinite runs the program and names the first tensor that has a NaN or an
// infinity: an input, or the result of an instruction with the layer it
// belongs to. It is empty if there is none.
func (p *Program[T]) NonFinite() (string, error) {
	if err := p.ready(); err != nil {
		return "", err
	}
	for _, q := range p.inputs {
		if at := notFinite(p.m.slots[q.slot]); at >= 0 {
			return fmt.Sprintf("input %q has %v at element %d of shape %v", q.name, p.m.slots[q.slot][at], at, q.shape), nil
		}
	}
	for i, s := range p.steps {
		if err := s(); err != nil {
			return "", err
		}
		in := p.insts[i]
		o := p.m.operand(in.out)
		if at := notFinite(o.data()); at >= 0 {
			name := in.op.String()
			if in.where != "" {
				name = in.where + ": " + name
			}
			return fmt.Sprintf("%s gives %v at element %d of shape %v", name, o.data()[at], at, o.shape), nil
		}
	}
	return "", nil
}

func notFinite[T Float](x []T) int {
	return slices.IndexFunc(x, func(v T) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}
