package bench

import (
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// BenchmarkPeak is what the cores can do at most: multiply-adds on registers, on
// all of them.
func BenchmarkPeak(b *testing.B) {
	if fmas() == 0 {
		b.Fatal("no vector kernels for this processor")
	}
	pool := parallel.Shared()
	count := 0
	run := func(_, i int) {
		n := fmas()
		if i == 0 {
			count = n
		}
	}
	for b.Loop() {
		pool.Run(pool.Workers()*4, run)
	}
	b.ReportMetric(2*float64(count*pool.Workers()*4)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
