package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// winograd makes convolutions of 3 x 3 windows in float32 need fewer
// multiplications, where they are large enough to repay that their weights are
// transformed first.
func winograd(g *graph) {
	if !g.single {
		return
	}
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		o, ok := in.op.(convOp)
		if !ok || o.winograd || o.part == ConvWeight || o.groups != 1 || !kernel.CanWinograd(o.win) ||
			!kernel.WinogradWins(o.c, o.k) || o.n*o.win.OH*o.win.OW < winogradPixels {
			continue
		}
		u := g.add(winogradOp{}, in.where, []int{16, o.c * o.k}, in.in[1])
		g.def(u).late = g.late(in.in[1])
		o.winograd = true
		to := &g.code[i] // the program has grown
		to.op, to.in = o, slices.Concat([]Value{in.in[0], u}, in.in[2:])
		changed = true
	}
	if changed {
		g.sort()
	}
}

// winogradPixels is how many results repay the transform of the weights.
const winogradPixels = 512

// winogradOp transforms dense weights for a convolution by Winograd's method.
type winogradOp struct{}

func (winogradOp) String() string { return "winograd_weights" }

func (m *machine[T]) bindWinogradWeights(in *inst) step {
	w, u := m.operand(in.in[0]), m.operand(in.out)
	return func() error { kernel.WinogradWeights(u.data(), w.data()); return nil }
}

// bindWinograd is bindConv for a convolution with such weights.
func (m *machine[T]) bindWinograd(in *inst, x, u, out operand[T], o convOp) step {
	w := o.win
	from, to := w.H*w.W*o.c, w.OH*w.OW*o.k
	var p *kernel.Winograd[T]
	if o.part == ConvOut {
		p = kernel.NewWinograd[T](w, o.c, o.k)
	} else {
		p = kernel.NewWinogradImage[T](w, o.c, o.k)
		from, to = to, from
	}
	m.needs(p.Scratch())
	e := m.newEpilogue(in, o.code, 2, len(in.in), 0, p.Scratch())
	high, wide := out.shape[1], out.shape[2]
	count, each := share(o.n, p.TileRows())
	f := func(worker, i int) {
		n, part := i/count, i%count
		lo, hi := part*each, min(p.TileRows(), (part+1)*each)
		p.Rows(out.data()[n*to:][:to], x.data()[n*from:][:from], u.data(), m.scratch(worker), lo, hi)
		if e != nil {
			e.apply(out.data(), m.copy, (n*high+2*lo)*wide, (n*high+min(high, 2*hi))*wide, 0, out.shape[3], m.scratch(worker))
		}
	}
	return func() error { m.pool.Run(o.n*count, f); return nil }
}
