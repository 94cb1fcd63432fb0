package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/saddle-ml/saddle/optimizers"
)

// BenchmarkEight is the time of eight Hessian-vector products at once over that of
// the same eight one after another. The two take turns, as other work on the machine
// comes and goes, and the ratio is that of the medians.
func BenchmarkEight(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			s, dst, v := w.eight(b)
			together := func() error { return optimizers.HessianMuls(s, dst, v) }
			single := func() error {
				for i := range v {
					if err := s.HessianMul(dst[i], v[i]); err != nil {
						return err
					}
				}
				return nil
			}
			took := func(f func() error) time.Duration {
				start := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				return time.Since(start)
			}
			took(together)
			took(single)
			var eight, singles []time.Duration
			for b.Loop() {
				eight, singles = append(eight, took(together)), append(singles, took(single))
			}
			slices.Sort(eight)
			slices.Sort(singles)
			at := len(eight) / 2
			b.ReportMetric(eight[at].Seconds()*1e3, "ms-at-once")
			b.ReportMetric(singles[at].Seconds()*1e3, "ms-single")
			b.ReportMetric(eight[at].Seconds()/singles[at].Seconds(), "ratio")
		})
	}
}
