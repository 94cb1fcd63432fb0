package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// aRule is an update as a function of slices and numbers.
type aRule[T Float] struct {
	name   string
	slices int
	run    func(s [][]T, c [maxNumbers]T)
	// formula restates the rule: v has an element of each slice, to be replaced.
	formula func(v []float64, c []float64)
}

// fill makes coefficients of the first numbers, in the order of the fields.
func fill[C any, T Float](c [maxNumbers]T) C {
	var filled C
	v := reflect.ValueOf(&filled).Elem()
	for i := range v.NumField() {
		v.Field(i).Set(reflect.ValueOf(c[i]))
	}
	return filled
}

func sgn(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// updatesOf are all updates.
func updatesOf[T Float]() []aRule[T] {
	// Kingma and Ba's moments, of a gradient with weight decay c[coupled].
	moments := func(v, c []float64, coupled int) {
		d := v[1] + c[coupled]*v[0]
		v[2] = (1-c[0])*v[2] + c[0]*d
		v[3] = c[1]*v[3] + c[2]*d*d
	}
	belief := func(v, c []float64) {
		d := v[1] + c[6]*v[0]
		v[2] = (1-c[0])*v[2] + c[0]*d
		v[3] = c[1]*v[3] + c[2]*(d-v[2])*(d-v[2]) + c[3]
	}
	rms := func(centered, momentum bool) func(v, c []float64) {
		return func(v, c []float64) {
			d := v[1] + c[4]*v[0]
			v[2] = c[0]*v[2] + c[1]*d*d
			square, next := v[2], 3
			if centered {
				v[3] = (1-c[1])*v[3] + c[1]*d
				square, next = max(0, square-v[3]*v[3]), 4
			}
			step := d / (math.Sqrt(square) + c[3])
			if momentum {
				v[next] = c[5]*v[next] + step
				step = v[next]
			}
			v[0] -= c[2] * step
		}
	}
	aggMo := func(count int) func(v, c []float64) {
		return func(v, c []float64) {
			d := v[1] + c[5]*v[0]
			for i := range count {
				v[2+i] = c[i]*v[2+i] + d
				v[0] -= c[4] * v[2+i]
			}
		}
	}
	return []aRule[T]{
		{
			"axpy", 2, func(s [][]T, c [maxNumbers]T) { Axpy(s[0], c[0], s[1]) },
			func(v, c []float64) { v[0] += c[0] * v[1] },
		},
		{
			"axpby", 3, func(s [][]T, c [maxNumbers]T) { Axpby(s[0], c[0], s[1], c[1], s[2]) },
			func(v, c []float64) { v[0] = c[0]*v[1] + c[1]*v[2] },
		},
		{
			"scale", 2, func(s [][]T, c [maxNumbers]T) { Scale(s[0], c[0], s[1]) },
			func(v, c []float64) { v[0] = c[0] * v[1] },
		},
		{
			"lerp", 2, func(s [][]T, c [maxNumbers]T) { Lerp(s[0], c[0], s[1]) },
			func(v, c []float64) { v[0] = (1-c[0])*v[0] + c[0]*v[1] },
		},
		{
			"sgd", 2, func(s [][]T, c [maxNumbers]T) { SGDUpdate(s[0], s[1], c[0], c[1]) },
			func(v, c []float64) { v[0] -= c[0] * (v[1] + c[1]*v[0]) },
		},
		{
			"momentum", 3, func(s [][]T, c [maxNumbers]T) {
				MomentumUpdate(s[0], s[1], s[2], fill[MomentumCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[2]*v[0]
				v[2] = c[0]*v[2] + c[1]*d
				v[0] -= c[3]*d + c[4]*v[2]
			},
		},
		{
			"aggmo4", 6, func(s [][]T, c [maxNumbers]T) {
				AggMo4Update(s[0], s[1], s[2], s[3], s[4], s[5], fill[AggMo4Coefficients[T]](c))
			},
			aggMo(4),
		},
		{
			"aggmo3", 5, func(s [][]T, c [maxNumbers]T) {
				AggMo3Update(s[0], s[1], s[2], s[3], s[4], fill[AggMo4Coefficients[T]](c))
			},
			aggMo(3),
		},
		{
			"aggmo2", 4, func(s [][]T, c [maxNumbers]T) {
				AggMo2Update(s[0], s[1], s[2], s[3], fill[AggMo4Coefficients[T]](c))
			},
			aggMo(2),
		},
		{
			"adam", 4, func(s [][]T, c [maxNumbers]T) { AdamUpdate(s[0], s[1], s[2], s[3], fill[AdamCoefficients[T]](c)) },
			func(v, c []float64) {
				moments(v, c, 5)
				v[0] = c[6]*v[0] - c[3]*v[2]/(math.Sqrt(v[3])+c[4])
			},
		},
		{
			"adamMax", 5, func(s [][]T, c [maxNumbers]T) {
				AdamMaxUpdate(s[0], s[1], s[2], s[3], s[4], fill[AdamCoefficients[T]](c))
			},
			func(v, c []float64) {
				moments(v, c, 5)
				v[4] = max(v[4], v[3])
				v[0] = c[6]*v[0] - c[3]*v[2]/(math.Sqrt(v[4])+c[4])
			},
		},
		{
			"adamMean", 4, func(s [][]T, c [maxNumbers]T) {
				AdamMeanUpdate(s[0], s[1], s[2], s[3], fill[AdamCoefficients[T]](c))
			},
			func(v, c []float64) {
				moments(v, c, 5)
				v[0] = c[6]*v[0] - c[3]*v[2]
			},
		},
		{
			"nadam", 4, func(s [][]T, c [maxNumbers]T) {
				NAdamUpdate(s[0], s[1], s[2], s[3], fill[NAdamCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[6]*v[0]
				moments(v, c, 6)
				v[0] = c[7]*v[0] - (c[3]*d+c[4]*v[2])/(math.Sqrt(v[3])+c[5])
			},
		},
		{
			"adamax", 4, func(s [][]T, c [maxNumbers]T) {
				AdaMaxUpdate(s[0], s[1], s[2], s[3], fill[AdaMaxCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[4]*v[0]
				v[2] = (1-c[0])*v[2] + c[0]*d
				v[3] = max(c[1]*v[3], math.Abs(d)+c[3])
				v[0] -= c[2] * v[2] / v[3]
			},
		},
		{
			"adabelief", 4, func(s [][]T, c [maxNumbers]T) {
				AdaBeliefUpdate(s[0], s[1], s[2], s[3], fill[AdaBeliefCoefficients[T]](c))
			},
			func(v, c []float64) {
				belief(v, c)
				v[0] = c[7]*v[0] - c[4]*v[2]/(math.Sqrt(v[3])+c[5])
			},
		},
		{
			"adabeliefMax", 5, func(s [][]T, c [maxNumbers]T) {
				AdaBeliefMaxUpdate(s[0], s[1], s[2], s[3], s[4], fill[AdaBeliefCoefficients[T]](c))
			},
			func(v, c []float64) {
				belief(v, c)
				v[4] = max(v[4], v[3])
				v[0] = c[7]*v[0] - c[4]*v[2]/(math.Sqrt(v[4])+c[5])
			},
		},
		{
			"adabeliefMean", 4, func(s [][]T, c [maxNumbers]T) {
				AdaBeliefMeanUpdate(s[0], s[1], s[2], s[3], fill[AdaBeliefCoefficients[T]](c))
			},
			func(v, c []float64) {
				belief(v, c)
				v[0] = c[7]*v[0] - c[4]*v[2]
			},
		},
		{
			"adagrad", 3, func(s [][]T, c [maxNumbers]T) {
				AdaGradUpdate(s[0], s[1], s[2], fill[AdaGradCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[2]*v[0]
				v[2] += d * d
				v[0] -= c[0] * d / (math.Sqrt(v[2]) + c[1])
			},
		},
		{
			"adadelta", 4, func(s [][]T, c [maxNumbers]T) {
				AdaDeltaUpdate(s[0], s[1], s[3], s[2], fill[AdaDeltaCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[4]*v[0]
				v[3] = c[0]*v[3] + c[1]*d*d
				step := math.Sqrt(math.Abs(v[2])+c[3]) / math.Sqrt(v[3]+c[3]) * d
				v[2] = c[0]*v[2] + c[1]*step*step
				v[0] -= c[2] * step
			},
		},
		{
			"rmsprop", 3, func(s [][]T, c [maxNumbers]T) {
				RMSPropUpdate(s[0], s[1], s[2], fill[RMSPropCoefficients[T]](c))
			},
			rms(false, false),
		},
		{
			"rmspropCentered", 4, func(s [][]T, c [maxNumbers]T) {
				RMSPropCenteredUpdate(s[0], s[1], s[2], s[3], fill[RMSPropCoefficients[T]](c))
			},
			rms(true, false),
		},
		{
			"rmspropMomentum", 4, func(s [][]T, c [maxNumbers]T) {
				RMSPropMomentumUpdate(s[0], s[1], s[2], s[3], fill[RMSPropCoefficients[T]](c))
			},
			rms(false, true),
		},
		{
			"rmspropCenteredMomentum", 5, func(s [][]T, c [maxNumbers]T) {
				RMSPropCenteredMomentumUpdate(s[0], s[1], s[2], s[3], s[4], fill[RMSPropCoefficients[T]](c))
			},
			rms(true, true),
		},
		{
			"adan", 6, func(s [][]T, c [maxNumbers]T) {
				AdanUpdate(s[0], s[1], s[2], s[3], s[4], s[5], fill[AdanCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] - v[5]
				v[2] = (1-c[0])*v[2] + c[0]*v[1]
				v[3] = (1-c[1])*v[3] + c[1]*d
				v[4] = (1-c[3])*v[4] + c[3]*math.Pow(v[1]+c[2]*d, 2)
				v[0] = c[8] * (c[7]*v[0] - (c[4]*v[2]+c[5]*v[3])/(math.Sqrt(v[4])+c[6]))
				v[5] = v[1]
			},
		},
		{
			"lion", 3, func(s [][]T, c [maxNumbers]T) { LionUpdate(s[0], s[1], s[2], fill[LionCoefficients[T]](c)) },
			func(v, c []float64) {
				v[0] = c[3]*v[0] - c[2]*sgn((1-c[0])*v[2]+c[0]*v[1])
				v[2] = (1-c[1])*v[2] + c[1]*v[1]
			},
		},
		{
			"asgd", 3, func(s [][]T, c [maxNumbers]T) { ASGDUpdate(s[0], s[1], s[2], fill[ASGDCoefficients[T]](c)) },
			func(v, c []float64) {
				v[0] = c[2]*v[0] - c[0]*(v[1]+c[1]*v[0])
				v[2] = (1-c[3])*v[0] + c[3]*v[2]
			},
		},
		{
			"rprop", 4, func(s [][]T, c [maxNumbers]T) {
				RpropUpdate(s[0], s[1], s[2], s[3], fill[RpropCoefficients[T]](c))
			},
			func(v, c []float64) {
				turn := sgn(v[1] * v[2])
				v[3] = min(c[3], max(c[2], v[3]*map[float64]float64{1: c[0], -1: c[1], 0: 1}[turn]))
				v[2] = v[1]
				if turn < 0 {
					v[2] = 0
				}
				v[0] -= v[3] * sgn(v[2])
			},
		},
		{
			"averaged", 3, func(s [][]T, c [maxNumbers]T) {
				AveragedUpdate(s[0], s[1], s[2], fill[AveragedCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[0]*v[0]
				v[0] = (1-c[1])*v[0] + c[1]*v[2] - c[2]*d
				v[2] -= c[3] * d
			},
		},
		{
			"averagedAdam", 4, func(s [][]T, c [maxNumbers]T) {
				AveragedAdamUpdate(s[0], s[1], s[2], s[3], fill[AveragedAdamCoefficients[T]](c))
			},
			func(v, c []float64) {
				v[3] = c[0]*v[3] + c[1]*v[1]*v[1]
				d := c[2]*v[1]/(math.Sqrt(v[3])+c[3]) + c[4]*v[0]
				v[0] = (1-c[5])*v[0] + c[5]*v[2] - c[6]*d
				v[2] -= c[7] * d
			},
		},
		{
			"prodigyMoments", 8, func(s [][]T, c [maxNumbers]T) {
				ProdigyMomentsUpdate(s[0], s[1], s[2], s[4], s[3], s[5], s[6], s[7], fill[ProdigyMomentsCoefficients[T]](c))
			},
			func(v, c []float64) {
				d := v[1] + c[6]*v[0]
				v[4] = c[0]*v[4] + c[1]*d
				v[3] = c[2]*v[3] + c[3]*d*d
				v[5] = c[4]*v[5] + c[5]*d
				v[6] = d * (v[2] - v[0])
				v[7] = math.Abs(v[5])
			},
		},
		{
			"addSquare", 2, func(s [][]T, c [maxNumbers]T) { AddSquare(s[0], s[1]) },
			func(v, c []float64) { v[0] += v[1] * v[1] },
		},
		{
			"meanSquare", 2, func(s [][]T, c [maxNumbers]T) {
				MeanSquareUpdate(s[0], s[1], fill[MeanSquareCoefficients[T]](c))
			},
			func(v, c []float64) { v[0] = (1-c[0])*v[0] + c[0]*v[1]*v[1] },
		},
		{
			"rootQuotient", 3, func(s [][]T, c [maxNumbers]T) {
				RootQuotientUpdate(s[0], s[1], s[2], fill[RootQuotientCoefficients[T]](c))
			},
			func(v, c []float64) { v[0] = v[1] / math.Sqrt(max(v[2], c[0])) },
		},
		{
			"factoredQuotient", 3, func(s [][]T, c [maxNumbers]T) {
				FactoredQuotientUpdate(s[0], s[1], s[2], fill[FactoredQuotientCoefficients[T]](c))
			},
			func(v, c []float64) { v[0] = v[1] * min(c[0]*v[2], c[1]) },
		},
		{
			"rootStep", 4, func(s [][]T, c [maxNumbers]T) {
				RootStepUpdate(s[0], s[1], s[3], fill[RootStepCoefficients[T]](c))
			},
			func(v, c []float64) { v[0] = c[2]*v[0] - c[0]*v[1]/(math.Sqrt(v[3])+c[1]) },
		},
	}
}

// TestUpdatesAreTheirFormulas compares every rule with a restatement of it, in
// float64 and within a few roundings of the terms, which are about 1.
func TestUpdatesAreTheirFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	all := updatesOf[float64]()
	if len(all) != int(updateKinds)+1 { // Scale is none of them
		t.Errorf("%d rules are tested of %d", len(all), updateKinds+1)
	}
	eachLevel(t, func(t *testing.T) {
		for _, u := range all {
			const n = 37
			var c [maxNumbers]float64
			for i := range c {
				c[i] = 0.05 + 0.9*r.Float64()
			}
			s, was := make([][]float64, u.slices), make([][]float64, u.slices)
			for k := range s {
				s[k] = make([]float64, n)
				for i := range s[k] {
					s[k][i] = 0.2 + r.Float64()
					if k < 3 && r.IntN(2) == 0 {
						s[k][i] *= -1 // parameters and gradients; what may be a mean square stays above 0
					}
					if k == 2 && u.slices == 3 || k == 2 && (u.name == "adadelta" || u.name == "rmspropCentered" || u.name[:3] == "rms") {
						s[k][i] = math.Abs(s[k][i])
					}
				}
				was[k] = slices.Clone(s[k])
			}
			u.run(s, c)
			v := make([]float64, u.slices)
			for i := range n {
				for k := range v {
					v[k] = was[k][i]
				}
				u.formula(v, c[:])
				for k := range v {
					if d := math.Abs(s[k][i] - v[k]); !(d <= 2e-14*(1+math.Abs(v[k]))) {
						t.Fatalf("%s: slice %d becomes %v, by its formula %v", u.name, k, s[k][i], v[k])
					}
				}
			}
		}
	})
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
			var c [maxNumbers]T
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
			c := [maxNumbers]float32{0.1, 0.99, 0.1, 1e-5, 1e-4, 1e-5, 1, 0.5, 0.5}
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
