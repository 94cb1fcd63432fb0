package exec

import (
	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// region runs the slices of a regionOp. Every worker has programs of its own, one
// for whole slices and one for the last if that is smaller.
type region[T Float] struct {
	m        *machine[T]
	op       regionOp
	in       []operand[T]
	step     []int // of each sliced operand, elements from a row to the next
	out      []operand[T]
	row      []int // of each result that is not added up, elements of a row
	partial  [][]T // of each result that is, a sum for every group
	slices   int
	groups   int
	each     int // slices in a group
	programs [][2]*Program[T]
	keys     [][]T // of each worker
	sums     [][][]T
	errs     []error
}

func (m *machine[T]) bindRegion(in *inst, o regionOp) (step, error) {
	r := &region[T]{m: m, op: o}
	for i, v := range in.in {
		x := m.operand(v)
		r.in = append(r.in, x)
		r.step = append(r.step, 0)
		if o.operands[i].sliced {
			r.step[i] = x.stride[0]
		}
	}
	r.slices, _ = cut(o.n, o.rows)
	r.groups, r.each = cut(r.slices, (r.slices+tileGroups-1)/tileGroups)
	k := 0
	in.outs(func(v Value) {
		x := m.operand(v)
		r.out = append(r.out, x)
		r.row = append(r.row, Size(x.shape)/max(1, o.n))
		var sums []T
		if o.added[k] {
			sums = aligned[T](r.groups * x.n)
			m.extra += len(sums)
		}
		r.partial = append(r.partial, sums)
		k++
	})
	workers := m.pool.Workers()
	r.programs, r.keys, r.errs = make([][2]*Program[T], workers), make([][]T, workers), make([]error, workers)
	r.sums = make([][][]T, workers)
	for w := range workers {
		for i, g := range []*graph{o.whole, o.last} {
			if i == 1 && g == o.whole {
				r.programs[w][1] = r.programs[w][0]
				continue
			}
			p, err := link[T](g.clone(), Options{Pool: parallel.New(1), alone: true})
			if err != nil {
				return nil, err
			}
			r.programs[w][i] = p
			m.extra += p.Bytes() / sizeof[T]()
		}
		r.keys[w] = make([]T, 4)
		r.sums[w] = make([][]T, len(r.out))
		for i, x := range r.out {
			if o.added[i] {
				r.sums[w][i] = aligned[T](x.n)
				m.extra += x.n
			}
		}
	}
	m.region = r
	run := r.group
	return func() error {
		m.pool.Run(r.groups, run)
		for w, err := range r.errs {
			if err != nil {
				r.errs[w] = nil
				return err
			}
		}
		for i := range r.out {
			if o.added[i] {
				addUp(r.out[i].data(), r.partial[i], r.groups)
			}
		}
		return nil
	}, nil
}

// group runs the slices of a group, one after another.
func (r *region[T]) group(worker, g int) {
	for s := g * r.each; s < min(r.slices, (g+1)*r.each); s++ {
		p, rows := r.programs[worker][0], r.op.rows
		if s == r.slices-1 {
			p, rows = r.programs[worker][1], r.op.rest
		}
		first := s * r.op.rows
		if err := r.slice(worker, p, first, rows, g, s == g*r.each); err != nil {
			r.errs[worker] = err
			return
		}
	}
}

// slice runs the rows from first on; fresh is that of the first slice of group g.
func (r *region[T]) slice(worker int, p *Program[T], first, rows, g int, fresh bool) error {
	for i := range r.in {
		x := r.in[i].data()
		q := &p.inputs[i]
		switch {
		case r.op.operands[i].key:
			key := r.keys[worker]
			copy(key, x)
			key[3] += T(first)
			x = key
		case r.op.operands[i].sliced:
			x = x[first*r.step[i]:]
		}
		p.m.slots[q.slot] = x[:q.n]
	}
	for i := range r.out {
		slot := p.outputs[i].slot
		switch {
		case !r.op.added[i]:
			p.m.slots[slot] = r.out[i].data()[first*r.row[i] : (first+rows)*r.row[i]]
		case fresh:
			p.m.slots[slot] = r.sum(i, g)
		default:
			p.m.slots[slot] = r.sums[worker][i]
		}
	}
	if err := p.Run(); err != nil {
		return err
	}
	for i := range r.out {
		if r.op.added[i] && !fresh {
			sum := r.sum(i, g)
			kernel.Map2(kernel.Add, sum, sum, r.sums[worker][i])
		}
	}
	return nil
}

// sum is the partial sum of result i over group g.
func (r *region[T]) sum(i, g int) []T {
	n := r.out[i].n
	return r.partial[i][g*n : (g+1)*n]
}
