package builtin

import (
	"slices"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// conv2d recognises what gorgonia.Conv2d writes: unfold the image, multiply by
// the flattened filters, fold and transpose. It is nil for any other
// transposition.
func (t *Translation) conv2d(n *Node) *Node {
	is := func(n *Node, name string) bool { return kind(n) == name }
	if f := fieldsOf(n.Op()); !slices.Equal(f.ints("pattern"), []int{0, 3, 1, 2}) {
		return nil
	}
	fold := children(n)[0]
	if !is(fold, "reshapeOp") {
		return nil
	}
	product := children(fold)[0]
	if !is(product, "linAlgBinOp") {
		return nil
	}
	f := fieldsOf(product.Op())
	patch, flat := children(product)[0], children(product)[1]
	if f.bool("transA") || !f.bool("transB") || !is(patch, "reshapeOp") || !is(flat, "reshapeOp") {
		return nil
	}
	unfold, filter := children(patch)[0], children(flat)[0]
	if !is(unfold, "im2colOp") || filter.Shape().Dims() != 4 {
		return nil
	}
	u := fieldsOf(unfold.Op())
	image := children(unfold)[0]
	fs, is4 := filter.Shape(), image.Shape()
	if fs[1] != is4[1] || fs[2] != u.int("h") || fs[3] != u.int("w") || u.err != nil {
		return nil
	}
	y := t.b.Conv2D(t.of[image], t.of[filter], geometry(u))
	if t.b.Err() != nil || !slices.Equal(t.b.Shape(y), []int(n.Shape())) {
		return nil
	}
	return y
}

func geometry(u *fields) ops.Conv {
	return ops.Conv{
		Stride:   [2]int{u.int("strideH"), u.int("strideW")},
		Pad:      [4]int{u.int("padH"), u.int("padH"), u.int("padW"), u.int("padW")},
		Dilation: [2]int{u.int("dilationH"), u.int("dilationW")},
	}
}

// im2col unfolds windows: [n, c, h, w] to [n, oh, ow, c r s], as a convolution
// with one filter for each tap.
func (t *Translation) im2col(app call) *Node {
	b, u, x := t.b, app.fields, app.to[0]
	c, taps := b.Shape(x)[1], u.int("h")*u.int("w")
	one := make([]float64, c*taps*taps)
	for i := range c * taps {
		one[i*taps+i%taps] = 1
	}
	o := geometry(u)
	o.Groups = c
	y := b.Conv2D(x, b.Tensor(one, c*taps, 1, u.int("h"), u.int("w")), o)
	return b.Transpose(y, 0, 2, 3, 1)
}

// upsample repeats each element of a plane down and across.
func (t *Translation) upsample(c call) *Node {
	b, times := t.b, c.fields.int("stride")+1
	s := b.Shape(c.to[0])
	x := b.Reshape(c.to[0], s[0], s[1], s[2], 1, s[3], 1)
	return b.Reshape(b.Broadcast(x, s[0], s[1], s[2], times, s[3], times), c.shape...)
}
