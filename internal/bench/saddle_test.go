package bench

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func BenchmarkSaddle(b *testing.B) {
	products(b)
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			b.Run("step", w.step)
			b.Run("grad", w.grad)
			b.Run("hvp", func(b *testing.B) { w.product1(b, optimizers.Curvature[float32].HessianMul) })
			b.Run("ggn", func(b *testing.B) { w.product1(b, optimizers.Curvature[float32].GaussNewtonMul) })
			b.Run("hvp8", w.product8)
			b.Run("eval", w.eval)
		})
	}
}

// step trains. What comes before the second step, such as compiling, is not
// counted.
func (w *workload) step(b *testing.B) {
	m, d := w.model(b), w.set(b, examples)
	steps := 0
	count := train.ObserverFunc(func(e train.Event) error {
		if _, ok := e.(*train.Stepped); ok {
			if steps == 0 {
				b.ResetTimer()
			}
			if steps++; steps > b.N {
				b.StopTimer()
				return train.ErrStop
			}
		}
		return nil
	})
	_, err := train.Fit(context.Background(), m, d, train.Config{
		Optimizer: &optimizers.Adam{}, Epochs: b.N*w.batch/examples + 2, Batch: w.batch, DropLast: true,
		Observers: []train.Observer{count},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(w.batch)*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
}

// sample is the workload's loss on one batch.
func (w *workload) sample(b *testing.B) (s optimizers.Sample[float32], params []float32) {
	b.Helper()
	m, d := w.model(b), w.set(b, w.product)
	var batch data.Batch[float32]
	loader := data.Loader[float32]{Data: d, Batch: w.product}
	for next, err := range loader.Epoch(context.Background(), 0, 0) {
		if err != nil {
			b.Fatal(err)
		}
		batch = next
	}
	s, err := train.ProblemOf(m, batch)
	if err != nil {
		b.Fatal(err)
	}
	return s, m.Params
}

func (w *workload) grad(b *testing.B) {
	s, x := w.sample(b)
	g := make([]float32, len(x))
	if _, err := s.Grad(g, x); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Grad(g, x); err != nil {
			b.Fatal(err)
		}
	}
}

// product1 multiplies one direction at a point that is linearised already.
func (w *workload) product1(b *testing.B, mul func(s optimizers.Curvature[float32], dst, v []float32) error) {
	s, x := w.sample(b)
	v, hv := direction(len(x)), make([]float32, len(x))
	if err := s.Linearize(x); err != nil {
		b.Fatal(err)
	}
	if err := mul(s, hv, v); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := mul(s, hv, v); err != nil {
			b.Fatal(err)
		}
	}
}

func direction(n int) []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// eight is the sample of products at one point, with eight directions and places for
// their products.
func (w *workload) eight(b *testing.B) (s optimizers.Sample[float32], dst, v [][]float32) {
	b.Helper()
	s, x := w.sample(b)
	dst, v = make([][]float32, 8), make([][]float32, 8)
	for i := range v {
		dst[i], v[i] = make([]float32, len(x)), direction(len(x))
	}
	if err := s.Linearize(x); err != nil {
		b.Fatal(err)
	}
	return s, dst, v
}

// product8 multiplies eight directions at once.
func (w *workload) product8(b *testing.B) {
	s, dst, v := w.eight(b)
	if err := optimizers.HessianMuls(s, dst, v); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := optimizers.HessianMuls(s, dst, v); err != nil {
			b.Fatal(err)
		}
	}
}

// eval measures 10,000 examples.
func (w *workload) eval(b *testing.B) {
	m, d := w.model(b), w.set(b, 10000)
	if _, err := train.Evaluate(context.Background(), m, d); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := train.Evaluate(context.Background(), m, d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(10000*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
}
