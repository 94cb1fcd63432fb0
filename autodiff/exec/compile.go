package exec

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Inputs lists the nodes whose values change from run to run.
type Inputs []*gorgonia.Node

// Params lists the nodes whose values are a model's parameters.
type Params []*gorgonia.Node

// Options are settings of Compile. The zero value is the default.
type Options struct {
	Pool *parallel.Pool // who runs the program; nil for the pool of the process

	// Late lists more inputs, behind the others and the parameters. What does not
	// depend on them is computed by Prepare, and only the rest by Run: products
	// with many directions at one point, for example.
	Late Inputs
	// Copies is the number of values that each late input can have at once, and
	// each output that depends on one; 0 means 1. RunCopies computes several: each core
	// takes as many small ones together as its cache holds, or one, with memory for their
	// values; very large ones are computed one after another by all cores.
	Copies int
	// Squares lists outputs, by their number, whose sums of squares are wanted beside
	// them: see Program.Squares. None may depend on a late input.
	Squares []int

	alone bool // Pool has one worker, now and always: sums need not be cut for more
	group int  // copies that run together; 0: as many as the cache holds
}

// Compile makes a program that computes the outputs from the inputs and the
// parameters. Every node must have an operation that is an [Op]; package
// autodiff translates those of Gorgonia first.
func Compile[T Float](outputs []*gorgonia.Node, inputs Inputs, params Params, o Options) (*Program[T], error) {
	if o.Copies < 0 || o.Copies > 1 && len(o.Late) == 0 {
		return nil, fmt.Errorf("exec: %d copies of %d late inputs; allowed are 1 and more of at least one (0 means 1)", o.Copies, len(o.Late))
	}
	for _, i := range o.Squares {
		if i < 0 || i >= len(outputs) || len(o.Late) > 0 {
			return nil, fmt.Errorf("exec: squares of output %d of %d, with %d late inputs; allowed are outputs of a program without", i, len(outputs), len(o.Late))
		}
	}
	if _, err := kernel.CPU(); err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	b := newBuilder()
	b.g.copies = max(1, o.Copies)
	given := slices.Concat([]*gorgonia.Node(inputs), []*gorgonia.Node(params), []*gorgonia.Node(o.Late))
	dt := tensor.Float64
	if sizeof[T]() == 4 {
		dt = tensor.Float32
	}
	key, err := lower(b, dt, outputs, given, len(inputs), len(o.Late))
	if err != nil {
		return nil, err
	}
	p, err := assemble[T](b.g, o)
	if err != nil {
		return nil, err
	}
	if key != nil {
		p.key = make([]T, 4)
		p.m.slots[p.inputs[len(given)].slot] = p.key
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
	{"rectify", rectify},
	{"unpool", unpool},
	{"entropy", entropy},
	{"stage", stage},
	{"accumulate", accumulate},
	{"fuse", fuse},
	{"absorb", absorb},
	{"prune", prune},
	{"epilogues", epilogues},
	{"prune", prune},
	{"pretranspose", pretranspose},
	{"winograd", winograd},
	{"sparsify", sparsify},
	{"splitdepth", splitDepth},
	{"tile", tile},
	{"strips", strips},
	{"columnsums", columnSums},
	{"schedule", schedule},
}

func assemble[T Float](g *graph, o Options) (*Program[T], error) {
	g.single = sizeof[T]() == 4
	plain := g.clone()
	for _, p := range passes {
		p.run(g)
	}
	p, err := link[T](g, o)
	if err != nil {
		return nil, err
	}
	p.plain = plain
	return p, nil
}

// link plans the memory of g and binds its instructions to it.
func link[T Float](g *graph, o Options) (*Program[T], error) {
	ownOutputs(g)
	p := &Program[T]{}
	for i := range g.code {
		if in, ok := g.code[i].op.(inputOp); ok {
			shape := g.shape(g.code[i].out)
			q := port{slot: firstSlot + in.slot*g.copies, n: Size(shape), copies: 1, late: in.late, name: in.name, shape: shape}
			if in.late {
				q.copies = g.copies
				p.staged = true
			}
			p.inputs = append(p.inputs, q)
		}
	}
	slices.SortFunc(p.inputs, func(a, b port) int { return a.slot - b.slot })
	plan := makePlan(g, len(p.inputs), o.group)
	if o.Pool == nil {
		o.Pool = parallel.Shared()
	}
	m := &machine[T]{g: g, pool: o.Pool, at: plan.at, alone: o.alone, copies: plan.group}
	p.m = m
	m.startTallies(o.Squares)
	m.slots = make([][]T, firstSlot+(plan.inputs+plan.outputs)*g.copies)
	m.slots[arenaSlot] = NewVector[T](plan.arena)
	m.slots[constSlot] = NewVector[T](len(plan.data))
	for i, x := range plan.data {
		m.slots[constSlot][i] = T(x)
	}
	for i, v := range g.outs {
		q := port{slot: firstSlot + (plan.inputs+i)*g.copies, n: Size(g.shape(v)), copies: 1, late: g.late(v),
			name: fmt.Sprintf("output %d", i), shape: g.shape(v)}
		if q.late {
			q.copies = g.copies
		}
		p.outputs = append(p.outputs, q)
	}
	for i := range g.code {
		in := &g.code[i]
		switch in.op.(type) {
		case viewOp, inputOp, constOp:
			continue
		}
		m.region = nil
		s, err := m.wide(in)
		if err != nil {
			return nil, err
		}
		p.regions = append(p.regions, m.region)
		if p.staged && !in.late {
			p.early = append(p.early, s)
		} else {
			p.steps = append(p.steps, s)
		}
		p.insts = append(p.insts, in)
	}
	m.makeScratch()
	return p, p.openLanes(plan)
}

// makeScratch gives each worker as much memory as an instruction needs at most.
func (m *machine[T]) makeScratch() {
	m.work = make([][]T, m.pool.Workers())
	line := 64 / sizeof[T]()
	each := (m.need + line - 1) / line * line
	all := NewVector[T](each * len(m.work))
	for i := range m.work {
		m.work[i] = all[i*each:][:m.need:m.need]
	}
}

// ownOutputs gives every output an instruction of its own that writes it: a
// copy where it is a view, an input, a constant, or wanted twice.
func ownOutputs(g *graph) {
	seen := map[Value]bool{}
	var early, late []inst
	for i, v := range g.outs {
		d := g.def(v)
		switch d.op.(type) {
		case viewOp, inputOp, constOp:
		default:
			if !seen[v] {
				seen[v] = true
				continue
			}
		}
		in := inst{op: mapOp{[]mapFn{{fn: Copy, operand: 1}}}, in: []Value{v}, out: Value(len(g.vals)), where: d.where, late: d.late}
		g.vals = append(g.vals, val{shape: g.shape(v)})
		g.outs[i] = in.out
		if d.late {
			late = append(late, in)
		} else {
			early = append(early, in)
		}
	}
	at := slices.IndexFunc(g.code, func(in inst) bool { return in.late })
	if at < 0 {
		at = len(g.code)
	}
	g.setCode(slices.Concat(g.code[:at], early, g.code[at:], late))
}
