package kernel

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkMap: nanoseconds per element of each function on a block in the
// first-level cache, at each level.
func BenchmarkMap(b *testing.B) {
	b.Run("float32", benchmarkMap[float32])
	b.Run("float64", benchmarkMap[float64])
}

func benchmarkMap[T Float](b *testing.B) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	const n = 1024
	x := make([][]T, 3)
	for k := range x {
		x[k] = make([]T, n)
		for i := range x[k] {
			x[k][i] = T(0.1 + 3*r.Float64())
			if k == 0 && i%2 == 1 {
				x[k][i] = -x[k][i]
			}
		}
	}
	dst := make([]T, n)
	for f := range NumFn {
		ops := x[:f.Arity()]
		switch f {
		case Log, Sqrt, Rsqrt, Pow, Log1p:
			ops = x[1:][:f.Arity()] // positive
		}
		for l := Generic; l <= detect(); l++ {
			b.Run(f.String()+"/"+l.String(), func(b *testing.B) {
				level = l
				for b.Loop() {
					applyFn(f, dst, ops, 0.25, 0.75)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
