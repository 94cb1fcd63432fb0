package exec

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/saddle-ml/saddle/internal/kernel"
	"gorgonia.org/gorgonia"
)

// A Program computes the values of some nodes from the values of others. It is
// not safe for use by several goroutines at once.
type Program[T Float] struct {
	m        *machine[T]
	early    []wide  // what Prepare runs
	steps    []wide  // what Run runs
	insts    []*inst // the instructions of early, then of steps
	inputs   []port
	outputs  []port
	slot     map[*gorgonia.Node]int // of inputs
	key      []T                    // of random numbers; nil if there are none
	staged   bool
	prepared bool
	lanes    lanes[T]     // if copies run at the same time
	plain    *graph       // the program as it was lowered
	regions  []*region[T] // of each instruction; nil where it is none
	prof     *profiler    // nil if nothing is measured
}

// port is an input or output of n elements, with a slot for each copy.
type port struct {
	slot, n int
	copies  int
	late    bool
	name    string
	shape   []int
}

// Set gives the value of an input or parameter: x, in row-major order, is read
// by every later Run, or Prepare if the input is not late, and must stay as
// long as it is set. It is not copied.
func (p *Program[T]) Set(n *gorgonia.Node, x []T) error { return p.SetCopy(n, 0, x) }

// SetCopy is Set for one copy of a late input, counted from 0.
func (p *Program[T]) SetCopy(n *gorgonia.Node, copy int, x []T) error {
	i, ok := p.slot[n]
	if !ok {
		return fmt.Errorf("exec: node %v is no input of the program", n)
	}
	return p.set(i, copy, x)
}

// SetInput is Set for the input of that number: inputs are numbered in the
// order given to Compile, parameters after them and late inputs at the end.
func (p *Program[T]) SetInput(i int, x []T) error { return p.set(i, 0, x) }

func (p *Program[T]) set(i, copy int, x []T) error {
	if i < 0 || i >= len(p.inputs) {
		return fmt.Errorf("exec: input %d of %d", i, len(p.inputs))
	}
	return p.m.place(&p.inputs[i], "input "+strconv.Quote(p.inputs[i].name), copy, x)
}

// SetOutput makes later runs write output i to dst, which must not overlap any
// input or other output.
func (p *Program[T]) SetOutput(i int, dst []T) error { return p.SetOutputCopy(i, 0, dst) }

// SetOutputCopy is SetOutput for one copy of an output.
func (p *Program[T]) SetOutputCopy(i, copy int, dst []T) error {
	if i < 0 || i >= len(p.outputs) {
		return fmt.Errorf("exec: output %d of %d", i, len(p.outputs))
	}
	return p.m.place(&p.outputs[i], p.outputs[i].name, copy, dst)
}

// place fills a slot.
func (m *machine[T]) place(q *port, name string, copy int, x []T) error {
	if copy < 0 || copy >= q.copies {
		return fmt.Errorf("exec: copy %d of %s; it has %d", copy, name, q.copies)
	}
	if len(x) != q.n {
		return fmt.Errorf("exec: %d numbers for %s of shape %v, want %d", len(x), name, q.shape, q.n)
	}
	m.slots[q.slot+copy] = x
	return nil
}

// Output is the value of output i after a Run. The next Run overwrites it.
func (p *Program[T]) Output(i int) []T { return p.OutputCopy(i, 0) }

// OutputCopy is Output for one copy.
func (p *Program[T]) OutputCopy(i, copy int) []T { return p.m.slots[p.outputs[i].slot+copy] }

// Shape is the shape of output i. The caller must not change it.
func (p *Program[T]) Shape(i int) []int { return p.outputs[i].shape }

// Run computes the outputs; of a program with late inputs, only those that
// depend on them, at what Prepare found. It allocates nothing but, the first
// time, memory for the outputs that SetOutput did not place.
func (p *Program[T]) Run() error { return p.RunCopies(1) }

