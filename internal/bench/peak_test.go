package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// peak runs multiply-adds on registers, on all cores, and tells how many operations
// those were.
func peak(b *testing.B) (run func(), flops float64) {
	b.Helper()
	count := fmas()
	if count == 0 {
		b.Fatal("no vector kernels for this processor")
	}
	pool := parallel.Shared()
	tasks := pool.Workers() * 16
	return func() { pool.Run(tasks, func(_, _ int) { fmas() }) }, 2 * float64(count*tasks)
}

// BenchmarkPeak is what the cores can do at most.
func BenchmarkPeak(b *testing.B) {
	run, flops := peak(b)
	for b.Loop() {
		run()
	}
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkOfPeak is the share of that which products reach. The two take turns of
// some milliseconds, as other work on the machine comes and goes, and the share is
// the median over the turns.
func BenchmarkOfPeak(b *testing.B) {
	for _, s := range [][3]int{{512, 512, 512}, {2048, 2048, 2048}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			run, most := peak(b)
			p := compiled(b, s, false, false)
			rate := func(f func() error, flops float64) float64 {
				n, start := 0, time.Now()
				for ; n == 0 || time.Since(start) < 5*time.Millisecond; n++ {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
				return flops * float64(n) / time.Since(start).Seconds() / 1e9
			}
			var shares, rates []float64
			for b.Loop() {
				before := rate(func() error { run(); return nil }, most)
				own := rate(p.Run, flops(s))
				after := rate(func() error { run(); return nil }, most)
				shares, rates = append(shares, 2*own/(before+after)), append(rates, own)
			}
			slices.Sort(shares)
			slices.Sort(rates)
			b.ReportMetric(100*shares[len(shares)/2], "%peak")
			b.ReportMetric(rates[len(rates)/2], "GFLOP/s")
		})
	}
}
