package optimizers_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

func TestStepRuleConformance(t *testing.T) {
	for _, spec := range []string{"sgd+sps", "sgd:momentum=0.9+sps:c=0.2,growth=0,max=3", "adam+sps:floor=-0.1", "sgd+armijo", "sgd:momentum=0.9,nesterov+armijo:max=2", "adam+armijo",
		"sgd+clip:norm=0.01+armijo", "sgd+sps+clip:norm=0.1", "sgd+sam+sps", "sgd+armijo+lookahead:k=2", "sgd+armijo+sam", "sgd+accumulate+sps"} {
		t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed(spec)) })
	}
	for _, g := range []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("sgd+sps"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("sgd+sps"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("sgd+sps:growth=0,c=1"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("sgd+sps"), Steps: 1000, Below: 1e-8},
		{Known: opttest.Rosenbrock, Method: parsed("sgd+armijo"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("sgd+armijo"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("sgd+armijo"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("sgd+armijo"), Steps: 500, Below: 1e-8},
	} {
		name := g.Method().Name() + " on " + g.Known.Name
		t.Run(name, func(t *testing.T) { opttest.Run(t, g.Method, g) })
	}
}

// TestPolyakStepIsTheFormula recomputes the rate of each step.
func TestPolyakStepIsTheFormula(t *testing.T) {
	for _, c := range []optimizers.SPS{{}, {C: 0.2, Growth: optimizers.Zero, Max: 4}, {C: 2, Floor: -0.1}, {C: 1e-3}, {Max: 0.01, Growth: 8}} {
		w := c
		w.Of = &optimizers.SGD{}
		if c.C == 0 {
			c.C = 0.5
		}
		if c.Max == 0 {
			c.Max = 1
		}
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](&w, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x, g, last := p.Start(), make([]float64, len(p.Start())), 0.0
		for k := range 12 {
			p.At(k)
			loss, _ := p.Batch().Grad(g, x)
			limit := c.Max
			if k > 0 && c.Growth != optimizers.Zero {
				factor := 2.0
				if c.Growth != 0 {
					factor = c.Growth
				}
				limit = last * math.Pow(factor, 32.0/96)
			}
			want := min(limit, (loss-c.Floor)/(c.C*inner(g, g)))
			start := append([]float64{}, x...)
			r := step(t, o, x, optimizers.Problem[float64](p))
			if math.Abs(r.LR-want) > 1e-12*want {
				t.Errorf("%+v step %d: rate %v, want %v", c, k, r.LR, want)
			}
			agree(t, "step", plus(start, -1, x), plus(make([]float64, len(x)), want, g), 1e-9)
			last = want
		}
	}
}

// TestPolyakStepsComeNearer: where every example can be fitted, no step of SPS with C at least 1/2 leads away from a
// common minimum of convex losses (Loizou et al. 2021, in the proof of theorem 3.4).
func TestPolyakStepsComeNearer(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	goal := []float64{1, -2, 3, 0.5}
	for _, spec := range []string{"sgd+sps", "sgd+sps:growth=0,max=1000", "sgd+sps:c=1,max=100"} {
		o, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(4))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 4)
		before := math.Inf(1)
		for range 1500 {
			a := make([]float64, 4)
			for i := range a {
				a[i] = r.NormFloat64() * float64(i+1)
			}
			one := &bowl{}
			one.G = func(dst, x []float64) float64 {
				d := inner(a, x) - inner(a, goal)
				for i := range dst {
					dst[i] = d * a[i]
				}
				return d * d / 2
			}
			step(t, o, x, optimizers.Problem[float64](one))
			off := plus(x, -1, goal)
			far := math.Sqrt(inner(off, off))
			if far > before*(1+1e-12)+1e-12 {
				t.Fatalf("%s: from a distance of %v to %v", spec, before, far)
			}
			before = far
		}
		if before > 1e-6 {
			t.Errorf("%s: at a distance of %v after 1500 examples", spec, before)
		}
	}
}

// TestArmijoStepIsTheLargestOfItsRates: the condition holds at the rate and not at the one before it.
func TestArmijoStepIsTheLargestOfItsRates(t *testing.T) {
	for _, c := range []optimizers.ArmijoStep{{}, {C: 0.5, Shrink: 0.5, Growth: 4, Max: 1000}, {Max: 1e-3}, {C: 0.9, Max: 1e3}} {
		w := c
		w.Of = &optimizers.SGD{}
		shrink, share := 0.9, 0.1
		if c.Shrink != 0 {
			shrink = c.Shrink
		}
		if c.C != 0 {
			share = c.C
		}
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](&w, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x, g, shorter := p.Start(), make([]float64, len(p.Start())), 0
		for k := range 12 {
			p.At(k)
			loss, _ := p.Batch().Grad(g, x)
			start := append([]float64{}, x...)
			r := step(t, o, x, optimizers.Problem[float64](p))
			holds := func(rate float64) bool {
				f, _ := p.Batch().Loss(plus(start, -rate, g))
				return f <= loss-share*rate*inner(g, g)+1e-14
			}
			if !holds(r.LR) {
				t.Errorf("%+v step %d: too long with %v", c, k, r.LR)
			}
			if r.Trials > 1 {
				shorter++
				if holds(r.LR / shrink * (1 + 1e-9)) {
					t.Errorf("%+v step %d: %v would have done, it is %v", c, k, r.LR/shrink, r.LR)
				}
			}
			agree(t, "step", plus(start, -1, x), plus(make([]float64, len(x)), r.LR, g), 1e-9)
		}
		if c.Max != 1e-3 && shorter == 0 {
			t.Errorf("%+v: no search was ever needed", c)
		}
	}
}

// TestArmijoStepThatNeverGoesDown is rejected; the search goes on from there, and comes back when the loss is right.
func TestArmijoStepThatNeverGoesDown(t *testing.T) {
	b := newBowl(1, 4, 9)
	o, err := optimizers.New[float64](parsed("sgd:momentum=0.9+armijo")(), optimizers.Flat(3))
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 3)
	step(t, o, x, optimizers.Problem[float64](b))
	before := append([]float64{}, x...)
	start := b.G(make([]float64, 3), x)
	for _, worse := range []float64{start + 1, math.NaN(), math.Inf(1)} {
		b.F = func([]float64) float64 { return worse }
		r := step(t, o, x, optimizers.Problem[float64](b))
		if !r.Rejected || r.LR != 0 || r.Trials != 100 || x[0] != before[0] || r.Work != 102 {
			t.Errorf("a loss of %v everywhere: %+v", worse, r)
		}
	}
	b.F = nil
	for range 100 {
		if r := step(t, o, x, optimizers.Problem[float64](b)); r.Rejected {
			t.Fatal("rejected although the loss goes down")
		}
	}
	if f := b.G(make([]float64, 3), x); f > start/100 {
		t.Errorf("loss %v after 100 steps from %v", f, start)
	}
}

