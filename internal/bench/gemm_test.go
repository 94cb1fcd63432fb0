package bench

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// shapes are the products M x K x N that are timed, and any other that the
// -bench flag names.
func shapes() [][3]int {
	list := [][3]int{
		{128, 784, 512}, {64, 784, 128}, {512, 512, 512}, {1000, 784, 1000}, {1000, 250, 30}, {1024, 1024, 1024}, {2048, 2048, 2048},
		{25088, 288, 64}, {128, 512, 10}, {784, 128, 512}, {784, 1000, 1000}, {128, 512, 784}, {1000, 1000, 784},
	}
	if f := flag.Lookup("test.bench"); f != nil {
		for _, m := range regexp.MustCompile(`(\d+)x(\d+)x(\d+)`).FindAllStringSubmatch(f.Value.String(), -1) {
			var s [3]int
			for i := range s {
				s[i], _ = strconv.Atoi(m[i+1]) // digits
			}
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// products times C = A B, and with A or B transposed, as compiled graphs.
func products(b *testing.B) {
	for _, s := range shapes() {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			b.Run("gemm", func(b *testing.B) { product(b, s, false, false) })
			b.Run("gemm_tn", func(b *testing.B) { product(b, s, true, false) })
			b.Run("gemm_nt", func(b *testing.B) { product(b, s, false, true) })
		})
	}
}

func product(b *testing.B, s [3]int, ta, tb bool) {
	p := compiled(b, s, ta, tb)
	for b.Loop() {
		if err := p.Run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(flops(s)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// flops is what a product takes.
func flops(s [3]int) float64 { return 2 * float64(s[0]) * float64(s[1]) * float64(s[2]) }

// compiled is a product that has run once.
func compiled(b *testing.B, s [3]int, ta, tb bool) *exec.Program[float32] {
	b.Helper()
	m, k, n := s[0], s[1], s[2]
	g := gorgonia.NewGraph()
	matrix := func(name string, rows, cols int, transposed bool) *gorgonia.Node {
		if transposed {
			rows, cols = cols, rows
		}
		return autodiff.NewInput(g, tensor.Float32, name, rows, cols)
	}
	x, y := matrix("a", m, k, ta), matrix("b", k, n, tb)
	o := ops.NewBuilder(g, tensor.Float32)
	c := o.MatMulT(x, y, ta, tb)
	if err := o.Err(); err != nil {
		b.Fatal(err)
	}
	// Parameters: data may be looked at for zeros.
	p, err := autodiff.Compile[float32]([]*gorgonia.Node{c}, nil, exec.Params{x, y})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for i, size := range []int{m * k, k * n} {
		v := exec.NewVector[float32](size)
		for j := range v {
			v[j] = float32(r.NormFloat64())
		}
		if err := p.SetInput(i, v); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		b.Fatal(err)
	}
	return p
}
