package exec

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

func TestAbsorbMovesExpressionsIntoReductions(t *testing.T) {
	b := newBuilder()
	x, y := b.input(128, 200), b.input(128, 200)
	square := b.Map1(Square, b.Map2(Sub, x, y), 0, 0)
	kept := b.Map2(Mul, x, y)
	few := b.Map1(Exp, b.Permute(x, []int{1, 0}), 0, 0)
	g := b.returns(b.Reduce(SumRed, square, []int{0, 1}), b.Reduce(SumRed, kept, []int{0}), kept,
		b.Reduce(SumRed, b.Reshape(few, []int{200, 2, 8, 8}), []int{1, 3}))
	simplify(g)
	fuse(g)
	prune(g)
	absorb(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [128 200]
	%1 = input("b") [128 200]
	%4 = map(mul) %0 %1 [128 200]
	%5 = view[1 200] %0 [200 128]
	%6 = map(exp) %5 [200 128]
	%7 = sum[0 1] of map(sub r0 r1; square r2) [128 200] %0 %1 []
	%8 = sum[0] %4 [200]
	%9 = view[128 64 8 1] %6 [200 2 8 8]
	%10 = sum[1 3] %9 [200 8]
	return %7 %8 %4 %10
	`)
}

// TestAbsorbKeepsBits reduces expressions of operands in several layouts over random
// axes of views of them, with and without the pass.
func TestAbsorbKeepsBits(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	sizes := []int{1, 2, 3, 10, 64, 100, 257, 2100, 40000}
	absorbed := map[reduceLoop]int{}
	for range 150 {
		n, shape := 1, []int{}
		for rank := 1 + r.IntN(4); len(shape) < rank; {
			if d := sizes[r.IntN(len(sizes))]; n*d <= 100000 {
				n *= d
				shape = append(shape, d)
			}
		}
		seed, red := r.Uint64(), []Red{SumRed, SumRed, MaxRed, MinRed, LogSumExpRed}[r.IntN(5)]
		build := func() *graph {
			r := rand.New(rand.NewPCG(seed, 0))
			b := newBuilder()
			operand := func() Value { // dense, transposed, or repeated along some axes
				perm := r.Perm(len(shape))
				from := make([]int, len(shape))
				back := make([]int, len(shape))
				for i, p := range perm {
					from[i] = shape[p]
					back[p] = i
				}
				if r.IntN(2) == 0 {
					return b.Permute(b.input(from...), back)
				}
				small := slices.Clone(shape)
				for i := range small {
					if r.IntN(3) == 0 {
						small[i] = 1
					}
				}
				return b.Broadcast(b.input(small...), shape)
			}
			v := b.Map1(Tanh, b.Map2(Add, b.Map2(Mul, operand(), operand()), operand()), 0, 0)
			if r.IntN(3) == 0 {
				v = b.Map1(Square, operand(), 0, 0)
			}
			if r.IntN(2) == 0 {
				v = b.Permute(v, r.Perm(len(shape)))
			}
			var axes []int
			for len(axes) == 0 {
				for i := range shape {
					if r.IntN(2) == 0 {
						axes = append(axes, i)
					}
				}
			}
			return b.returns(b.Reduce(red, v, axes))
		}
		var want []float32
		for k, workers := range []int{2, 1, 2, 3} { // the first without the pass
			g := build()
			if k > 0 {
				g.improve()
			} else {
				g.improve("absorb", "columnsums")
			}
			if k == 1 {
				for i := range g.code {
					if o, ok := g.code[i].op.(reduceOp); ok && o.code != nil {
						absorbed[newReduceShape(o).loop]++
					}
				}
			}
			p, err := link[float32](g, Options{Pool: parallel.New(workers)})
			if err != nil {
				t.Fatal(err)
			}
			values := rand.New(rand.NewPCG(seed, 1))
			prepare(t, p, func(int) float64 { return values.NormFloat64() })
			for range 2 {
				if err := p.Run(); err != nil {
					t.Fatal(err)
				}
			}
			if k == 0 {
				want = slices.Clone(p.Output(0))
				continue
			}
			if !slices.Equal(p.Output(0), want) {
				t.Fatalf("%s of shape %v, %d workers: other bits than without absorb:\n%s", red, shape, workers, p)
			}
		}
	}
	if absorbed[byRows] < 20 || absorbed[byColumns] < 20 {
		t.Errorf("%d reductions of rows and %d of columns have taken an expression; want many", absorbed[byRows], absorbed[byColumns])
	}
}

// TestAbsorbInRegions: between convolutions an expression is reduced slice by slice.
func TestAbsorbInRegions(t *testing.T) {
	build := func() *graph {
		b := newBuilder()
		same := Window{H: 6, W: 6, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 6, OW: 6}
		x, w, z := b.input(40, 4, 6, 6), b.input(8, 4, 3, 3), b.input(40, 8, 6, 6)
		d := b.Map2(Mul, b.Map1(Tanh, b.Conv(ConvOut, same, 40, 4, 8, 1, x, w), 0, 0), z)
		return b.returns(b.Reduce(SumRed, b.Map1(Abs, d, 0, 0), []int{0, 2, 3}), b.Reduce(MaxRed, b.Map1(Square, d, 0, 0), []int{1}))
	}
	var results [][]float64
	for _, skip := range []string{"absorb", ""} {
		g := build()
		g.improve(skip)
		text := g.String()
		if skip == "" && (!strings.Contains(text, "region") || !strings.Contains(text, "sum[0 2 3] of map(abs)") || !strings.Contains(text, "max[1] of map(square)")) {
			t.Errorf("want a reduction with an expression in a region:\n%s", text)
		}
		p, err := link[float64](g, Options{Pool: parallel.New(2)})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(5, 6))
		prepare(t, p, func(int) float64 { return r.NormFloat64() })
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		results = append(results, slices.Clone(p.Output(0)))
	}
	if !slices.Equal(results[0], results[1]) {
		t.Errorf("sums are %v without absorb and %v with it", results[0], results[1])
	}
}