// Prepare computes what does not depend on late inputs, once for many runs.
func (p *Program[T]) Prepare() error {
	p.prepared = false
	if err := p.ready(1); err != nil {
		return err
	}
	if err := p.all(p.early, 0, 0, 1); err != nil {
		return err
	}
	p.prepared = true
	return nil
}

// RunCopies is Run for the first n copies of the late inputs at once.
func (p *Program[T]) RunCopies(n int) error {
	switch {
	case n < 1 || n > p.m.g.copies:
		return fmt.Errorf("exec: %d copies; the program has %d", n, p.m.g.copies)
	case p.staged && !p.prepared:
		return errors.New("exec: Run before Prepare")
	}
	if err := p.ready(n); err != nil {
		return err
	}
	done, err := p.runLanes(n)
	for k := 0; k < n && err == nil && !done; k += p.m.copies {
		p.m.first = k
		err = p.all(p.steps, len(p.early), k, min(p.m.copies, n-k))
	}
	p.m.first = 0
	return err
}

// all runs steps, the first of which has the given number, for some copies.
func (p *Program[T]) all(steps []wide, first, copy, copies int) error {
	if p.prof != nil {
		return p.measured(steps, first, copy, copies)
	}
	for _, s := range steps {
		if err := s(copy, copies); err != nil {
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

// ready checks that the inputs have values, the late ones n copies of them if
// all else is prepared, and that the outputs have places.
func (p *Program[T]) ready(n int) error {
	for i := range p.inputs {
		q := &p.inputs[i]
		if q.n == 0 || q.late && !p.prepared {
			continue
		}
		for k := range min(n, q.copies) {
			if p.m.slots[q.slot+k] == nil {
				return fmt.Errorf("exec: input %q of shape %v is not set", q.name, q.shape)
			}
		}
	}
	for i := range p.outputs {
		q := &p.outputs[i]
		for k := range min(n, q.copies) {
			if p.m.slots[q.slot+k] == nil {
				p.m.slots[q.slot+k] = aligned[T](q.n)
			}
		}
	}
	return nil
}

// Bytes is the memory of the program: arena, constants, scratch, partial sums and
// the outputs as they are set.
func (p *Program[T]) Bytes() int {
	n := len(p.m.slots[arenaSlot]) + len(p.m.slots[constSlot]) + p.m.memory()
	for _, l := range p.lanes.list {
		if l.m != p.m {
			n += l.m.memory()
		}
	}
	for _, q := range p.outputs {
		for k := range q.copies {
			n += len(p.m.slots[q.slot+k])
		}
	}
	return n * sizeof[T]()
}

// Steps is the number of instructions, those of Prepare included.
func (p *Program[T]) Steps() int { return len(p.insts) }

// String lists the program as it runs, an instruction a line.
func (p *Program[T]) String() string { return p.m.g.String() }

// NonFinite runs the program as it was written, every operation by itself, for
// the first copy of late inputs, and names the first tensor that has a NaN or an
// infinity: an input, or the result of an operation with the layer it belongs
// to. It is empty if there is none.
func (p *Program[T]) NonFinite() (string, error) {
	if err := p.ready(1); err != nil {
		return "", err
	}
	for _, q := range p.inputs {
		if at := notFinite(p.m.slots[q.slot]); at >= 0 {
			return fmt.Sprintf("input %q has %v at element %d of shape %v", q.name, p.m.slots[q.slot][at], at, q.shape), nil
		}
	}
	g := p.plain.clone()
	g.copies = 1
	prune(g)
	q, err := link[T](g, Options{Pool: p.m.pool})
	if err != nil {
		return "", err
	}
	for i, from := range p.inputs {
		q.m.slots[q.inputs[i].slot] = p.m.slots[from.slot]
	}
	if err := q.ready(1); err != nil {
		return "", err
	}
	for i, s := range slices.Concat(q.early, q.steps) {
		if err := s(0, 1); err != nil {
			return "", err
		}
		in := q.insts[i]
		o := q.m.operand(in.out)
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
