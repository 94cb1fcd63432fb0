package exec

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// entropyOp is the softmax cross-entropy of logits [..., classes] and labels
// [...], its gradient in the logits times a number, or the gradient and, behind
// its last element, the loss.
type entropyOp struct {
	loss, grad bool
	scale      float64 // of the gradient
}

func (o entropyOp) String() string {
	if !o.grad {
		return "cross_entropy"
	}
	name := "cross_entropy_grad"
	if o.loss {
		name = "cross_entropy_and_grad"
	}
	return fmt.Sprintf("%s(%v)", name, o.scale)
}

// entropy makes the softmax cross-entropy of class labels one instruction, forward
// and backward. It stays as it is where something else reads its parts, such as
// the probabilities in a Hessian-vector product.
func entropy(g *graph) {
	uses := g.uses()
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		if o, ok := g.code[i].op.(reduceOp); !ok || o.red != LogSumExpRed {
			continue
		}
		m := entropyMatch{g: g, uses: uses, lse: g.code[i].out, loss: None, grad: None, shifted: None, take: None, labels: None}
		if m.find() {
			m.rewrite()
			changed = true
		}
	}
	if changed {
		g.sort()
	}
}

// entropyMatch is what ops.SoftmaxCrossEntropy and its gradient lower to:
//
//	c = logits - max(logits)
//	loss = logsumexp(c) - take(c, labels)
//	grad = scale exp(c - logsumexp(c)) + put_add(-scale, labels)
type entropyMatch struct {
	g    *graph
	uses [][]int

	lse, c, logits, labels    Value
	loss, grad, shifted, take Value
	scale                     float64
}

func (m *entropyMatch) find() bool {
	g := m.g
	m.c = g.def(m.lse).in[0]
	c := g.def(m.c)
	if !one(c.op, Sub) || Size(g.shape(m.c)) == 0 {
		return false
	}
	m.logits = c.in[0]
	top := m.repeated(c.in[1])
	if top == None || !g.dense(m.logits) {
		return false
	}
	o, ok := g.def(top).op.(reduceOp)
	if !ok || o.red != MaxRed || g.def(top).in[0] != m.logits || !slices.Equal(o.axes, []int{len(g.shape(m.c)) - 1}) {
		return false
	}
	// Each that reads the logarithm is the loss or on the way to the gradient.
	for _, u := range m.readers(m.lse) {
		if !m.isLoss(u) && !m.isGrad(u) {
			return false
		}
	}
	if m.labels == None || m.loss == None && m.grad == None {
		return false
	}
	for _, u := range m.readers(m.c) {
		if v := g.code[u].out; v != m.lse && v != m.take && v != m.shifted {
			return false
		}
	}
	return true
}

// readers are the instructions that read v or a view of it; an output gives one
// that no part of the pattern is.
func (m *entropyMatch) readers(v Value) []int {
	var list []int
	for _, u := range m.uses[v] {
		if u == len(m.g.code) {
			list = append(list, int(m.g.vals[v].inst))
			continue
		}
		list = append(list, u)
	}
	return list
}

// repeated is what v repeats along its last axis, or None.
func (m *entropyMatch) repeated(v Value) Value {
	g := m.g
	base, off, stride := g.view(v)
	shape := g.shape(v)
	if len(shape) == 0 || !sameShape(g.shape(base), shape[:len(shape)-1]) || base == v || off != 0 {
		return None
	}
	want := append(rowMajor(shape[:len(shape)-1]), 0)
	for i, n := range shape {
		if n != 1 && stride[i] != want[i] {
			return None
		}
	}
	return base
}

// isLoss takes instruction u as the loss, if it is.
func (m *entropyMatch) isLoss(u int) bool {
	g := m.g
	in := &g.code[u]
	if !one(in.op, Sub) || in.in[0] != m.lse || m.loss != None {
		return false
	}
	base, off, _ := g.view(in.in[1])
	t := g.def(base)
	o, ok := t.op.(indexOp)
	rows := g.shape(m.lse)
	if !ok || o.kind != take || o.axis != len(rows) || t.in[0] != m.c || len(m.uses[base]) != 1 ||
		off != 0 || !g.dense(in.in[1]) || !m.label(t.in[1]) {
		return false
	}
	m.loss, m.take = in.out, base
	return true
}

