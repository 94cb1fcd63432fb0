package ops

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// indexing moves elements to or from places that its second operand names. It
// is linear in the first.
type indexing struct {
	kind indexKind
	axis int
	size int // of the axis, in the result of scatter and put
}

type indexKind uint8

const (
	gather indexKind = iota
	scatter
	take
	put
)

func (r indexing) String() string {
	name := [...]string{"gather", "scatter_add", "take_along", "put_along"}[r.kind]
	if r.kind == scatter || r.kind == put {
		return fmt.Sprintf("%s[%d of %d]", name, r.axis, r.size)
	}
	return fmt.Sprintf("%s[%d]", name, r.axis)
}

func (r indexing) Shape(in [][]int) ([]int, error) {
	x, ix := in[0], in[1]
	a := r.axis
	beside := len(x) == len(ix) && a < len(x) && equal(x[:a], ix[:a]) && equal(x[a+1:], ix[a+1:])
	switch r.kind {
	case gather:
		return slices.Concat(x[:a], ix, x[a+1:]), nil
	case scatter:
		if a+len(ix) <= len(x) && equal(x[a:a+len(ix)], ix) {
			return slices.Concat(x[:a], []int{r.size}, x[a+len(ix):]), nil
		}
	case take:
		if beside {
			return ix, nil
		}
	case put:
		if equal(x, ix) {
			out := slices.Clone(x)
			out[a] = r.size
			return out, nil
		}
	}
	return nil, fmt.Errorf("a tensor of shape %v at indices of shape %v", x, ix)
}

func (r indexing) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	switch r.kind {
	case gather:
		if len(b.Shape(in[1])) > 0 {
			return b.Gather(in[0], in[1], r.axis)
		}
		// One index is a list of one, whose axis goes again.
		y := b.Gather(in[0], b.Reshape(in[1], []int{1}), r.axis)
		return b.Reshape(y, without(b.Shape(y), []int{r.axis}))
	case scatter:
		return b.ScatterAdd(in[0], in[1], r.axis, r.size)
	case take:
		return b.Take(in[0], in[1], r.axis)
	}
	return b.PutAdd(in[0], in[1], r.axis, r.size)
}

func (r indexing) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	if t[0] == nil {
		return nil
	}
	return b.Apply(r, t[0], in[1])
}

func (r indexing) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	if i != 0 {
		return b.failf("%s is not linear in its indices", r)
	}
	back := indexing{kind: r.kind ^ 1, axis: r.axis}
	if r.kind == gather || r.kind == take {
		back.size = shapeOf(in[0])[r.axis]
	}
	return b.Apply(back, ct, in[1])
}

func (b *Builder) index(r indexing, x, index *Node) *Node {
	if !b.ok(r.String(), x, index) {
		return nil
	}
	a, err := axis(r.axis, len(shapeOf(x)))
	if err != nil {
		return b.failf("%s: %w", r, err)
	}
	r.axis = a
	if n := max(r.size, shapeOf(x)[a]); n > maxIndices {
		return b.failf("%s: an axis of %d elements; at most %d can be told apart by an index", r, n, maxIndices)
	}
	return b.Apply(r, x, index)
}

// Gather takes, along an axis of x, the slices that index names. The axes of
// index stand in the place of the axis: rows of an embedding, for one.
func (b *Builder) Gather(x, index *Node, axis int) *Node {
	return b.index(indexing{kind: gather, axis: axis}, x, index)
}

// ScatterAdd adds the slices of x into the places of an axis of the given size
// that index names, zero elsewhere: the transpose of Gather.
func (b *Builder) ScatterAdd(x, index *Node, axis, size int) *Node {
	return b.index(indexing{scatter, axis, size}, x, index)
}

// TakeAlong picks single elements along an axis: out[..., i, ...] =
// x[..., index[..., i, ...], ...]. Beside that axis, index has the shape of x.
func (b *Builder) TakeAlong(x, index *Node, axis int) *Node {
	return b.index(indexing{kind: take, axis: axis}, x, index)
}

// PutAlong adds each element of x to the place of an axis of the given size
// that index names, zero elsewhere: the transpose of TakeAlong.
func (b *Builder) PutAlong(x, index *Node, axis, size int) *Node {
	return b.index(indexing{put, axis, size}, x, index)
}

// OneHot gives each class number in index a last axis of depth elements: 1 at
// the number, else 0.
func (b *Builder) OneHot(index *Node, depth int) *Node {
	return b.Equal(b.ExpandDims(index, -1), b.Iota(depth))
}
