package exec

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// layer is a product with data x [96 200], its gradient, one with a direction,
// and the same with a single column.
func layer(b *Builder) *graph {
	x := b.add(inputOp{slot: 0, name: "x", data: true}, []int{96, 200})
	w := b.add(inputOp{slot: 1, name: "w"}, []int{200, 70})
	v := b.add(inputOp{slot: 2, name: "v", late: true}, []int{200, 70})
	one := b.add(inputOp{slot: 3, name: "one"}, []int{200, 1})
	u := b.add(inputOp{slot: 4, name: "u", late: true}, []int{200, 1})
	h := b.Map1(Tanh, b.Gemm(x, w), 0, 0)
	xt := b.Permute(x, []int{1, 0})
	return b.returns(h, b.Gemm(xt, h), b.Gemm(x, v), b.Gemm(xt, b.Gemm(x, v)),
		b.Gemm(x, one), b.Gemm(xt, b.Gemm(x, u)))
}

func TestSparsifyCompressesDataOnce(t *testing.T) {
	b := newBuilder()
	g := layer(b)
	stage(g)
	sparsify(g)
	text := g.String()
	if strings.Count(text, "compress") != 2 || strings.Count(text, "gemm[sparse]") != 7 {
		t.Errorf("want one compression of the data and one of its transpose for seven of eight products:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "compress") && strings.Contains(line, "late") {
			t.Errorf("data is compressed in every run: %s", line)
		}
	}
	// A parameter is none, and few columns do not repay it.
	b = newBuilder()
	x, w := b.input(96, 200), b.add(inputOp{slot: 1, name: "d", data: true}, []int{200, 70})
	g = b.returns(b.Gemm(x, w), b.Gemm(b.Permute(w, []int{1, 0}), b.Permute(b.Slice(x, []int{0, 0}, []int{10, 200}, []int{1, 1}), []int{1, 0})))
	before := g.String()
	sparsify(g)
	expect(t, "after", g, before)
}

// TestSparseProductsAreProducts: sparse and dense data go different ways to one
// result.
func TestSparseProductsAreProducts(t *testing.T) {
	for _, share := range []float64{0, 0.1, 0.29, 0.31, 0.4, 1} {
		var results [][][]float64
		for _, skip := range []string{"sparsify", ""} {
			b := newBuilder()
			g := layer(b)
			g.copies = 3
			g.improve(skip)
			p, err := link[float64](g, Options{Pool: parallel.New(2)})
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			prepare(t, p, func(input int) float64 {
				if input > 0 || r.Float64() < share {
					return r.NormFloat64()
				}
				return 0
			})
			if err := p.RunCopies(3); err != nil {
				t.Fatal(err)
			}
			var out [][]float64
			for i := range p.outputs {
				for k := range p.outputs[i].copies {
					out = append(out, p.OutputCopy(i, k))
				}
			}
			results = append(results, out)
			if n := testing.AllocsPerRun(10, func() { p.Prepare(); p.RunCopies(3) }); n != 0 {
				t.Errorf("%v allocations a run", n)
			}
		}
		for i, want := range results[0] {
			size := 1e-300
			for _, v := range want {
				size = max(size, math.Abs(v))
			}
			for j, v := range want {
				// Sums of 200 terms, in the same order but for zeros.
				if d := math.Abs(v - results[1][i][j]); !(d <= 1e-13*size) {
					t.Fatalf("share %v: result %d, element %d is %v, dense %v", share, i, j, results[1][i][j], v)
				}
			}
		}
	}
}
