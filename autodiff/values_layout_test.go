package autodiff_test

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

func layoutReferences() []reference {
	// moved is a reference whose element at i is that of x at from(i), or fill
	// where there is none.
	moved := func(name string, fill float64, draws func(r *rand.Rand) (s, to []int, f func(b *ops.Builder, x *node) *node, from func(i []int) []int)) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			s, to, f, from := draws(r)
			x := draw(r, s, -3, 3)
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0]) }, []array{x}, tabulate(to, func(i []int) float64 {
				if at := from(i); at != nil {
					return x.at(at...)
				}
				return fill
			})
		}}
	}
	type move = func(b *ops.Builder, x *node) *node
	type from = func(i []int) []int
	pad := func(name string, fill float64) reference {
		return moved(name, fill, func(r *rand.Rand) ([]int, []int, move, from) {
			s := anyShape(r)
			low, high, to := make([]int, len(s)), make([]int, len(s)), make([]int, len(s))
			for d, n := range s {
				low[d], high[d] = r.IntN(3), r.IntN(3)
				to[d] = low[d] + n + high[d]
			}
			return s, to, func(b *ops.Builder, x *node) *node {
					if name == "pad" {
						return b.Pad(x, low, high)
					}
					return b.PadWith(fill, x, low, high)
				}, func(i []int) []int {
					at := make([]int, len(s))
					for d := range s {
						if at[d] = i[d] - low[d]; at[d] < 0 || at[d] >= s[d] {
							return nil
						}
					}
					return at
				}
		})
	}
	return []reference{
		{"reshape", func(r *rand.Rand) (function, []array, array) {
			x := draw(r, shapeOf(r, 3), -3, 3)
			to := []int{x.shape[2], x.shape[0] * x.shape[1]}
			return func(b *ops.Builder, in []*node) *node { return b.Reshape(in[0], to[0], -1) }, []array{x}, array{to, x.data}
		}},
		{"expand_dims", func(r *rand.Rand) (function, []array, array) {
			x := draw(r, shapeOf(r, 2), -3, 3)
			return func(b *ops.Builder, in []*node) *node { return b.ExpandDims(in[0], -1, 1) }, []array{x}, array{[]int{x.shape[0], 1, x.shape[1], 1}, x.data}
		}},
		moved("transpose", 0, func(r *rand.Rand) ([]int, []int, move, from) {
			s := anyShape(r)
			perm, to := r.Perm(len(s)), make([]int, len(s))
			for d, p := range perm {
				to[d] = s[p]
			}
			return s, to, func(b *ops.Builder, x *node) *node { return b.Transpose(x, perm...) }, func(i []int) []int {
				at := make([]int, len(s))
				for d, p := range perm {
					at[p] = i[d]
				}
				return at
			}
		}),
		moved("broadcast", 0, func(r *rand.Rand) ([]int, []int, move, from) {
			to := anyShape(r)
			return repeated(r, to), to, func(b *ops.Builder, x *node) *node { return b.Broadcast(x, to...) }, func(i []int) []int { return i }
		}),
		moved("slice", 0, func(r *rand.Rand) ([]int, []int, move, from) {
			s := anyShape(r)
			to := slices.Clone(s)
			var ranges []ops.Range
			start, step := make([]int, len(s)), make([]int, len(s))
			for d, n := range s {
				g := someRange(r, n)
				ranges = append(ranges, g)
				start[d], step[d] = (g.Start+n)%n, max(1, g.Step)
				stop := g.Stop
				if stop <= 0 {
					stop += n
				}
				to[d] = 0
				for k := start[d]; k < stop; k += step[d] {
					to[d]++
				}
			}
			return s, to, func(b *ops.Builder, x *node) *node { return b.Slice(x, ranges...) }, func(i []int) []int {
				at := make([]int, len(s))
				for d := range s {
					at[d] = start[d] + i[d]*step[d]
				}
				return at
			}
		}),
		pad("pad", 0), pad("pad_with", -2), pad("pad_with infinity", math.Inf(-1)),
		{"concat", func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(len(s))
			t := slices.Clone(s)
			t[a] = r.IntN(4)
			x, y := draw(r, s, -3, 3), draw(r, t, -3, 3)
			to := slices.Clone(s)
			to[a] = s[a] + t[a] + s[a]
			return func(b *ops.Builder, in []*node) *node { return b.Concat(a, in[0], in[1], in[0]) }, []array{x, y}, tabulate(to, func(i []int) float64 {
				at := slices.Clone(i)
				switch {
				case i[a] < s[a]:
					return x.at(at...)
				case i[a] < s[a]+t[a]:
					at[a] -= s[a]
					return y.at(at...)
				}
				at[a] -= s[a] + t[a]
				return x.at(at...)
			})
		}},
	}
}

