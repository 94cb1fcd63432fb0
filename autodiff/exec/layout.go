package exec

import "slices"

// relayout computes an elementwise function in the layout in which most of its
// operands lie, and not in the order of its axes, so that a chain between two
// convolutions keeps theirs. What lies otherwise is copied.
func (s *simplifier) relayout(in *inst, o mapOp, shape []int, args []Value) (Value, bool) {
	if len(shape) < 3 || (len(o.code) == 1 && o.code[0].fn == Copy) {
		return None, false
	}
	g := s.b.g
	// How many numbers would have to be copied for each order of axes.
	var perms [][]int
	plain := 0 // numbers in the order of the axes
	count := map[string]int{}
	for _, v := range args {
		_, _, stride := g.view(v)
		n := extent(shape, stride)
		if n < Size(shape) {
			continue // repeated: may be read in any order
		}
		p, ok := permutation(shape, stride)
		switch {
		case !ok:
		case p == nil:
			plain += n
		default:
			key := shapeString(p)
			if count[key] == 0 {
				perms = append(perms, p)
			}
			count[key] += n
		}
	}
	var best []int
	for _, p := range perms {
		if n := count[shapeString(p)]; best == nil || n > count[shapeString(best)] {
			best = p
		}
	}
	if best == nil || plain > count[shapeString(best)] {
		return None, false
	}
	moved := make([]Value, len(args))
	for i, v := range args {
		_, _, stride := g.view(v)
		moved[i] = s.same(s.b.Permute(v, best))
		if extent(shape, stride) == Size(shape) {
			moved[i] = s.copied(moved[i])
		}
	}
	to := make([]int, len(shape))
	for i, p := range best {
		to[i] = shape[p]
	}
	v := s.inst(&inst{op: o, where: in.where}, to, moved)
	back := make([]int, len(best))
	for i, p := range best {
		back[p] = i
	}
	return s.same(s.b.Permute(v, back)), true
}

// copied is v, or a copy of it if its elements do not lie in order.
func (s *simplifier) copied(v Value) Value {
	if s.b.g.dense(v) {
		return v
	}
	return s.same(s.b.Dense(v))
}

// permutation gives the order of axes in which the strides are those of a dense
// tensor: nil for the order that they have.
func permutation(shape, stride []int) ([]int, bool) {
	p := make([]int, len(shape))
	for i := range p {
		p[i] = i
	}
	// Axes of one element may stand anywhere: they stay where they are.
	var real []int
	for i, n := range shape {
		if n != 1 {
			real = append(real, i)
		}
	}
	sorted := slices.Clone(real)
	slices.SortStableFunc(sorted, func(a, b int) int { return stride[b] - stride[a] })
	for i, a := range real {
		p[a] = sorted[i]
	}
	n := 1
	for _, a := range slices.Backward(sorted) {
		if stride[a] != n {
			return nil, false
		}
		n *= shape[a]
	}
	if slices.Equal(real, sorted) {
		return nil, true
	}
	return p, true
}
