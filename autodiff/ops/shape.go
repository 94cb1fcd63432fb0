package ops

import (
	"fmt"
	"math"
	"slices"
)

func equal(a, b []int) bool { return slices.Equal(a, b) }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// maxElements bounds a tensor, so that no count of elements or bytes overflows.
// Whether a machine has the memory is found when a program is made.
const maxElements = 1 << 47

// possible refuses shapes that no tensor has.
func possible(shape []int) error {
	n := 1.0
	for _, d := range shape {
		if d < 0 || d > math.MaxInt32 {
			return fmt.Errorf("shape %v; an axis has from 0 to %d elements", shape, math.MaxInt32)
		}
		n *= float64(d)
	}
	if n > maxElements {
		return fmt.Errorf("shape %v has %.3g elements, too many", shape, n)
	}
	return nil
}

// Broadcast is the common shape of tensors of the given shapes by NumPy's rule:
// axes are matched from the last, and an axis of one element, or a missing
// one, is repeated.
func Broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, n := range s {
			o := &out[rank-len(s)+i]
			switch {
			case *o == 1:
				*o = n
			case n != 1 && n != *o:
				return nil, fmt.Errorf("shapes %v do not broadcast: axis %d from the end has %d and %d elements", shapes, len(s)-i, *o, n)
			}
		}
	}
	return out, nil
}

// axis gives a in [0, rank), counting from the end if it is negative.
func axis(a, rank int) (int, error) {
	if a < -rank || a >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of %d axes", a, rank)
	}
	if a < 0 {
		a += rank
	}
	return a, nil
}

// axesOf gives the axes sorted, without repetition, in [0, rank); none given
// means all.
func axesOf(axes []int, rank int) ([]int, error) {
	if len(axes) == 0 {
		out := make([]int, rank)
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	out := make([]int, 0, len(axes))
	for _, a := range axes {
		a, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out, a) {
			return nil, fmt.Errorf("axis %d given twice", a)
		}
		out = append(out, a)
	}
	slices.Sort(out)
	return out, nil
}

// without drops axes from a shape, and kept makes them 1.
func without(shape, axes []int) []int {
	out := []int{}
	for i, n := range shape {
		if !slices.Contains(axes, i) {
			out = append(out, n)
		}
	}
	return out
}

func kept(shape, axes []int) []int {
	out := slices.Clone(shape)
	for _, a := range axes {
		out[a] = 1
	}
	return out
}
