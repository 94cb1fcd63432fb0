package exec

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// TestSquares compares the sums of squares of products, convolutions and sums with
// those of the outputs, which may differ by the rounding of float64 sums; they are
// the same bits with any number of workers.
func TestSquares(t *testing.T) {
	var before []float64
	for _, workers := range []int{1, 3} {
		p := networkProgram[float32](t, workers)
		if s := p.Squares(0); !math.IsNaN(s) {
			t.Errorf("squares that nobody asked for are %v", s)
		}
		var all []int
		for i := range p.outputs {
			all = append(all, i)
		}
		p = networkProgram[float32](t, workers, all...)
		for range 2 { // the second run begins with the sums of the first
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
		}
		var sums []float64
		for i := range p.outputs {
			want := 0.0
			for _, v := range p.Output(i) {
				want += float64(v) * float64(v)
			}
			s := p.Squares(i)
			if math.Abs(s-want) > 1e-12*want {
				t.Errorf("output %d of shape %v: squares are %v, want %v", i, p.Shape(i), s, want)
			}
			sums = append(sums, s)
			if before != nil && s != before[i] {
				t.Errorf("output %d: squares are %v with one worker and %v with %d", i, before[i], s, workers)
			}
		}
		before = sums
	}
}

// TestSquaresOfSlices is of results that are added up over slices of a batch, and of
// products of sparse matrices, which have units of their own.
func TestSquaresOfSlices(t *testing.T) {
	for _, c := range []struct {
		share float64 // of numbers other than 0
		rows  int
	}{{1, 4096}, {0.01, 4096}} {
		b := newBuilder()
		x, w := b.input(c.rows, 300), b.input(300, 70)
		z := b.Map1(Tanh, b.Gemm(x, w), 0, 0)
		g := b.returns(b.Gemm(b.Permute(x, []int{1, 0}), z), b.Reduce(SumRed, z, []int{0}))
		p, err := assemble[float32](g, Options{Pool: parallel.New(2), Squares: []int{0, 1}})
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range p.inputs {
			v := make([]float32, q.n)
			for j := range v {
				if i > 0 || float64(j*7919%1000) < 1000*c.share {
					v[j] = float32(j%13) - 6
				}
			}
			if err := p.SetInput(i, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		for i := range p.outputs {
			want := 0.0
			for _, v := range p.Output(i) {
				want += float64(v) * float64(v)
			}
			if s := p.Squares(i); math.Abs(s-want) > 1e-12*want {
				t.Errorf("%v full: output %d: squares are %v, want %v\n%v", c.share, i, s, want, p)
			}
		}
	}
}
