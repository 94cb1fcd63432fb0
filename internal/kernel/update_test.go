package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// updatesOf are all updates as functions of slices and numbers.
func updatesOf[T Float]() []struct {
	name   string
	slices int
	run    func(s [][]T, c [7]T)
} {
	adam := func(c [7]T) AdamCoefficients[T] {
		return AdamCoefficients[T]{c[0], c[1], c[2], c[3], c[4], c[5], c[6]}
	}
	return []struct {
		name   string
		slices int
		run    func(s [][]T, c [7]T)
	}{
		{"axpy", 2, func(s [][]T, c [7]T) { Axpy(s[0], c[0], s[1]) }},
		{"axpby", 3, func(s [][]T, c [7]T) { Axpby(s[0], c[0], s[1], c[1], s[2]) }},
		{"scale", 2, func(s [][]T, c [7]T) { Scale(s[0], c[0], s[1]) }},
		{"lerp", 2, func(s [][]T, c [7]T) { Lerp(s[0], c[0], s[1]) }},
		{"sgd", 2, func(s [][]T, c [7]T) { SGDUpdate(s[0], s[1], c[0], c[1]) }},
		{"momentum", 3, func(s [][]T, c [7]T) {
			MomentumUpdate(s[0], s[1], s[2], MomentumCoefficients[T]{c[0], c[1], c[2], c[3], c[4]})
		}},
		{"adam", 4, func(s [][]T, c [7]T) { AdamUpdate(s[0], s[1], s[2], s[3], adam(c)) }},
		{"adamMax", 5, func(s [][]T, c [7]T) { AdamMaxUpdate(s[0], s[1], s[2], s[3], s[4], adam(c)) }},
	}
}

// TestUpdates: every update gives the bits of plain Go, whole or cut, and keeps to
// its slices.
func TestUpdates(t *testing.T) {
	t.Run("float32", testUpdates[float32])
	t.Run("float64", testUpdates[float64])
}

func testUpdates[T Float](t *testing.T) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	for _, u := range updatesOf[T]() {
		for trial := range 60 {
			n := lengths[r.IntN(len(lengths))]
			if trial == 0 {
				n = 9000
			}
			var c [7]T
			for i := range c {
				c[i] = T(r.Float64())
			}
			in := make([]fenced[T], u.slices)
			for k := range in {
				in[k] = newFenced[T](r, n)
				for i := range in[k].x {
					if k >= 3 {
						in[k].x[i] *= in[k].x[i] // mean squares
					}
				}
				if trial%5 == 1 {
					mixed(r, in[k].x)
				}
			}
			var first [][]T
			for l := Generic; l <= detect(); l++ {
				level = l
				for _, cut := range []int{n, r.IntN(n + 1)} {
					s, lo, hi := make([][]T, u.slices), make([][]T, u.slices), make([][]T, u.slices)
					out := make([]fenced[T], u.slices)
					for k := range in {
						out[k] = newFenced[T](r, n)
						s[k] = out[k].x
						copy(s[k], in[k].x)
						lo[k], hi[k] = s[k][:cut], s[k][cut:]
					}
					u.run(lo, c)
					u.run(hi, c)
					what := fmt.Sprintf("%s of %d cut at %d, %s", u.name, n, cut, l)
					if first == nil {
						first = s
					}
					for k := range s {
						out[k].check(t, what)
						for i := range s[k] {
							if !same(s[k][i], first[k][i]) {
								t.Fatalf("%s: element %d of slice %d is %v, want %v", what, i, k, s[k][i], first[k][i])
							}
						}
					}
				}
			}
		}
	}
}

// TestAdamUpdateIsAdam: two steps by hand, for the formula of Kingma and Ba.
func TestAdamUpdateIsAdam(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		const lr, b1, b2, eps = 0.1, 0.9, 0.999, 1e-8
		x, m, v := []float64{1, 2}, make([]float64, 2), make([]float64, 2)
		wantX, wantM, wantV := []float64{1, 2}, make([]float64, 2), make([]float64, 2)
		p1, p2 := 1.0, 1.0
		for step, g := range [][]float64{{0.5, -3}, {0.25, 7}} {
			p1, p2 = p1*b1, p2*b2
			for i := range g {
				wantM[i] = b1*wantM[i] + (1-b1)*g[i]
				wantV[i] = b2*wantV[i] + (1-b2)*g[i]*g[i]
				wantX[i] -= lr * (wantM[i] / (1 - p1)) / (math.Sqrt(wantV[i]/(1-p2)) + eps)
			}
			c := math.Sqrt(1 - p2)
			AdamUpdate(x, g, m, v, AdamCoefficients[float64]{1 - b1, b2, 1 - b2, lr * c / (1 - p1), eps * c, 0, 1})
			for i := range x {
				if !near(x[i], wantX[i]) || !near(m[i], wantM[i]) || !near(v[i], wantV[i]) {
					t.Errorf("step %d, element %d: x, m, v are %v, %v, %v, want %v, %v, %v", step+1, i, x[i], m[i], v[i], wantX[i], wantM[i], wantV[i])
				}
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{4096, 670000} {
		for _, u := range updatesOf[float32]() {
			s := make([][]float32, u.slices)
			for k := range s {
				s[k] = newFenced[float32](r, n).x
			}
			if u.slices > 3 {
				Map1(Abs, s[3], s[3], 0, 0)
			}
			c := [7]float32{0.1, 0.99, 0.1, 1e-5, 1e-4, 1e-5, 1}
			for l := Generic; l <= detect(); l++ {
				b.Run(fmt.Sprintf("%s/%d/%s", u.name, n, l), func(b *testing.B) {
					level = l
					for b.Loop() {
						u.run(s, c)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// near tells whether x is y but for some roundings.
func near(x, y float64) bool { return math.Abs(x-y) <= 1e-14*math.Abs(y) }
