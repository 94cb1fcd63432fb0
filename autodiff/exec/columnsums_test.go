package exec

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

func TestColumnSumsAreSecondResults(t *testing.T) {
	b := newBuilder()
	x, w, mask := b.input(40, 30), b.input(30, 20), b.input(40, 20)
	y := b.Map2(Mul, b.Gemm(x, w), mask)
	z := b.Map2(Add, mask, mask)
	given := b.Reduce(SumRed, x, []int{0})                                                   // of an input
	rows := b.Reduce(SumRed, y, []int{1})                                                    // not of columns
	most := b.Reduce(MaxRed, z, []int{0})                                                    // not a sum
	again := b.Reduce(SumRed, b.Slice(y, []int{0, 0}, []int{20, 20}, []int{1, 1}), []int{0}) // of some rows
	g := b.returns(y, b.Reduce(SumRed, y, []int{0}), z, b.Reduce(SumRed, b.Reshape(z, []int{8, 5, 20}), []int{0, 1}), given, rows, most, again)
	epilogues(g)
	prune(g)
	columnSums(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [40 30]
	%1 = input("b") [30 20]
	%2 = input("c") [40 20]
	%4 %11 = gemm map(mul) and sums of columns, of %0 %1 %2 [40 20]
	%5 %13 = map(add) and sums of columns, of %2 %2 [40 20]
	%6 = sum[0] %0 [30]
	%7 = sum[1] %4 [40]
	%8 = max[0] %5 [20]
	%9 = view[20 1] %4 [20 20]
	%10 = sum[0] %9 [20]
	return %4 %11 %5 %13 %6 %7 %8 %10
	`)
}

// TestColumnSumsAreSums: of products, of data with many zeros and few, and of
// elementwise results, early and late, of random shapes; with the same bits whoever
// adds, however many copies run at once.
func TestColumnSumsAreSums(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for trial := range 40 {
		m, k, n := 1+r.IntN(300), sumDepth+r.IntN(100), 1+r.IntN(300)
		if n <= 64 {
			k = 1 + r.IntN(200)
		}
		if trial%4 == 0 {
			m = 1000 + r.IntN(1000)
		}
		share := []float64{0.1, 1}[trial%2]
		build := func() *graph {
			b := newBuilder()
			x := b.add(inputOp{slot: 0, name: "x", data: true}, []int{m, k})
			w, bias := b.add(inputOp{slot: 1, name: "w"}, []int{k, n}), b.add(inputOp{slot: 2, name: "b"}, []int{n})
			v := b.add(inputOp{slot: 3, name: "v", late: true}, []int{k, n})
			y := b.Map1(Tanh, b.Map2(Add, b.Gemm(x, w), b.Broadcast(bias, []int{m, n})), 0, 0)
			jv := b.Map2(Mul, b.Gemm(x, v), y)
			e := b.Map2(Sub, jv, b.Map1(Square, y, 0, 0))
			batch := b.Gemm(b.Reshape(b.Dense(jv), []int{1, m, n}), b.Reshape(b.Gemm(b.Permute(jv, []int{1, 0}), e), []int{1, n, n}))
			var outs []Value
			for _, z := range []Value{y, jv, e, b.Reshape(batch, []int{m, n})} {
				outs = append(outs, z, b.Reduce(SumRed, z, []int{0}))
			}
			return b.returns(outs...)
		}
		const copies = 3
		values := func(i int) float64 {
			if i == 0 && r.Float64() > share {
				return 0
			}
			return r.NormFloat64()
		}
		var inputs [][][]float64
		var want [][]float64
		for c, o := range []Options{{Pool: parallel.New(1)}, {Pool: parallel.New(3)}, {Pool: parallel.New(2), group: 1}, {Pool: parallel.New(2), group: 2}} {
			g := compiled(build(), copies)
			if m > 1 {
				want := 4
				if n > 64 && n < sumDepth {
					want = 3 // the last product's blocks are large
				}
				if got := strings.Count(g.String(), "sums of columns"); got != want {
					t.Fatalf("%d instructions give sums of columns, want %d:\n%s", got, want, g)
				}
			}
			p, err := link[float64](g, o)
			if err != nil {
				t.Fatal(err)
			}
			if c == 0 {
				prepare(t, p, values)
				for i := range p.inputs {
					var xs [][]float64
					for k := range p.inputs[i].copies {
						xs = append(xs, p.m.slots[p.inputs[i].slot+k])
					}
					inputs = append(inputs, xs)
				}
			} else {
				for i, xs := range inputs {
					for k, x := range xs {
						if err := p.set(i, k, x); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := p.Prepare(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := p.RunCopies(copies); err != nil {
					t.Fatal(err)
				}
			}
			at := 0
			for i := range p.outputs {
				for k := range p.outputs[i].copies {
					got := p.OutputCopy(i, k)
					if c == 0 {
						want = append(want, slices.Clone(got))
						if i%2 == 1 {
							checkColumnSums(t, got, want[len(want)-1-p.outputs[i].copies])
						}
					} else if !slices.Equal(got, want[at]) {
						t.Fatalf("%d x %d x %d, output %d, copy %d: other bits with %d workers", m, k, n, i, k, o.Pool.Workers())
					}
					at++
				}
			}
		}
	}
}

// checkColumnSums compares sums with those of z, which may differ by the rounding of
// their terms.
func checkColumnSums(t *testing.T, got, z []float64) {
	t.Helper()
	n := len(got)
	for j := range got {
		sum, size := 0.0, 0.0
		for i := j; i < len(z); i += n {
			sum += z[i]
			size += math.Abs(z[i])
		}
		if rows := len(z) / n; math.Abs(got[j]-sum) > float64(rows)*0x1p-53*size {
			t.Fatalf("column %d of [%d, %d] adds to %v, want %v", j, rows, n, got[j], sum)
		}
	}
}

// TestColumnSumsHaveSquares: a gradient of a bias that a product gives has its length.
func TestColumnSumsHaveSquares(t *testing.T) {
	b := newBuilder()
	x, w := b.input(600, 300), b.input(300, 300)
	y := b.Gemm(x, w)
	g := b.returns(b.Reduce(SumRed, y, []int{0}), y)
	p, err := assemble[float64](g, Options{Pool: parallel.New(2), Squares: []int{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.String(), "sums of columns") {
		t.Fatalf("no product gives sums of columns:\n%s", p)
	}
	r := rand.New(rand.NewPCG(1, 2))
	prepare(t, p, func(int) float64 { return r.NormFloat64() })
	if n := testing.AllocsPerRun(3, func() {
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
	for i := range 2 {
		want := 0.0
		for _, v := range p.Output(i) {
			want += v * v
		}
		if s := p.Squares(i); math.Abs(s-want) > 1e-12*want {
			t.Errorf("squares of output %d are %v, want %v", i, s, want)
		}
	}
}
