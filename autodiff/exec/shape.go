package exec

import (
	"fmt"
	"slices"
)

// Size is the number of elements of a tensor of the shape: the product of its
// axes, 1 for a scalar.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// rowMajor gives the strides of a dense tensor. An axis of one element has
// stride 0, so that equal layouts have equal strides.
func rowMajor(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			s[i] = n
		}
		n *= shape[i]
	}
	return s
}

// extent is the number of elements from the first to the last that a view
// reaches, both included.
func extent(shape, stride []int) int {
	n := 1
	for i, d := range shape {
		if d == 0 {
			return 0
		}
		n += (d - 1) * stride[i]
	}
	return n
}

// restride gives the strides of a view of another shape over the same elements
// in the same order, if strides can say that.
func restride(shape, stride, to []int) ([]int, bool) {
	var s, d []int // shape without axes of one element
	for i, n := range shape {
		if n != 1 {
			s, d = append(s, n), append(d, stride[i])
		}
	}
	out := make([]int, len(to))
	if Size(shape) == 0 {
		return out, true
	}
	i := 0
	for j := 0; j < len(to); {
		if to[j] == 1 {
			j++
			continue
		}
		// A group of old axes and a group of new axes of equal size.
		i1, j1 := i+1, j+1
		n, m := s[i], to[j]
		for n != m {
			if n < m {
				n *= s[i1]
				i1++
			} else {
				m *= to[j1]
				j1++
			}
		}
		for k := i; k+1 < i1; k++ {
			if d[k] != d[k+1]*s[k+1] {
				return nil, false
			}
		}
		step := d[i1-1]
		for k := j1 - 1; k >= j; k-- {
			if to[k] != 1 {
				out[k] = step
				step *= to[k]
			}
		}
		i, j = i1, j1
	}
	return out, true
}

// collapse drops axes of one element and joins neighbours that every operand
// walks as one. All operands have the given shape; strides are theirs.
func collapse(shape []int, strides [][]int) ([]int, [][]int) {
	var dims []int
	out := make([][]int, len(strides))
	for i, n := range shape {
		if n == 1 {
			continue
		}
		join := len(dims) > 0
		for o := range strides {
			join = join && out[o][len(dims)-1] == strides[o][i]*n
		}
		if join {
			dims[len(dims)-1] *= n
			for o := range strides {
				out[o][len(dims)-1] = strides[o][i]
			}
			continue
		}
		dims = append(dims, n)
		for o := range strides {
			out[o] = append(out[o], strides[o][i])
		}
	}
	return dims, out
}

func sameShape(a, b []int) bool { return slices.Equal(a, b) }

// shapeString prints a shape like [128 784].
func shapeString(shape []int) string {
	return fmt.Sprint(shape)
}