// label takes v as the labels, of which there must be one to a row.
func (m *entropyMatch) label(v Value) bool {
	base, off, _ := m.g.view(v)
	if off != 0 || !m.g.dense(v) || Size(m.g.shape(v)) != Size(m.g.shape(m.lse)) || Size(m.g.shape(base)) != Size(m.g.shape(v)) ||
		m.labels != None && m.labels != base {
		return false
	}
	m.labels = base
	return true
}

// isGrad takes what instruction u begins as the gradient, if it is.
func (m *entropyMatch) isGrad(u int) bool {
	g := m.g
	diff := &g.code[u]
	if !one(diff.op, Sub) || diff.in[0] != m.c || m.repeated(diff.in[1]) != m.lse || m.grad != None {
		return false
	}
	exp, ok := m.only(diff.out, Exp)
	if !ok {
		return false
	}
	mul, ok := m.only(exp.out, Mul)
	if !ok {
		return false
	}
	add, ok := m.only(mul.out, Add)
	if !ok {
		return false
	}
	scale, ok := g.splat(other(mul, exp.out))
	last := g.def(other(add, mul.out))
	o, is := last.op.(indexOp)
	if !ok || !is || o.kind != put || o.axis != len(g.shape(m.lse)) || len(m.uses[last.out]) != 1 || !m.label(last.in[1]) {
		return false
	}
	from := last.in[0]
	if d := g.def(from); one(d.op, Copy) {
		from = d.in[0]
	}
	if minus, ok := g.splat(from); !ok || minus != -scale {
		return false
	}
	m.shifted, m.grad, m.scale = diff.out, add.out, scale
	return true
}

// only gives the one instruction that reads v, if it is fn of operands of one shape.
func (m *entropyMatch) only(v Value, fn Fn) (*inst, bool) {
	if u := m.uses[v]; len(u) == 1 && u[0] < len(m.g.code) {
		in := &m.g.code[u[0]]
		return in, one(in.op, fn) && sameShape(m.g.shape(in.out), m.g.shape(v)) && slices.Contains(in.in, v)
	}
	return nil, false
}

// other is the operand of in that is not v.
func other(in *inst, v Value) Value {
	if in.in[0] == v {
		return in.in[1]
	}
	return in.in[0]
}

func (m *entropyMatch) rewrite() {
	g := m.g
	b := &Builder{g: g, where: g.def(m.lse).where}
	o := entropyOp{loss: m.loss != None, grad: m.grad != None, scale: m.scale}
	rows, classes := Size(g.shape(m.lse)), Size(g.shape(m.c))
	size := 0
	if o.grad {
		size += classes
	}
	if o.loss {
		size += rows
	}
	all := b.add(o, []int{size}, m.logits, m.labels)
	// A view is never of another view: those of v become views of all.
	become := func(v Value, off int) {
		for i := range g.code {
			in := &g.code[i]
			if view, ok := in.op.(viewOp); ok && in.in[0] == v {
				in.op, in.in = viewOp{view.off + off, view.stride}, []Value{all}
			}
		}
		to := g.def(v)
		to.op, to.in = viewOp{off, rowMajor(g.shape(v))}, []Value{all}
	}
	if o.grad {
		become(m.grad, 0)
	}
	if o.loss {
		become(m.loss, size-rows)
	}
}

// bindEntropy checks all labels before it computes anything.
func (m *machine[T]) bindEntropy(in *inst, o entropyOp) step {
	z, y, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	cols := z.shape[len(z.shape)-1]
	rows := y.n
	count, each := pieces(rows, 8*cols)
	f := func(_, i int) {
		lo, hi := i*each, min(rows, (i+1)*each)
		var loss, grad []T
		if o.grad {
			grad = out.data()[lo*cols : hi*cols]
		}
		if o.loss {
			loss = out.data()[out.n-rows:][lo:hi]
		}
		kernel.SoftmaxCrossEntropyRows(loss, grad, z.data()[lo*cols:hi*cols], y.data()[lo:hi], hi-lo, cols, o.scale)
	}
	return func() error {
		if err := checkIndices(in, y.data(), cols); err != nil {
			return err
		}
		m.pool.Run(count, f)
		return nil
	}
}
