package exec

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

func TestSplitDepthCutsLongSums(t *testing.T) {
	b := newBuilder()
	x, y := b.input(20000, 16), b.input(20000, 8)
	g := b.returns(b.Gemm(b.Permute(x, []int{1, 0}), y))
	splitDepth(g)
	expect(t, "after", g, `
	%0 = input("a") [20000 16]
	%1 = input("b") [20000 8]
	%8 = view[0 8 1]+159904 %1 [1 12 8]
	%7 = view[0 1 16]+319808 %0 [1 16 12]
	%9 = gemm %7 %8 [1 16 8]
	%11 = view[8 1] %9 [16 8]
	%5 = view[8416 8 1] %1 [19 1052 8]
	%4 = view[16832 1 16] %0 [19 16 1052]
	%6 = gemm %4 %5 [19 16 8]
	%10 = sum[0] %6 [16 8]
	%3 = map(add) %10 %11 [16 8]
	return %3
	`)
	for _, c := range []struct {
		m, n, k   int
		byColumns bool
		want      int
	}{
		{10, 10, 100000, false, 97}, {1000, 10, 100000, false, 1}, {1000, 10, 100000, true, 97}, {10, 1, 1000000, false, 1},
		{10, 10, 8000, true, 1}, {1, 1, 100000, true, 1}, {4096, 4096, 20000, true, 1}, {512, 512, 25088, true, 16},
	} {
		if got := depthParts(c.m, c.n, c.k, c.byColumns); got != c.want {
			t.Errorf("%d x %d x %d, by columns %t: %d parts, want %d", c.m, c.k, c.n, c.byColumns, got, c.want)
		}
	}
}

// TestSplitDepthKeepsValues: of sums of products with and without what comes behind
// them, of early and late operands, to the rounding of other orders of their terms; and
// with one result on any number of workers.
func TestSplitDepthKeepsValues(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for range 12 {
		m, n, k := 1+r.IntN(64), 1+r.IntN(64), 8192+r.IntN(9000)
		layout := r.IntN(4)
		behind := r.IntN(2) == 0
		build := func() *graph {
			b := newBuilder()
			operand := func(late, turned bool, rows, cols int) Value {
				shape := []int{rows, cols}
				if turned {
					shape = []int{cols, rows}
				}
				v := b.input(shape...)
				if late {
					in := b.g.def(v)
					o := in.op.(inputOp)
					o.late = true
					in.op = o
				}
				if turned {
					v = b.Permute(v, []int{1, 0})
				}
				return v
			}
			x, y := operand(false, layout&1 > 0, m, k), operand(true, layout&2 > 0, k, n)
			u, v := operand(true, layout&1 == 0, m, k), operand(false, layout&2 > 0, k, n)
			z := b.Map2(Add, b.Gemm(x, y), b.Gemm(u, v))
			if behind {
				z = b.Map1(Tanh, b.Map2(Add, z, b.Broadcast(b.input(n), []int{m, n})), 0, 0)
			}
			return b.returns(z, b.Gemm(x, v))
		}
		var want [][]float64
		for c, workers := range []int{2, 1, 3} {
			g := build()
			g.copies = 2
			if c > 0 {
				g.improve()
			} else {
				g.improve("splitdepth")
			}
			if cut := m*n*k >= splitWork && (m > 1 || n > 1) && n > 1; c > 0 && cut && !strings.Contains(g.String(), "sum[0]") {
				t.Fatalf("%d x %d x %d is not cut:\n%s", m, k, n, g)
			}
			p, err := link[float64](g, Options{Pool: parallel.New(workers)})
			if err != nil {
				t.Fatal(err)
			}
			values := rand.New(rand.NewPCG(uint64(m), uint64(n)))
			prepare(t, p, func(int) float64 { return values.NormFloat64() / math.Sqrt(float64(k)) })
			if err := p.RunCopies(2); err != nil {
				t.Fatal(err)
			}
			var got [][]float64
			for i := range p.outputs {
				for copy := range p.outputs[i].copies {
					got = append(got, slices.Clone(p.OutputCopy(i, copy)))
				}
			}
			for i := range got {
				for j, v := range got[i] {
					// The sizes of the terms of an element add up to about 1, whose last bit
					// is 1e-16, and the roundings are as many as 1e4 of either sign.
					if want != nil && math.Abs(v-want[i][j]) > 1e-14 {
						t.Fatalf("%d x %d x %d: element %d of output %d is %v, want %v", m, k, n, j, i, v, want[i][j])
					}
				}
				if c == 2 && !slices.Equal(got[i], want[i]) {
					t.Fatalf("%d x %d x %d: other bits with %d workers", m, k, n, workers)
				}
			}
			want = got
		}
	}
}