func indexReferences() []reference {
	return []reference{
		{"gather", func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(len(s))
			is := shapeOf(r, r.IntN(3))
			x, index := draw(r, s, -3, 3), array{is, indices(r, size(is), s[a])}
			return func(b *ops.Builder, in []*node) *node { return b.Gather(in[0], in[1], a) }, []array{x, index},
				tabulate(slices.Concat(s[:a], is, s[a+1:]), func(i []int) float64 {
					k := int(index.at(i[a : a+len(is)]...))
					return x.at(slices.Concat(i[:a], []int{k}, i[a+len(is):])...)
				})
		}},
		{"scatter_add", func(r *rand.Rand) (function, []array, array) {
			is, rest := shapeOf(r, 1+r.IntN(2)), anyShape(r)
			a, n := r.IntN(len(rest)+1), 1+r.IntN(4)
			x, index := draw(r, slices.Concat(rest[:a], is, rest[a:]), -3, 3), array{is, indices(r, size(is), n)}
			return func(b *ops.Builder, in []*node) *node { return b.ScatterAdd(in[0], in[1], a, n) }, []array{x, index},
				tabulate(slices.Concat(rest[:a], []int{n}, rest[a:]), func(o []int) float64 {
					s := 0.0
					tabulate(is, func(i []int) float64 {
						if int(index.at(i...)) == o[a] {
							s += x.at(slices.Concat(o[:a], i, o[a+1:])...)
						}
						return 0
					})
					return s
				})
		}},
		{"take_along", func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(len(s))
			is := slices.Clone(s)
			is[a] = 1 + r.IntN(5)
			x, index := draw(r, s, -3, 3), array{is, indices(r, size(is), s[a])}
			return func(b *ops.Builder, in []*node) *node { return b.TakeAlong(in[0], in[1], a) }, []array{x, index}, tabulate(is, func(i []int) float64 {
				at := slices.Clone(i)
				at[a] = int(index.at(i...))
				return x.at(at...)
			})
		}},
		{"put_along", func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a, n := r.IntN(len(s)), 1+r.IntN(4)
			x, index := draw(r, s, -3, 3), array{s, indices(r, size(s), n)}
			to := slices.Clone(s)
			to[a] = n
			return func(b *ops.Builder, in []*node) *node { return b.PutAlong(in[0], in[1], a, n) }, []array{x, index}, tabulate(to, func(o []int) float64 {
				sum := 0.0
				for k := range s[a] {
					at := slices.Clone(o)
					at[a] = k
					if int(index.at(at...)) == o[a] {
						sum += x.at(at...)
					}
				}
				return sum
			})
		}},
		{"one_hot", func(r *rand.Rand) (function, []array, array) {
			is, depth := anyShape(r), 1+r.IntN(4)
			index := array{is, indices(r, size(is), depth+1)} // depth itself is in no place
			return func(b *ops.Builder, in []*node) *node { return b.OneHot(in[0], depth) }, []array{index},
				tabulate(append(slices.Clone(is), depth), func(i []int) float64 {
					if int(index.at(i[:len(is)]...)) == i[len(is)] {
						return 1
					}
					return 0
				})
		}},
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func productReferences() []reference {
	product := func(name string, ta, tb bool) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			m, k, n := 1+r.IntN(5), 1+r.IntN(5), 1+r.IntN(5)
			lead := shapeOf(r, r.IntN(3))
			xs, ys := []int{m, k}, []int{k, n}
			if ta {
				xs = []int{k, m}
			}
			if tb {
				ys = []int{n, k}
			}
			x, y := draw(r, slices.Concat(lead, xs), -3, 3), draw(r, slices.Concat(repeated(r, lead), ys), -3, 3)
			return func(b *ops.Builder, in []*node) *node { return b.MatMulT(in[0], in[1], ta, tb) }, []array{x, y},
				tabulate(slices.Concat(lead, []int{m, n}), func(i []int) float64 {
					l := len(lead)
					s := 0.0
					for j := range k {
						xi, yi := []int{i[l], j}, []int{j, i[l+1]}
						if ta {
							slices.Reverse(xi)
						}
						if tb {
							slices.Reverse(yi)
						}
						s += x.at(slices.Concat(i[:l], xi)...) * y.at(slices.Concat(i[:l], yi)...)
					}
					return s
				})
		}}
	}
	return []reference{product("matmul", false, false), product("matmul_t true false", true, false), product("matmul_t false true", false, true), product("matmul_t true true", true, true)}
}

