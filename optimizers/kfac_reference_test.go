package optimizers_test

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// kfacReference is K-FAC as the paper states it, with dense matrices, on an opttest.Examples: a block of six weights with
// one output, and five parameters with a diagonal.
type kfacReference struct {
	damping, decay, minGamma, ema float64
	minDamping                    float64
	adaptEvery                    int
	steps, estimates              int
	a                             *mat.SymDense // second moments of what goes in
	g                             float64       // and of what comes back
	diagonal                      []float64
	inverse                       *mat.Dense // of the weights
	inverseDamping                float64
	last                          *mat.VecDense
}

// see takes the second moments of a sample.
func (k *kfacReference) see(t *testing.T, s optimizers.Sample[float64], x []float64) {
	k.estimates++
	keep := math.Min(1-1/float64(k.estimates), k.ema)
	a, g, diagonal := mat.NewSymDense(6, nil), 0.0, make([]float64, 11)
	err := s.(optimizers.Factors[float64]).Factors(x, optimizers.TargetsMC, false, func(r *optimizers.FactorRows[float64]) error {
		if r.Grad != nil {
			at := map[int]int{1: 6, 2: 10}[r.Tensor]
			for i, v := range r.Grad {
				diagonal[at+i] = v * v
			}
			return nil
		}
		for i, v := range r.Out {
			a.SymRankOne(a, 1/float64(len(r.Out)), mat.NewVecDense(6, r.In[6*i:6*i+6]))
			g += v * v
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if k.a == nil {
		k.a, k.diagonal = mat.NewSymDense(6, nil), make([]float64, 11)
	}
	k.a.ScaleSym(keep, k.a)
	a.ScaleSym(1-keep, a)
	k.a.AddSym(k.a, a)
	k.g = keep*k.g + (1-keep)*g
	for i, v := range diagonal {
		k.diagonal[i] = keep*k.diagonal[i] + (1-keep)*v
	}
}

// invert makes the inverse of the damped block.
func (k *kfacReference) invert(t *testing.T) {
	gamma := math.Max(math.Min(math.Sqrt(k.damping+k.decay), 1), k.minGamma)
	pi := math.Sqrt(mat.Trace(k.a) / 6 / k.g)
	damped := mat.NewDense(6, 6, nil)
	damped.Copy(k.a)
	for i := range 6 {
		damped.Set(i, i, damped.At(i, i)+pi*gamma)
	}
	damped.Scale(k.g+gamma/pi, damped) // the Kronecker product with a number
	k.inverse = mat.NewDense(6, 6, nil)
	if err := k.inverse.Inverse(damped); err != nil {
		t.Fatal(err)
	}
	k.inverseDamping = gamma * gamma
}

func (k *kfacReference) step(t *testing.T, x []float64, p *opttest.Examples[float64]) {
	batch := p.Batch()
	n := len(x)
	grad := make([]float64, n)
	before, err := batch.Grad(grad, x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range grad {
		grad[i] += k.decay * x[i]
		before += k.decay / 2 * x[i] * x[i]
	}
	if k.steps < 10 || k.steps%2 == 0 {
		s, err := p.Draw(batch.Len() / 8)
		if err != nil {
			t.Fatal(err)
		}
		k.see(t, s, x)
	}
	if k.steps <= 2 || k.steps == 5 || k.steps == 10 || k.steps%20 == 0 {
		k.invert(t)
	}
	g, d := mat.NewVecDense(n, grad), mat.NewVecDense(n, nil)
	d.SliceVec(0, 6).(*mat.VecDense).MulVec(k.inverse, g.SliceVec(0, 6))
	for i := 6; i < n; i++ {
		d.SetVec(i, grad[i]/(k.diagonal[i]+k.inverseDamping))
	}
	d.ScaleVec(-1, d)

	// The quadratic on span{d, last}, by the whole Gauss-Newton matrix.
	s, err := p.Draw(batch.Len())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Linearize(x); err != nil {
		t.Fatal(err)
	}
	f := mat.NewSymDense(n, nil)
	for j := range n {
		unit, column := make([]float64, n), make([]float64, n)
		unit[j] = 1
		if err := s.GaussNewtonMul(column, unit); err != nil {
			t.Fatal(err)
		}
		for i := range j + 1 {
			f.SetSym(i, j, column[i])
		}
	}
	for i := range n {
		f.SetSym(i, i, f.At(i, i)+k.damping+k.decay)
	}
	if k.last == nil {
		k.last = mat.NewVecDense(n, nil)
	}
	step := mat.NewVecDense(n, nil)
	b1, b2 := mat.Dot(d, g), mat.Dot(k.last, g)
	a11, a12, a22 := mat.Inner(d, f, d), mat.Inner(d, f, k.last), mat.Inner(k.last, f, k.last)
	alpha, mu := -b1/a11, 0.0
	if det := a11*a22 - a12*a12; det > 1e-12*a11*a22 && a12*b2 > a22*b1 {
		alpha, mu = (a12*b2-a22*b1)/det, (a12*b1-a11*b2)/det
	}
	step.AddScaledVec(step, alpha, d)
	step.AddScaledVec(step, mu, k.last)
	k.steps++
	if k.steps%k.adaptEvery == 0 {
		trial := append([]float64{}, x...)
		after := 0.0
		for i := range trial {
			trial[i] += step.AtVec(i)
			after += k.decay / 2 * trial[i] * trial[i]
		}
		loss, err := batch.Loss(trial)
		if err != nil {
			t.Fatal(err)
		}
		rho := (after + loss - before) / (mat.Dot(g, step) + mat.Inner(step, f, step)/2)
		switch omega := math.Pow(0.95, float64(k.adaptEvery)); {
		case rho > 0.75:
			k.damping = math.Max(k.damping*omega, math.Min(k.minDamping, k.damping))
		case rho < 0.25:
			k.damping /= omega
		}
		if rho <= 0 {
			k.last.Zero()
			return
		}
	}
	for i := range x {
		x[i] += step.AtVec(i)
	}
	k.last.CopyVec(step)
}

// TestKFACFollowsThePaper compares runs with the reference.
func TestKFACFollowsThePaper(t *testing.T) {
	for spec, ref := range map[string]*kfacReference{
		"kfac:growth=1,weight_decay=0.001,damping=0.3,min_gamma=0.05,ema=0.9,adapt_every=3":                      {damping: 0.3, decay: 0.001, minGamma: 0.05, ema: 0.9, adaptEvery: 3, minDamping: 0.003},
		"kfac:growth=1,weight_decay=0.01,damping=0.01,min_damping=0.0085,min_gamma=0.001,ema=0.95,adapt_every=1": {damping: 0.01, decay: 0.01, minGamma: 0.001, ema: 0.95, adaptEvery: 1, minDamping: 0.0085},
		"kfac:growth=1,weight_decay=0.01,damping=0.0001,min_damping=1e-8,min_gamma=0.001,ema=0.95,adapt_every=1": {damping: 1e-4, decay: 0.01, minGamma: 0.001, ema: 0.95, adaptEvery: 1, minDamping: 1e-8},
	} {
		t.Run(spec, func(t *testing.T) {
			p, same := opttest.NewExamples[float64](), opttest.NewExamples[float64]()
			o, err := optimizers.New[float64](parsed(spec+",max_gamma=1,factors=0.125,stat_every=2,invert_every=20")(), p.Layout())
			if err != nil {
				t.Fatal(err)
			}
			x, y := p.Start(), p.Start()
			moved := 0.0 // in the longest step
			for k := range 45 {
				p.At(k)
				same.At(k)
				if _, err := o.Step(context.Background(), x, p); err != nil {
					t.Fatal(err)
				}
				before := append([]float64{}, y...)
				ref.step(t, y, same)
				e := 0.0
				for i := range x {
					moved, e = math.Max(moved, math.Abs(y[i]-before[i])), math.Max(e, math.Abs(x[i]-y[i]))
				}
				if !(e <= 1e-10*moved) {
					t.Fatalf("step %d is %.3g apart, of %.3g that it moves", k, e, moved)
				}
			}
			if d := o.State().Scalars["damping"]; math.Abs(d-ref.damping) > 1e-9*ref.damping {
				t.Errorf("in the end the damping is %v, by the reference %v", d, ref.damping)
			}
		})
	}
}