// TestStepRulesShareWithMomentum: 1/(1-momentum) steps of the rate follow each gradient, undamped.
func TestStepRulesShareWithMomentum(t *testing.T) {
	for spec, share := range map[string]float64{"sgd": 1, "sgd:momentum=0.9": 0.1, "sgd:momentum=0.5,nesterov": 0.5, "sgd:momentum=0.8,dampening=0.6": 0.5,
		"sgd:momentum=0.5,dampening=1": 1, "adam": 1, "sgd:momentum=0.9+clip:norm=100": 0.1} {
		alone, _, _ := path(t, parsed("sgd+armijo")(), 1)
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](parsed(spec+"+armijo")(), p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		r := step(t, o, p.Start(), optimizers.Problem[float64](p))
		g := make([]float64, len(alone[0]))
		if _, err := p.Batch().Grad(g, p.Start()); err != nil {
			t.Fatal(err)
		}
		moved := plus(p.Start(), -1, alone[0])
		if want := share * math.Sqrt(inner(moved, moved)/inner(g, g)); math.Abs(r.LR-want) > 1e-9*want {
			t.Errorf("%s: rate %v, want %v", spec, r.LR, want)
		}
	}
}

func TestStepRulesClash(t *testing.T) {
	for spec, want := range map[string]string{
		"hf+sps":                      "sps cannot stand around hf: it has no learning rate",
		"sgd+sps+armijo":              "armijo cannot stand around sgd+sps: its learning rate is set already",
		"sgd+cosine:t_max=5+clip+sps": "its learning rate is set already",
		"sgd+armijo+constant":         "sgd+armijo sets the learning rate of each step already",
	} {
		_, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(2))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", spec, err, want)
		}
	}
	for _, m := range []optimizers.Method{&optimizers.SPS{}, &optimizers.ArmijoStep{}} {
		if _, err := optimizers.New[float64](m, optimizers.Flat(2)); err == nil || !strings.Contains(err.Error(), "no method given") {
			t.Errorf("around nothing: %v", err)
		}
	}
	o, err := optimizers.New[float64](parsed("sgd+sps")(), optimizers.Flat(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		s := o.State()
		s.Scalars["sps_rate"] = rate
		if err := o.Restore(s); err == nil {
			t.Errorf("a last rate of %v was accepted", rate)
		}
	}
	if _, err := o.Step(context.Background(), []float64{1}, nothingToStepOn{}); err == nil || !strings.Contains(err.Error(), "no minibatch") {
		t.Errorf("without a minibatch: %v", err)
	}
}

// nothingToStepOn is a problem without a minibatch.
type nothingToStepOn struct{ parabola }

func (nothingToStepOn) Batch() optimizers.Sample[float64] { return nil }
