package exec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// late adds an input of the second stage to a program under test.
func (b *Builder) late(shape ...int) Value {
	v := b.input(shape...)
	d := b.g.def(v)
	o := d.op.(inputOp)
	o.late = true
	d.op = o
	return v
}

func TestStripsMoveMasksIntoProducts(t *testing.T) {
	b := newBuilder()
	w, h := b.input(50, 100), b.input(40, 100)
	x, bias := b.late(40, 50), b.late(100)
	mask := b.Map2(Gt, h, b.Fill(0, 40, 100))
	z := b.Map2(Mul, b.Map2(Add, b.Gemm(x, w), b.Broadcast(bias, []int{40, 100})), mask)
	again := b.Map2(Mul, b.Gemm(z, b.input(100, 100)), mask)
	both := b.Map2(Mul, b.Gemm(z, b.input(100, 100)), b.late(40, 100)) // is not known before
	narrow := b.Map2(Mul, b.Gemm(z, b.input(100, 64)), b.input(40, 64))
	g := b.returns(again, both, narrow)
	stage(g)
	fuse(g)
	prune(g)
	strips(g)
	expect(t, "after", g, `
	%0 = input("a") [50 100]
	%1 = input("b") [40 100]
	%2 = input("c") [40 50] late
	%3 = input("d") [100] late
	%4 = const[0] []
	%5 = view[0 0] %4 [40 100]
	%8 = view[0 1] %3 [40 100] late
	%22 = map(gt) %1 %5 [40 100]
	%23 = strips %22 [40 100]
	%10 = gemm map(add r0 r1; mul r3 r2) with 1 in strips %2 %0 %8 %23 [40 100] late
	%11 = input("e") [100 100]
	%13 = gemm map(mul) with 1 in strips %10 %11 %23 [40 100] late
	%14 = input("f") [100 100]
	%15 = gemm %10 %14 [40 100] late
	%16 = input("g") [40 100] late
	%17 = map(mul) %15 %16 [40 100] late
	%18 = input("h") [100 64]
	%19 = gemm %10 %18 [40 64] late
	%20 = input("i") [40 64]
	%21 = map(mul) %19 %20 [40 64] late
	return %13 %17 %21
	`)
}

func TestStripsKeepBits(t *testing.T) {
	t.Run("float32", stripsKeepBits[float32])
	t.Run("float64", stripsKeepBits[float64])
}

// stripsKeepBits multiplies products of the second stage with expressions of operands
// in several layouts, with and without the pass.
func stripsKeepBits[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	moved := 0
	const copies, cases = 3, 60
	for range cases {
		m, depth, n := pick(1, 2, 7, 65, 130), pick(1, 5, 64, 200), pick(10, 65, 72, 100, 128, 130, 200, 301)
		seed := r.Uint64()
		build := func() *graph {
			r := rand.New(rand.NewPCG(seed, 0))
			b := newBuilder()
			operand := func() Value { // dense, transposed, a row or a column
				switch r.IntN(5) {
				case 0:
					return b.Permute(b.input(n, m), []int{1, 0})
				case 1:
					return b.Broadcast(b.input(1, n), []int{m, n})
				case 2:
					return b.Broadcast(b.input(m, 1), []int{m, n})
				}
				return b.input(m, n)
			}
			var z Value
			switch r.IntN(3) {
			case 0:
				z = b.Gemm(b.late(m, depth), b.input(depth, n))
			case 1:
				z = b.Gemm(b.Permute(b.late(depth, m), []int{1, 0}), b.input(depth, n))
			default:
				x := b.add(inputOp{slot: 0, name: "x", data: true}, []int{m, depth})
				z = b.Gemm(x, b.late(depth, n))
			}
			if r.IntN(2) == 0 {
				z = b.Map2(Add, z, b.Broadcast(b.late(n), []int{m, n}))
			}
			saved := b.Map1(Tanh, operand(), 0, 0)
			switch r.IntN(3) {
			case 0:
				saved = b.Map2(Gt, operand(), operand())
			case 1:
				saved = operand()
			}
			z = b.Map2(Mul, z, saved)
			if r.IntN(3) == 0 {
				z = b.Map2(Sub, operand(), z)
			}
			return b.returns(z, b.Reduce(SumRed, z, []int{0}))
		}
		var want, sums []T
		for i, c := range []struct {
			workers int
			skip    []string
		}{
			{2, []string{"strips", "columnsums"}},
			{1, []string{"columnsums"}}, {2, []string{"columnsums"}}, {3, []string{"columnsums"}},
			{1, nil}, {2, nil}, {3, nil}, // add columns up in another order
		} {
			g := build()
			g.copies, g.single = copies, sizeof[T]() == 4
			g.improve(c.skip...)
			p, err := link[T](g, Options{Pool: parallel.New(c.workers), group: i % 3})
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 && slices.ContainsFunc(g.code, func(in inst) bool { return in.op == op(stripsOp{}) }) {
				moved++
			}
			values := rand.New(rand.NewPCG(seed, 1))
			share := values.Float64()
			prepare(t, p, func(input int) float64 {
				if input == 0 && values.Float64() < share {
					return 0
				}
				return values.NormFloat64()
			})
			if err := p.RunCopies(copies); err != nil {
				t.Fatal(err)
			}
			var got, added []T
			for c := range copies {
				got = append(got, p.OutputCopy(0, c)...)
				added = append(added, p.OutputCopy(1, c)...)
			}
			if i == 0 {
				want = got
			}
			if i == 0 || c.skip == nil && c.workers == 1 {
				sums = added
			}
			for k, x := range [][2][]T{{want, got}, {sums, added}} {
				for j := range x[0] {
					if math.Float64bits(float64(x[0][j])) != math.Float64bits(float64(x[1][j])) {
						t.Fatalf("%dx%dx%d, %d workers: output %d, element %d is %v, want %v\n%s", m, depth, n, c.workers, k, j, x[1][j], x[0][j], p)
					}
				}
			}
		}
	}
	if moved < cases/3 {
		t.Errorf("the pass changed %d of %d programs", moved, cases)
	}
}
