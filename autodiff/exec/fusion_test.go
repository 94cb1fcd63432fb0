package exec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// BenchmarkFusion is the time of products and elementwise work without one of the
// passes that join what stands behind them, over the time with it. The two take turns.
func BenchmarkFusion(b *testing.B) {
	for _, c := range []struct {
		name, pass string
		build      func(b *Builder, m, k, n int) *graph
	}{
		{"activation", "epilogues", func(b *Builder, m, k, n int) *graph {
			z := b.Map2(Add, b.Gemm(b.input(m, k), b.input(k, n)), b.Broadcast(b.input(n), []int{m, n}))
			return b.returns(b.Map1(Relu, z, 0, 0))
		}},
		{"mask", "epilogues", func(b *Builder, m, k, n int) *graph {
			return b.returns(b.Map2(Mul, b.Gemm(b.input(m, k), b.input(k, n)), b.input(m, n)))
		}},
		{"saved mask", "strips", func(b *Builder, m, k, n int) *graph {
			x := b.add(inputOp{slot: 0, name: "x", late: true}, []int{m, k})
			w, h := b.add(inputOp{slot: 1, name: "w"}, []int{k, n}), b.add(inputOp{slot: 2, name: "h"}, []int{m, n})
			return b.returns(b.Map2(Mul, b.Gemm(x, w), b.Map2(Gt, h, b.Fill(0, m, n))))
		}},
		{"saved derivative", "strips", func(b *Builder, m, k, n int) *graph {
			x := b.add(inputOp{slot: 0, name: "x", late: true}, []int{m, k})
			w, h := b.add(inputOp{slot: 1, name: "w"}, []int{k, n}), b.add(inputOp{slot: 2, name: "h"}, []int{m, n})
			return b.returns(b.Map2(Mul, b.Gemm(x, w), b.Map2(Sub, b.Fill(1, m, n), b.Map1(Square, h, 0, 0))))
		}},
		{"product with sums", "columnsums", func(b *Builder, m, k, n int) *graph {
			z := b.Gemm(b.input(m, k), b.input(k, n))
			return b.returns(z, b.Reduce(SumRed, z, []int{0}))
		}},
		{"map with sums", "columnsums", func(b *Builder, m, k, n int) *graph {
			z := b.Map2(Mul, b.input(m, n), b.input(m, n))
			return b.returns(z, b.Reduce(SumRed, z, []int{0}))
		}},
		{"sum of squares", "absorb", func(b *Builder, m, k, n int) *graph {
			z := b.Map1(Square, b.Map2(Sub, b.input(m, n), b.input(m, n)), 0, 0)
			return b.returns(b.Reduce(SumRed, z, []int{0, 1}))
		}},
	} {
		for _, s := range [][3]int{{512, 512, 10}, {128, 512, 512}, {512, 512, 512}, {512, 10, 512}, {1000, 500, 1000}, {10000, 64, 64}, {10000, 64, 1000}, {4096, 1024, 2048}} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", c.name, s[0], s[1], s[2]), func(b *testing.B) {
				var programs []*Program[float32]
				var took [2][]time.Duration
				for _, skip := range []string{c.pass, ""} {
					g := c.build(newBuilder(), s[0], s[1], s[2])
					g.single = true
					g.improve(skip)
					p, err := link[float32](g, Options{Pool: parallel.Shared()})
					if err != nil {
						b.Fatal(err)
					}
					r := rand.New(rand.NewPCG(1, 2))
					prepare(b, p, func(int) float64 { return r.NormFloat64() })
					if err := p.Run(); err != nil {
						b.Fatal(err)
					}
					programs = append(programs, p)
				}
				for b.Loop() {
					for i, p := range programs {
						start := time.Now()
						if err := p.Run(); err != nil {
							b.Fatal(err)
						}
						took[i] = append(took[i], time.Since(start))
					}
				}
				var median [2]float64
				for i, t := range took {
					slices.Sort(t)
					median[i] = t[len(t)/2].Seconds()
				}
				b.ReportMetric(median[0]/median[1], "ratio")
			})
		}
	}
}
