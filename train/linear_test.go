package train

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// linear is a problem in closed form, dense: a mean of functions of a_i'x, or for
// log-sum-exp a function of all of them, and a penalty.
type linear struct {
	a     [][]float64
	y     []float64
	l2    float64
	rho   float64
	terms func(z, y float64) (f, first, second, gauss float64) // nil for log-sum-exp
}

func sigma(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

func logisticTerm(z, y float64) (f, first, second, gauss float64) {
	p := sigma(z)
	f = math.Log1p(math.Exp(-math.Abs(z))) + max(z, 0) - z*y
	return f, p - y, p * (1 - p), p * (1 - p)
}

// nlsTerm has the coefficients of Xu et al., section A of their code.
func nlsTerm(z, y float64) (f, first, second, gauss float64) {
	p := sigma(z)
	slope := p * (1 - p)
	return (p - y) * (p - y), 2 * (p - y) * slope, 2 * ((p-y)*slope*(1-2*p) + slope*slope), 2 * slope * slope
}

// at is the function with its gradient, Hessian and Gauss-Newton matrix.
func (l *linear) at(x []float64) (f float64, g []float64, h, gn [][]float64) {
	n, d := len(l.a), len(x)
	first, second, gauss := make([]float64, n), make([]float64, n), make([]float64, n)
	z := make([]float64, n)
	for i, row := range l.a {
		for j, v := range row {
			z[i] += v * x[j]
		}
	}
	if l.terms != nil {
		for i := range z {
			fi, gi, hi, ci := l.terms(z[i], l.y[i])
			f += fi / float64(n)
			first[i], second[i], gauss[i] = gi/float64(n), hi/float64(n), ci/float64(n)
		}
	} else {
		most, sum := math.Inf(-1), 0.0
		for i := range z {
			z[i] = (z[i] - l.y[i]) / l.rho
			most = max(most, z[i])
		}
		for i := range z {
			first[i] = math.Exp(z[i] - most)
			sum += first[i]
		}
		f = l.rho * (most + math.Log(sum))
		for i := range first {
			first[i] /= sum
			second[i], gauss[i] = first[i]/l.rho, first[i]/l.rho
		}
	}
	g = make([]float64, d)
	h, gn = make([][]float64, d), make([][]float64, d)
	for j := range d {
		h[j], gn[j] = make([]float64, d), make([]float64, d)
		for i := range n {
			g[j] += first[i] * l.a[i][j]
			for k := range d {
				h[j][k] += second[i] * l.a[i][j] * l.a[i][k]
				gn[j][k] += gauss[i] * l.a[i][j] * l.a[i][k]
			}
		}
	}
	if l.terms == nil {
		mean := append([]float64{}, g...)
		for j := range d {
			for k := range d {
				h[j][k] -= mean[j] * mean[k] / l.rho
				gn[j][k] -= mean[j] * mean[k] / l.rho
			}
		}
	}
	for j, v := range x {
		f += l.l2 / 2 * v * v
		g[j] += l.l2 * v
		h[j][j] += l.l2
		gn[j][j] += l.l2
	}
	return f, g, h, gn
}

func (l *linear) set(t *testing.T) data.Dataset {
	t.Helper()
	target := data.Target{Classes: 2}
	if l.terms == nil {
		target = data.Target{Shape: []int{1}}
	}
	var x []float64
	for _, row := range l.a {
		x = append(x, row...)
	}
	d, err := data.New(x, []int{len(l.a[0])}, l.y, target)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// newLinear draws the numbers of a problem of n examples with d features.
func newLinear(n, d int, seed uint64) *linear {
	r := rand.New(rand.NewPCG(seed, 3))
	l := &linear{l2: 0.03, rho: 2}
	for range n {
		row := make([]float64, d)
		for j := range row {
			row[j] = r.NormFloat64()
		}
		l.a = append(l.a, row)
		l.y = append(l.y, float64(r.IntN(2)))
	}
	return l
}

// TestProblemsInClosedForm compares losses, gradients and products with each unit
// vector with the dense formulas. Sums of at most 40 terms in another order differ
// by a few units of rounding of the largest element; in log-sum-exp no example may
// have nearly all the weight, or its Hessian is a difference of larger matrices.
func TestProblemsInClosedForm(t *testing.T) {
	const tol = 1e-13
	for _, c := range []struct {
		spec  string
		terms func(z, y float64) (f, first, second, gauss float64)
	}{
		{"logistic:l2=0.03,init=randn", logisticTerm},
		{"nls:l2=0.03,init=randn", nlsTerm},
		{"lse:l2=0.03,rho=2,init=randn", nil},
	} {
		for seed := range uint64(5) {
			l := newLinear(40, 7, seed)
			l.terms = c.terms
			classes := 2
			if l.terms == nil {
				classes = 0
			}
			net, loss, err := nn.ByName(c.spec, []int{7}, classes)
			if err != nil {
				t.Fatal(err)
			}
			m, err := nn.Build[float64](net, loss, []int{7}, nn.Seed(seed))
			if err != nil {
				t.Fatal(err)
			}
			p := newProblem(m, &data.Loader[float64]{Data: l.set(t), Batch: 40}, 1, 1)
			if l.terms != nil {
				p.programs.part = 16 // 16, 16 and 8
			}
			f, g, h, gn := l.at(m.Params)
			s := p.Full()
			got := make([]float64, 7)
			loss1, err := s.Loss(m.Params)
			if err != nil {
				t.Fatal(err)
			}
			loss2, err := s.Grad(got, m.Params)
			if err != nil {
				t.Fatal(err)
			}
			if e := math.Abs(loss1-f) / f; loss1 != loss2 || e > tol {
				t.Errorf("%s, seed %d: loss %v and %v, want %v", c.spec, seed, loss1, loss2, f)
			}
			if e := far(got, g); e > tol {
				t.Errorf("%s, seed %d: gradient is off by %.2g of its largest element", c.spec, seed, e)
			}
			if err := s.Linearize(m.Params); err != nil {
				t.Fatal(err)
			}
			for j := range g {
				unit := make([]float64, 7)
				unit[j] = 1
				if err := s.HessianMul(got, unit); err != nil {
					t.Fatal(err)
				}
				if e := far(got, h[j]); e > tol {
					t.Errorf("%s, seed %d: column %d of the Hessian is off by %.2g", c.spec, seed, j, e)
				}
				if err := s.GaussNewtonMul(got, unit); err != nil {
					t.Fatal(err)
				}
				if e := far(got, gn[j]); e > tol {
					t.Errorf("%s, seed %d: column %d of the Gauss-Newton matrix is off by %.2g", c.spec, seed, j, e)
				}
			}
		}
	}
}

// A joint loss takes the whole set at once, wherever it is measured.
func TestJointLossesStayWhole(t *testing.T) {
	set, err := data.LogSumExp(3000, 4, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	net, loss, err := nn.ByName("lse:rho=0.5,init=ones", []int{4}, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](net, loss, []int{4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float64, 4*3000), make([]float64, 3000)
	index := make([]int, 3000)
	for i := range index {
		index[i] = i
	}
	if err := set.Read64(x, y, index); err != nil {
		t.Fatal(err)
	}
	l := &linear{rho: 0.5, y: y}
	for i := range y {
		l.a = append(l.a, x[4*i:4*i+4])
	}
	want, g, _, _ := l.at(m.Params)
	scores, err := Evaluate(t.Context(), m, set)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(scores.Loss-want) > 1e-13*want {
		t.Errorf("Evaluate gives %v, want %v", scores.Loss, want)
	}
	if _, g0, _, _ := l.at(make([]float64, 4)); far(append(g0, 1), []float64{0, 0, 0, 0, 1}) > 1e-13 {
		t.Errorf("the gradient at 0 is %v", g0)
	}
	p := newProblem(m, &data.Loader[float64]{Data: set, Batch: 3000}, 1, 0)
	got := make([]float64, 4)
	if _, err := p.Full().Grad(got, m.Params); err != nil || far(got, g) > 1e-13 {
		t.Errorf("the gradient is %v, want %v (%v)", got, g, err)
	}
	if _, err := p.Draw(100); err == nil || !strings.Contains(err.Error(), "log-sum-exp(0.5) is a function of all examples") {
		t.Errorf("drawing some of the examples gives %v", err)
	}
	if p.Has()&optimizers.NeedSquaredGrads != 0 {
		t.Error("it promises gradients of single examples")
	}
	if _, err := Fit(t.Context(), m, set, Config{Batch: 100}); err == nil || !strings.Contains(err.Error(), "must be all 3000, not 100") {
		t.Errorf("minibatches give %v", err)
	}
	h, err := Fit(t.Context(), m, set, Config{Epochs: 3})
	if err != nil {
		t.Fatal(err)
	}
	if h.Result.Steps != 3 || h.Rows[0].Train.Loss != want && math.Abs(h.Rows[0].Train.Loss-want) > 1e-13*want {
		t.Errorf("%d steps from a loss of %v, want 3 from %v", h.Result.Steps, h.Rows[0].Train.Loss, want)
	}
}
