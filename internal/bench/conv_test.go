package bench

import (
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// BenchmarkConvolution is W2's second convolution, 3x3, 32 to 64 channels on
// 14x14, of 128 images, by both methods. Rates count the multiplications of the
// direct one.
func BenchmarkConvolution(b *testing.B) {
	const images, size, in, out = 128, 14, 32, 64
	w := kernel.Window{H: size, W: size, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: size, OW: size}
	r := rand.New(rand.NewPCG(9, 10))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	x, weights, y := random(images*size*size*in), random(9*in*out), make([]float32, images*size*size*out)
	pool := parallel.Shared()
	part := func(v []float32, i, n int) []float32 { return v[i*n : (i+1)*n] }
	time := func(b *testing.B, scratch int, before func(), image func(i int, scratch []float32)) {
		mem := make([][]float32, pool.Workers())
		for i := range mem {
			mem[i] = make([]float32, scratch)
		}
		run := func(worker, i int) { image(i, mem[worker]) }
		for b.Loop() {
			before()
			pool.Run(images, run)
		}
		b.ReportMetric(2*float64(len(y)*9*in)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	}
	b.Run("direct", func(b *testing.B) {
		p := kernel.NewConv[float32](w, in, out, 1)
		time(b, p.Scratch(), func() {}, func(i int, scratch []float32) {
			p.Rows(part(y, i, size*size*out), part(x, i, size*size*in), weights, scratch, 0, size)
		})
	})
	b.Run("winograd", func(b *testing.B) {
		p := kernel.NewWinograd[float32](w, in, out)
		u := make([]float32, 16*in*out)
		time(b, p.Scratch(), func() { kernel.WinogradWeights(u, weights) }, func(i int, scratch []float32) {
			p.Rows(part(y, i, size*size*out), part(x, i, size*size*in), u, scratch, 0, p.TileRows())
		})
	})
}
