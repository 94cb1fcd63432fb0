package landscape

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// near tells whether two numbers are equal up to a share.
func near(a, b, share float64) bool { return math.Abs(a-b) <= share*max(math.Abs(a), math.Abs(b)) }

// In a small ball the worst rise is |g|ρ + λρ²/2 at most, and the mean of a random
// direction is tr(H)ρ²/2n.
func TestSharpnessOfASmallBall(t *testing.T) {
	m, d := tiny[float64](t)
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	const radius = 1e-3
	r, err := Sharpness(background, p, SharpnessOptions{Radius: radius, Steps: 30, Samples: 2000})
	if err != nil {
		t.Fatal(err)
	}
	g, loss, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	if r.Loss != loss {
		t.Errorf("loss %v, want %v", r.Loss, loss)
	}
	if want := norm(g) * radius; !near(r.Worst, want, 0.02) {
		t.Errorf("worst rise %v, the gradient gives %v", r.Worst, want)
	}
	for _, s := range r.Starts {
		if !near(s, r.Worst, 1e-3) {
			t.Errorf("starts found %v", r.Starts)
		}
	}
	// Linear terms cancel on average only: what is left of them is the error.
	trace, err := Trace(background, p.Hessian(), TraceOptions{Tol: 1e-3})
	if err != nil {
		t.Fatal(err)
	}
	want := trace.Value * radius * radius / 2 / float64(len(m.Params))
	if math.Abs(r.Average.Value-want) > 4*r.Average.Error {
		t.Errorf("average rise %v ± %v, want %v", r.Average.Value, r.Average.Error, want)
	}
}

// Rescaling a ReLU unit changes the function not at all, and of the measures those
// only that are not invariant.
func TestWhichSharpnessSurvivesARescaling(t *testing.T) {
	d := pictures(t)
	build := func() *nn.Model[float64] {
		m, err := nn.Build[float64](nn.Sequential{nn.Flatten{}, nn.Dense{Units: 8}, nn.ReLU{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	measure := func(m *nn.Model[float64]) map[string]float64 {
		p, err := At(m, d, 0)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, adaptive := range []bool{false, true} {
			r, err := Sharpness(background, p, SharpnessOptions{Radius: 0.1, Adaptive: adaptive, Steps: 100, Starts: 2})
			if err != nil {
				t.Fatal(err)
			}
			if adaptive {
				out["adaptive"], out["adaptive average"] = r.Worst, r.Average.Value
			} else {
				out["worst"], out["average"] = r.Worst, r.Average.Value
			}
		}
		e, err := Eigen(background, p.Hessian(), EigenOptions{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		out["largest eigenvalue"] = e.Pairs[0].Value
		if out["Fisher-Rao"], err = FisherRao(background, p); err != nil {
			t.Fatal(err)
		}
		return out
	}
	m := build()
	before := measure(m)
	x := slices.Clone(m.Params)
	for _, unit := range HiddenLayers(m)[0].Units {
		for _, i := range unit.In {
			x[i] *= 5
		}
		for _, i := range unit.Out {
			x[i] /= 5
		}
	}
	copy(m.Params, x)
	after := measure(m)
	for name, survives := range map[string]bool{"worst": false, "average": false, "largest eigenvalue": false, "adaptive": true, "adaptive average": true, "Fisher-Rao": true} {
		if near(before[name], after[name], 1e-6) != survives {
			t.Errorf("%s: %v before, %v after; does it survive: want %v", name, before[name], after[name], survives)
		}
	}
}

// Noise against all gradients of single examples, by the batch of one.
func TestNoise(t *testing.T) {
	m, d := tiny[float64](t)
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 40
	r, err := Noise(background, m, d, p.Hessian(), NoiseOptions{Examples: n, Aligned: n})
	if err != nil {
		t.Fatal(err)
	}
	h := dense(t, p.Hessian())
	s, err := newSingle(m)
	if err != nil {
		t.Fatal(err)
	}
	first, err := At(m, d, n)
	if err != nil {
		t.Fatal(err)
	}
	mean, _, err := first.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	if !near(r.GradNorm, norm(mean), 1e-12) {
		t.Errorf("mean gradient %v, want %v", r.GradNorm, norm(mean))
	}
	trace, curved := 0.0, 0.0
	x, y := make([]float64, 2*n), make([]float64, n)
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	if err := data.Read(d, x, y, index); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		g := make([]float64, len(m.Params))
		if err := s.gradient(g, x[2*i:2*i+2], y[i:i+1]); err != nil {
			t.Fatal(err)
		}
		axpy(g, -1, mean)
		hg := make([]float64, len(g))
		if err := h.Mul(background, [][]float64{hg}, [][]float64{g}); err != nil {
			t.Fatal(err)
		}
		trace += dot(g, g) / (n - 1)
		curved += dot(g, hg) / dot(g, g) / n
	}
	if !near(r.Trace, trace, 1e-10) || !near(r.Curvature.Value, curved, 1e-8) {
		t.Errorf("trace %v, want %v; curvature %v, want %v", r.Trace, trace, r.Curvature.Value, curved)
	}
	if want := trace / (norm(mean)*norm(mean) - trace/n); !math.IsNaN(r.Scale) && !near(r.Scale, want, 1e-9) || math.IsNaN(r.Scale) && want > 0 {
		t.Errorf("noise scale %v, want %v", r.Scale, want)
	}
}
