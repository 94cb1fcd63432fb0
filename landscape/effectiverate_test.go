package landscape

import (
	"cmp"
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// A loss on the plane that falls by c for every radian, whatever the length of x, has
// the gradient c/|x| at right angles to x: on the unit circle it is c always. Then
// the law is a geometric sum, and with decay every step comes to turn x by the same
// angle, sqrt(2λ lr/(1+β)), from whatever length (Wan, Zhu, Zhang & Sun 2021, arXiv
// 2006.08419).
func TestEffectiveRateOfAConstantTorque(t *testing.T) {
	const c, decay, steps = 3.0, 0.1, 4000
	scale := []Symmetry{{Kind: Scale, In: []int{0, 1}}}
	for _, s := range []struct {
		lr, beta, length float64
		within           float64 // of rate and law, which is off by terms of the order λ lr, and of the angle by which x turns while a buffer lasts
	}{{0.01, 0, 3, 0.005}, {0.01, 0, 0.5, 0.02}, {0.05, 0, 1, 0.02}, {0.001, 0.9, 2, 0.02}, {0.002, 0.8, 1.5, 0.02}} {
		method := &optimizers.SGD{LR: s.lr, Momentum: s.beta, WeightDecay: decay}
		x, before, g, b := []float64{s.length, 0}, make([]float64, 2), make([]float64, 2), make([]float64, 2)
		law := NewConservation(scale, method, x)
		off, turned := 0.0, 0.0
		for step := range steps {
			copy(before, x)
			square := x[0]*x[0] + x[1]*x[1]
			g[0], g[1] = -c*x[1]/square, c*x[0]/square
			Follow(law, g, x, s.lr, s.beta)
			for i := range x {
				b[i] = s.beta*b[i] + g[i] + decay*before[i]
			}
			for i := range x {
				x[i] -= s.lr * b[i]
			}
			MeasureConserved(law, x)
			if float64(step) > 3/(1-s.beta) { // when the buffer has filled
				off = max(off, math.Abs(law.Of[0].RateLaw/law.Of[0].Rate-1))
			}
			turned = Turning(&scale[0], g, before, x, s.lr)
		}
		q := law.Of[0]
		if !(off <= s.within) {
			t.Errorf("%+v: the law is off by up to %.3g", s, off)
		}
		angle := math.Sqrt(2 * decay * s.lr / (1 + s.beta))
		if have := q.Rate * c; math.Abs(have/angle-1) > s.within {
			t.Errorf("%+v: in the end a step turns by %v, want %v", s, have, angle)
		}
		if s.beta > 0 {
			continue
		}
		keep := math.Exp(-4 * decay * s.lr)
		end := math.Pow(keep, steps)
		fourth := math.Pow(s.length, 4)*end + 2*s.lr*s.lr*c*c*(1-end)/(1-keep)
		if want := s.lr / math.Sqrt(fourth); math.Abs(q.RateLaw/want-1) > 1e-11 {
			t.Errorf("%+v: the law gives %v, the sum %v", s, q.RateLaw, want)
		}
		// The step turns by atan(u), u the rate times the gradient.
		if math.Abs(turned-1) > 2*angle*angle {
			t.Errorf("%+v: the last step turns by %v of rate times gradient", s, turned)
		}
	}
	zero := []float64{0, 0}
	if got := Turning(&scale[0], zero, []float64{1, 1}, []float64{2, 2}, 0.1); !math.IsNaN(got) {
		t.Errorf("without a gradient: %v", got)
	}
}

// The columns of a watched run agree with each other, of channels before batch
// normalisation and of a whole layer before layer normalisation; under Adam they do not.
func TestWatchedEffectiveRates(t *testing.T) {
	d := pictures(t)
	for name, method := range map[string]optimizers.Method{
		"plain":     &optimizers.SGD{LR: 0.02, WeightDecay: 0.1},
		"momentum":  &optimizers.SGD{LR: 0.003, Momentum: 0.9, WeightDecay: 0.1},
		"scheduled": &optimizers.Scheduled{Of: &optimizers.SGD{LR: 0.02, WeightDecay: 0.1}, Schedule: &optimizers.OneCycle{MaxLR: 0.03}},
		"Adam":      &optimizers.Adam{LR: 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := nn.Build[float64](nn.Sequential{
				nn.Conv2D{Filters: 4, Kernel: 3}, nn.BatchNorm{}, nn.ReLU{}, nn.Flatten{},
				nn.Dense{Units: 6}, nn.LayerNorm{}, nn.ReLU{}, nn.Dense{Units: 3},
			}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
			if err != nil {
				t.Fatal(err)
			}
			followed := method
			if name == "Adam" {
				followed = &optimizers.SGD{LR: 0.01}
			}
			w, err := NewSymmetryWatch(m, followed, 5)
			if err != nil {
				t.Fatal(err)
			}
			off, low, high := map[string]float64{}, map[string]float64{}, map[string]float64{}
			watched := train.ObserverFunc(func(e train.Event) error {
				if e, ok := e.(*train.Watched); ok {
					for i, name := range e.Names {
						if strings.HasSuffix(name, "_rate") {
							rate, law := e.Values[i], e.Values[i+1]
							off[name] = max(off[name], math.Abs(law/rate-1))
							low[name], high[name] = min(cmp.Or(low[name], rate), rate), max(high[name], rate)
						}
					}
				}
				return nil
			})
			if _, err := train.Fit(background, m, d, train.Config{Optimizer: method, Epochs: 60, Batch: 8, Seed: 5, Watch: []train.Watcher{w}, Observers: []train.Observer{watched}}); err != nil {
				t.Fatal(err)
			}
			if len(off) != 2 || off["symmetry_scale_conv1_rate"] == 0 || off["symmetry_scale_dense1_rate"] == 0 {
				t.Fatalf("watched %v", off)
			}
			for of, v := range off {
				t.Logf("%s: off by %.2g, from %.3g to %.3g", of, v, low[of], high[of])
				// The law with momentum does not know that decay begins 1/(1-β) steps late, in
				// each of which the rate rises by 2λ lr/(1-β): 6 % here.
				within := 0.005
				if name == "momentum" {
					within = 0.06
				}
				if (v <= within) == (name == "Adam") {
					t.Errorf("%s: the law is off by up to %.3g", of, v)
				}
				if high[of] < 1.1*low[of] {
					t.Errorf("%s: from %v to %v: nothing to test", of, low[of], high[of])
				}
			}
		})
	}
}
