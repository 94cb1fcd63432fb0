package exec

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// Float is the element type of a program.
type Float = kernel.Float

// machine holds the memory of a program and turns its instructions into
// closures over it.
type machine[T Float] struct {
	g       *graph
	pool    *parallel.Pool
	at      []place // where the values that are not views lie
	slots   [][]T   // arena, constants, and what the caller gives
	work    [][]T   // scratch of each worker, as large as the largest need
	need    int
	extra   int              // elements that instructions hold for themselves
	copy    int              // of the late values, that is being computed
	copies  int              // of them that have places in the arena
	first   int              // of those that lie there
	alone   bool             // one worker, always
	tallies map[Value]*tally // of outputs
	region  *region[T]       // of the instruction that was bound last
}

// place is where the elements of a value begin, and how far on those of its next
// copy.
type place struct{ slot, off, slotStep, offStep int }

const (
	arenaSlot = iota
	constSlot
	laneSlot  // late values of a lane
	firstSlot // of inputs, then of outputs
)

// step runs one instruction, for the copy that is being computed.
type step func() error

// wide runs an instruction for the copies [first, first+n).
type wide func(first, n int) error

// operand is a value as an instruction reads or writes it.
type operand[T Float] struct {
	m *machine[T]
	place
	n             int // elements from the first to the last
	shape, stride []int
}

// perCopy tells whether each copy has a value of its own.
func (o operand[T]) perCopy() bool { return o.offStep != 0 || o.slotStep != 0 }

func (m *machine[T]) operand(v Value) operand[T] {
	base, off, stride := m.g.view(v)
	shape := m.g.shape(v)
	p := m.at[base]
	p.off += off
	return operand[T]{m, p, extent(shape, stride), shape, stride}
}

// data is the elements from the first to the last that o reaches.
func (o *operand[T]) data() []T { return o.of(o.m.copy) }

// of is the data of a copy; an early value has one for all.
func (o *operand[T]) of(copy int) []T {
	off := o.off + (copy-o.m.first)*o.offStep
	return o.m.slots[o.slot+copy*o.slotStep][off : off+o.n : off+o.n]
}

// scratch is the memory of worker, at least as large as every need called for
// before the first run.
func (m *machine[T]) scratch(worker int) []T { return m.work[worker] }

func (m *machine[T]) needs(n int) { m.need = max(m.need, n) }

// wide makes what runs an instruction for several copies.
func (m *machine[T]) wide(in *inst) (wide, error) {
	if o, ok := in.op.(gemmOp); ok {
		return m.tallied(in.more, m.bindGemm(in, o)), nil
	}
	s, err := m.bind(in)
	if err != nil {
		return nil, err
	}
	return m.tallied(append([]Value{in.out}, in.more...), func(first, n int) error {
		for k := range n {
			m.copy = first + k
			if err := s(); err != nil {
				return err
			}
		}
		m.copy = 0
		return nil
	}), nil
}

func (m *machine[T]) bind(in *inst) (step, error) {
	switch o := in.op.(type) {
	case mapOp:
		return m.bindMap(in, o), nil
	case reduceOp:
		return m.bindReduce(in, o), nil
	case argMaxOp:
		return m.bindArgMax(in), nil
	case convOp:
		return m.bindConv(in, o), nil
	case poolOp:
		return m.bindPool(in, o), nil
	case regionOp:
		return m.bindRegion(in, o)
	case compressOp:
		return m.bindCompress(in), nil
	case stripsOp:
		return m.bindStrips(in), nil
	case winogradOp:
		return m.bindWinogradWeights(in), nil
	case reverseOp:
		return m.bindReverse(in), nil
	case indexOp:
		return m.bindIndex(in, o), nil
	case entropyOp:
		return m.bindEntropy(in, o), nil
	case placeOp:
		return m.bindPlace(in, o), nil
	case uniformOp:
		return m.bindUniform(in, o), nil
	}
	return nil, fmt.Errorf("exec: instruction %s cannot run", in.op)
}

// grain is how many elements a piece of work has, about: enough that handing
// it to another core costs little beside it.
const grain = 16 << 10

// pieces cuts n items, each of the given size, into equal pieces of about a
// grain; it gives the number of pieces and of items in each. It depends on the
// shape alone, so results are the same on any number of workers.
func pieces(n, size int) (count, each int) {
	if n == 0 {
		return 0, 0
	}
	each = min(n, max(1, grain/max(1, size)))
	count = (n + each - 1) / each
	each = (n + count - 1) / count
	return (n + each - 1) / each, each
}

// maxRank bounds the axes of a tensor after collapse, and maxArgs the operands
// of one instruction's loop; both live in arrays on the stack.
const (
	maxRank = 12
	maxArgs = 16
)

// walker steps through the index space dims in row-major order and keeps the
// offset of every operand.
type walker struct {
	dims    []int
	strides [][]int
	idx     [maxRank]int
	off     [maxArgs]int
}

// seek goes to the row-major position i.
func (w *walker) seek(i int) {
	for o := range w.strides {
		w.off[o] = 0
	}
	for d := len(w.dims) - 1; d >= 0; d-- {
		w.idx[d] = i % w.dims[d]
		i /= w.dims[d]
		for o, s := range w.strides {
			w.off[o] += w.idx[d] * s[d]
		}
	}
}

// next goes to the next position; it returns to the first after the last.
func (w *walker) next() {
	for d := len(w.dims) - 1; d >= 0; d-- {
		w.idx[d]++
		for o, s := range w.strides {
			w.off[o] += s[d]
		}
		if w.idx[d] < w.dims[d] {
			return
		}
		w.idx[d] = 0
		for o, s := range w.strides {
			w.off[o] -= s[d] * w.dims[d]
		}
	}
}