// taps visits the places of the image that window (oh, ow) of the settings
// covers, with the number of the tap; those in the padding too.
func taps(o ops.Conv, rows, cols, oh, ow int, visit func(h, w, r, s int)) {
	for r := range rows {
		for s := range cols {
			visit(oh*max(1, o.Stride[0])-o.Pad[0]+r*max(1, o.Dilation[0]), ow*max(1, o.Stride[1])-o.Pad[2]+s*max(1, o.Dilation[1]), r, s)
		}
	}
}

// windows is how many windows lie in n elements with padding.
func windows(n, taps, stride, dilation, before, after int) int {
	return (n+before+after-max(1, dilation)*(taps-1)-1)/max(1, stride) + 1
}

func imageReferences() []reference {
	inside := func(h, w int, s []int) bool { return h >= 0 && h < s[2] && w >= 0 && w < s[3] }
	// pool draws a pooling whose result is f of the elements of each window that
	// lie in the image.
	pool := func(name string, op func(b *ops.Builder, x *node, o ops.Pool) *node, f func(o ops.Pool, x []float64) float64) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			s, o := anyPool(r)
			x := draw(r, s, -3, 3)
			c := ops.Conv{Stride: o.Stride, Pad: o.Pad}
			for i := range c.Stride {
				if c.Stride[i] == 0 {
					c.Stride[i] = o.Kernel[i]
				}
			}
			to := []int{s[0], s[1], windows(s[2], o.Kernel[0], c.Stride[0], 1, o.Pad[0], o.Pad[1]), windows(s[3], o.Kernel[1], c.Stride[1], 1, o.Pad[2], o.Pad[3])}
			return func(b *ops.Builder, in []*node) *node { return op(b, in[0], o) }, []array{x}, tabulate(to, func(i []int) float64 {
				var in []float64
				taps(c, o.Kernel[0], o.Kernel[1], i[2], i[3], func(h, w, _, _ int) {
					if inside(h, w, s) {
						in = append(in, x.at(i[0], i[1], h, w))
					}
				})
				return f(o, in)
			})
		}}
	}
	return []reference{
		{"conv2d", func(r *rand.Rand) (function, []array, array) {
			is, ws, o := anyConv(r)
			x, w := draw(r, is, -2, 2), draw(r, ws, -2, 2)
			to := []int{is[0], ws[0], windows(is[2], ws[2], o.Stride[0], o.Dilation[0], o.Pad[0], o.Pad[1]), windows(is[3], ws[3], o.Stride[1], o.Dilation[1], o.Pad[2], o.Pad[3])}
			return func(b *ops.Builder, in []*node) *node { return b.Conv2D(in[0], in[1], o) }, []array{x, w}, tabulate(to, func(i []int) float64 {
				s, group := 0.0, i[1]/(ws[0]/o.Groups)
				for c := range ws[1] {
					taps(o, ws[2], ws[3], i[2], i[3], func(h, col, p, q int) {
						if inside(h, col, is) {
							s += x.at(i[0], group*ws[1]+c, h, col) * w.at(i[1], c, p, q)
						}
					})
				}
				return s
			})
		}},
		// The transpose sends each element to where the convolution took it from.
		{"conv2d_transpose", func(r *rand.Rand) (function, []array, array) {
			xs, ws, o, outputPad := anyConvTranspose(r)
			x, w := draw(r, xs, -2, 2), draw(r, ws, -2, 2)
			to := []int{xs[0], ws[1] * o.Groups, 0, 0}
			for d := range 2 {
				to[2+d] = (xs[2+d]-1)*max(1, o.Stride[d]) + max(1, o.Dilation[d])*(ws[2+d]-1) + 1 - o.Pad[2*d] - o.Pad[2*d+1] + outputPad[d]
			}
			out := tabulate(to, func([]int) float64 { return 0 })
			tabulate(xs, func(i []int) float64 {
				group := i[1] / (ws[0] / o.Groups)
				for c := range ws[1] {
					taps(o, ws[2], ws[3], i[2], i[3], func(h, col, p, q int) {
						if inside(h, col, to) {
							out.data[((i[0]*to[1]+group*ws[1]+c)*to[2]+h)*to[3]+col] += x.at(i...) * w.at(i[1], c, p, q)
						}
					})
				}
				return 0
			})
			return func(b *ops.Builder, in []*node) *node { return b.Conv2DTranspose(in[0], in[1], o, outputPad) }, []array{x, w}, out
		}},
		pool("max_pool2d", (*ops.Builder).MaxPool2D, func(_ ops.Pool, x []float64) float64 { return slices.Max(x) }),
		pool("avg_pool2d", (*ops.Builder).AvgPool2D, func(o ops.Pool, x []float64) float64 {
			if o.ExcludePad {
				return sum(x) / float64(len(x))
			}
			return sum(x) / float64(o.Kernel[0]*o.Kernel[1])
		}),
	}
}
