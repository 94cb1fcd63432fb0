package experiments

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// TestLinearModelIsTheGraph compares loss, gradient and products with those of the
// same model as a graph, on the first examples of mushrooms.
func TestLinearModelIsTheGraph(t *testing.T) {
	set, err := data.Mushrooms()
	if err != nil {
		t.Fatal(err)
	}
	const n, l2 = 300, 0.01
	for name, loss := range map[string]pointLoss{"logistic": logisticLoss, "nls": squareLoss} {
		layer, l, err := nn.ByName(name+":l2=0.01", set.Shape(), 2)
		if err != nil {
			t.Fatal(err)
		}
		graph, err := nn.Build[float64](layer, l, set.Shape(), 1)
		if err != nil {
			t.Fatal(err)
		}
		model, err := newLinearModel(set, loss, l2, 1)
		if err != nil {
			t.Fatal(err)
		}
		index := make([]int, n)
		s := &linearSample{of: model}
		for i := range index {
			index[i] = 7 * i
			s.terms = append(s.terms, int32(7*i))
		}
		b := data.Batch[float64]{N: n, X: make([]float64, n*model.d), Y: make([]float64, n)}
		if err := set.Read64(b.X, b.Y, index); err != nil {
			t.Fatal(err)
		}
		p, err := train.ProblemOf(graph, b)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		w, v := make([]float64, model.d), make([]float64, model.d)
		for i := range w {
			w[i], v[i] = r.NormFloat64(), r.NormFloat64()
		}
		got, want := make([]float64, model.d), make([]float64, model.d)
		compare := func(what string, a, b float64, errs ...error) {
			t.Helper()
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !near(a, b, 1e-12*math.Abs(b)) {
				t.Errorf("%s: %s %v, the graph's %v", name, what, a, b)
			}
			for i := range got {
				if !near(got[i], want[i], 1e-11*(1+math.Abs(want[i]))) {
					t.Fatalf("%s: %s at %d is %v, the graph's %v", name, what, i, got[i], want[i])
				}
			}
		}
		a, err1 := s.Loss(w)
		c, err2 := p.Loss(w)
		compare("loss", a, c, err1, err2)
		a, err1 = s.Grad(got, w)
		c, err2 = p.Grad(want, w)
		compare("gradient", a, c, err1, err2)
		if err := s.Linearize(w); err != nil {
			t.Fatal(err)
		}
		if err := p.Linearize(w); err != nil {
			t.Fatal(err)
		}
		compare("Hessian product", 0, 0, s.HessianMul(got, v), p.HessianMul(want, v))
		compare("Gauss-Newton product", 0, 0, s.GaussNewtonMul(got, v), p.GaussNewtonMul(want, v))
		compare("Hessian products", 0, 0, s.HessianMuls([][]float64{make([]float64, model.d), got}, [][]float64{w, v}), p.HessianMul(want, v))
	}
}

// TestDrawByNormIsRightInTheMean averages the products of many samples.
func TestDrawByNormIsRightInTheMean(t *testing.T) {
	set, err := data.Mushrooms()
	if err != nil {
		t.Fatal(err)
	}
	model, err := newLinearModel(set, squareLoss, 0.5, 3)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 1))
	w, v := make([]float64, model.d), make([]float64, model.d)
	for i := range w {
		w[i], v[i] = 0.3*r.NormFloat64(), r.NormFloat64()
	}
	for _, gaussNewton := range []bool{false, true} {
		exact, mean, got := make([]float64, model.d), make([]float64, model.d), make([]float64, model.d)
		multiply := func(s optimizers.Sample[float64], dst []float64) {
			t.Helper()
			if err := s.Linearize(w); err != nil {
				t.Fatal(err)
			}
			if gaussNewton {
				err = s.GaussNewtonMul(dst, v)
			} else {
				err = s.HessianMul(dst, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		multiply(model.full, exact)
		const samples = 400
		size, off, one := 0.0, 0.0, 0.0
		for k := range samples {
			model.begin(k)
			s, _, err := model.full.DrawByNorm(500, w, gaussNewton)
			if err != nil {
				t.Fatal(err)
			}
			if s.Len() != 500 {
				t.Fatalf("%d examples", s.Len())
			}
			multiply(s, got)
			for i := range mean {
				mean[i] += got[i] / samples
				one += (got[i] - exact[i]) * (got[i] - exact[i]) / samples
			}
		}
		for i := range mean {
			size += exact[i] * exact[i]
			off += (mean[i] - exact[i]) * (mean[i] - exact[i])
		}
		// The error of a mean of 400 is a 20th of that of one; three times that is far out.
		if off > 9*one/samples || one > size {
			t.Errorf("Gauss-Newton %v: the mean is off by %v of %v, a single one by %v", gaussNewton, math.Sqrt(off), math.Sqrt(size), math.Sqrt(one))
		}
	}
}

// TestPropsOfNorms counts a step by hand: norms cost a pass over all examples, unless
// the gradient has just made it.
func TestPropsOfNorms(t *testing.T) {
	set, err := data.A9A()
	if err != nil {
		t.Fatal(err)
	}
	n := set.Len()
	for _, batch := range []int{2000, n} {
		model, err := newLinearModel(set, squareLoss, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		model.size = batch
		method, err := optimizers.Parse("tr:radius=10,curvature=500,sampling=norms,average=0,warm_start=0+props:as=xu2018_nls")
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		err = model.follow(context.Background(), make([]float64, model.d), method, func(step int, _ float64, last *optimizers.Report) bool {
			if last == nil {
				return true
			}
			want := 2*batch + batch*last.Trials + 2*500*last.CGIterations
			if batch < n {
				want += n
			}
			if last.Props != int64(want) || last.Trials == 0 || last.CGIterations == 0 {
				t.Errorf("step %d with minibatches of %d: %d props, want %d; %d trials, %d iterations", step, batch, last.Props, want, last.Trials, last.CGIterations)
			}
			steps++
			return steps < 5
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
