package optimizers

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// quartic is g'x + x'Ax/2 + Σ c x⁴, smooth and with a Hessian that may be indefinite near 0.
type quartic struct {
	a *dense
	g []float64
	c float64
}

func (q *quartic) fn() *Func[float64] {
	grad := func(dst, x []float64) float64 {
		_ = q.a.mul(dst, x)
		f := dot(q.g, x) + dot(x, dst)/2
		for i, v := range x {
			dst[i] += q.g[i] + 4*q.c*v*v*v
			f += q.c * v * v * v * v
		}
		return f
	}
	return &Func[float64]{G: grad, H: func(dst, x, v []float64) {
		_ = q.a.mul(dst, v)
		for i := range v {
			dst[i] += 12 * q.c * x[i] * x[i] * v[i]
		}
	}}
}

// hessian is the Hessian at x.
func (q *quartic) hessian(x []float64) *mat.SymDense {
	h := mat.NewSymDense(len(x), nil)
	h.CopySym(q.a.SymDense)
	for i, v := range x {
		h.SetSym(i, i, h.At(i, i)+12*q.c*v*v)
	}
	return h
}

// path runs a method for some steps, and gives the points, the gradients there and the reports.
func path(t *testing.T, f *Func[float64], x0 []float64, m Method, steps int) (xs, gs [][]float64, rs []Report) {
	t.Helper()
	o, err := New[float64](m, Flat(len(x0)))
	if err != nil {
		t.Fatal(err)
	}
	p := newPlain[float64](f, len(x0))
	x := append([]float64{}, x0...)
	for k := 0; ; k++ {
		g := make([]float64, len(x))
		f.G(g, x)
		xs, gs = append(xs, append([]float64{}, x...)), append(gs, g)
		if k == steps {
			return xs, gs, rs
		}
		r, err := o.Step(context.Background(), x, p)
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
}

func minus(a, b []float64) []float64 {
	d := make([]float64, len(a))
	addScaled(d, a, -1, b)
	return d
}

// TestCubicNewtonTakesTheGlobalMinimiser checks the conditions that only the minimiser of the cubic model meets, with
// the dense Hessian, on functions whose Hessian is indefinite.
func TestCubicNewtonTakesTheGlobalMinimiser(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	negative := 0
	for trial := range 20 {
		n := 2 + r.IntN(10)
		q := &quartic{a: symmetric(r, randoms(r, n)), g: randoms(r, n), c: 0.1}
		xs, gs, rs := path(t, q.fn(), randoms(r, n), &CubicNewton{L2: 2 * (0.5 + r.Float64())}, 3)
		for k, rep := range rs {
			s := minus(xs[k+1], xs[k])
			h := q.hessian(xs[k])
			left := mat.NewVecDense(n, nil)
			left.MulVec(h, mat.NewVecDense(n, s))
			for i := range s {
				rest := left.AtVec(i) + rep.Damping*s[i] + gs[k][i]
				if math.Abs(rest) > 2e-6*norm(gs[k]) {
					t.Errorf("trial %d step %d: the model's gradient is %v of %v", trial, k, rest, norm(gs[k]))
				}
			}
			if math.Abs(rep.Damping-rep.Cubic*norm(s)) > 1e-9*rep.Damping {
				t.Errorf("trial %d: λ %v, σ|s| %v", trial, rep.Damping, rep.Cubic*norm(s))
			}
			var eigen mat.EigenSym
			eigen.Factorize(h, false)
			lowest := eigen.Values(nil)[0]
			if lowest+rep.Damping < -1e-6 {
				t.Errorf("trial %d step %d: lowest eigenvalue %v, λ %v", trial, k, lowest, rep.Damping)
			}
			if lowest < 0 {
				negative++
			}
		}
	}
	if negative < 10 {
		t.Errorf("only %d steps from where the Hessian is indefinite", negative)
	}
}

// TestTrustRegionFollowsItsRule recomputes each radius from the report before it, and the decreases from the function.
func TestTrustRegionFollowsItsRule(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 5))
	refused, grown := 0, 0
	for trial := range 30 {
		n := 2 + r.IntN(8)
		q := &quartic{a: symmetric(r, randoms(r, n)), g: randoms(r, n), c: 0.3}
		f := q.fn()
		scratch := make([]float64, n)
		for _, xu := range []bool{false, true} {
			m := &TrustRegion{Radius: math.Pow(10, 3*r.Float64()-1), Tries: 1}
			if xu {
				m.Preset, m.Start, m.Curvature = "xu2018", "zero", 1
			}
			xs, _, rs := path(t, f, randoms(r, n), m, 8)
			for k, rep := range rs {
				if rep.Radius == 0 || rep.CGStop == "" {
					t.Fatalf("%+v", rep)
				}
				s := minus(xs[k+1], xs[k])
				if rep.Rejected != (rep.Rho < 1e-4) && !math.IsNaN(rep.Rho) {
					t.Errorf("trial %d: rejected %v at ρ %v", trial, rep.Rejected, rep.Rho)
				}
				if rep.Rejected {
					refused++
					if norm(s) != 0 {
						t.Errorf("trial %d: a refused step moved", trial)
					}
				} else if d := f.G(scratch, xs[k]) - f.G(scratch, xs[k+1]); math.Abs(d-rep.Decrease) > 1e-12*(1+math.Abs(d)) {
					t.Errorf("trial %d: decrease %v, was %v", trial, rep.Decrease, d)
				}
				if norm(s) > rep.Radius*(1+1e-9) {
					t.Errorf("trial %d: a step of %v in a radius of %v", trial, norm(s), rep.Radius)
				}
				if k == 0 || rep.ModelDecrease < 1e-6 || rs[k-1].ModelDecrease < 1e-6 {
					continue
				}
				was := rs[k-1]
				limit := was.CGStop == StopBoundary || was.CGStop == StopCurvature
				want := was.Radius
				switch {
				case xu && was.Rejected:
					want /= 2
				case xu && was.Rho < 0.8:
					want *= 1.2
				case xu:
					want *= 2
				case was.Rejected:
					want = min(want, norm(was.tried(t, f, xs[k-1], m))) / 4
				case was.Rho < 0.25:
					want /= 2
				case was.Rho > 0.75 && limit:
					want *= 2
				}
				if want > was.Radius {
					grown++
				}
				if math.Abs(rep.Radius-want) > 1e-9*want {
					t.Errorf("trial %d xu %v: radius %v after %+v, want %v", trial, xu, rep.Radius, was, want)
				}
			}
		}
	}
	if refused < 5 || grown < 20 {
		t.Errorf("%d refused, %d grown", refused, grown)
	}
}

// tried is the step that a rejected report is of: conjugate gradients are run again.
func (r Report) tried(t *testing.T, f *Func[float64], x []float64, m *TrustRegion) []float64 {
	g, s := make([]float64, len(x)), make([]float64, len(x))
	f.G(g, x)
	cg := CG[float64]{Radius: r.Radius, Tol: min(0.1, math.Sqrt(norm(g))), MaxIter: 50}
	if _, err := cg.Solve(context.Background(), func(dst, v []float64) error { f.H(dst, x, v); return nil }, nil, g, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// logistic is a convex function: Σ log(1 + exp(-z_i)) + |x|²/200, z = Z x.
func logisticFn(r *rand.Rand, n, d int) *Func[float64] {
	z := mat.NewDense(n, d, randoms(r, n*d))
	margins := mat.NewVecDense(n, nil)
	at := func(x []float64) { margins.MulVec(z, mat.NewVecDense(d, x)) }
	grad := func(dst, x []float64) float64 {
		at(x)
		f := dot(x, x) / 200
		w := mat.NewVecDense(n, nil)
		for i := range n {
			m := margins.AtVec(i)
			f += math.Log1p(math.Exp(-math.Abs(m))) + max(0, -m)
			w.SetVec(i, -1/(1+math.Exp(m)))
		}
		out := mat.NewVecDense(d, dst)
		out.MulVec(z.T(), w)
		axpy(dst, 0.01, x)
		return f
	}
	return &Func[float64]{G: grad, H: func(dst, x, v []float64) {
		at(x)
		w := mat.NewVecDense(n, nil)
		w.MulVec(z, mat.NewVecDense(d, v))
		for i := range n {
			p := 1 / (1 + math.Exp(-margins.AtVec(i)))
			w.SetVec(i, w.AtVec(i)*p*(1-p))
		}
		out := mat.NewVecDense(d, dst)
		out.MulVec(z.T(), w)
		axpy(dst, 0.01, v)
	}}
}

// dense is the Hessian of f at x.
func denseOf(f *Func[float64], x []float64) *mat.SymDense {
	n := len(x)
	h := mat.NewSymDense(n, nil)
	unit, column := make([]float64, n), make([]float64, n)
	for i := range n {
		unit[i] = 1
		f.H(column, x, unit)
		for j := i; j < n; j++ {
			h.SetSym(i, j, column[j])
		}
		unit[i] = 0
	}
	return h
}

// TestRegularizedNewtonIsItsFormula compares each step with the dense solution, by Cholesky and by conjugate gradients,
// and H with its rule: for adan the conditions that it stops at, for adan_plus the estimate.
func TestRegularizedNewtonIsItsFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for trial := range 12 {
		n := 2 + r.IntN(12)
		f := logisticFn(r, 40, n)
		for _, m := range []*RegularizedNewton{
			{Rule: "fixed", H: 0.5}, {Rule: "fixed", H: 2, Direct: 1, CGTol: 1e-13}, {}, {Rule: "adan_plus", H: 3}, {H: 10, Direct: 1, CGTol: 1e-13},
		} {
			xs, gs, rs := path(t, f, randoms(r, n), m, 5)
			for k, rep := range rs {
				size := norm(gs[k])
				if math.Abs(rep.Damping-math.Sqrt(rep.Cubic*size)) > 1e-12*rep.Damping {
					t.Errorf("λ %v, H %v, |g| %v", rep.Damping, rep.Cubic, size)
				}
				h := denseOf(f, xs[k])
				for i := range n {
					h.SetSym(i, i, h.At(i, i)+rep.Damping)
				}
				var chol mat.Cholesky
				if !chol.Factorize(h) {
					t.Fatal("not positive definite")
				}
				want := mat.NewVecDense(n, nil)
				if err := chol.SolveVecTo(want, mat.NewVecDense(n, gs[k])); err != nil {
					t.Fatal(err)
				}
				s := minus(xs[k+1], xs[k])
				off := append([]float64{}, s...)
				axpy(off, 1, want.RawVector().Data)
				within := 1e-9 * norm(s)
				if m.Direct == 1 { // residuals are at most √|g|·|g| as well
					within = (1e-9 + math.Sqrt(size)*1e-3) * norm(s)
				}
				if norm(off) > within+1e-15 {
					t.Errorf("trial %d %+v step %d: off by %v of %v", trial, m, k, norm(off), norm(s))
				}
				length := norm(s)
				switch {
				case m.Rule == "":
					scratch := make([]float64, n)
					before, after := f.G(scratch, xs[k]), f.G(scratch, xs[k+1])
					if after > before-2.0/3*rep.Damping*length*length+1e-12*before || norm(gs[k+1]) > 2*rep.Damping*length*(1+1e-9) {
						t.Errorf("trial %d step %d: accepted at H %v: f %v to %v, |g| %v, λr %v", trial, k, rep.Cubic, before, after, norm(gs[k+1]), rep.Damping*length)
					}
					was := 1e-5
					if m.H != 0 {
						was = m.H
					}
					if k > 0 {
						was = rs[k-1].Cubic
					}
					if want := was / 2 * math.Pow(2, float64(rep.Trials-1)); math.Abs(rep.Cubic-want) > 1e-12*want {
						t.Errorf("H %v after %v and %d trials", rep.Cubic, was, rep.Trials)
					}
				case m.Rule == "adan_plus" && k > 0:
					last := minus(xs[k], xs[k-1])
					hs := make([]float64, n)
					f.H(hs, xs[k-1], last)
					e := minus(minus(gs[k], gs[k-1]), hs)
					want := max(rs[k-1].Cubic/2, norm(e)/dot(last, last))
					if math.Abs(rep.Cubic-want) > 1e-6*want {
						t.Errorf("trial %d step %d: H %v, want %v", trial, k, rep.Cubic, want)
					}
				}
			}
		}
	}
}

// TestPairsMakeTheInverseOfBFGS compares the two-loop recursion with the dense updates.
func TestPairsMakeTheInverseOfBFGS(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	n, keep := 7, 4
	a := symmetric(r, powers(r, n))
	var p pairs[float64]
	p.init(n, keep, 2)
	var ss, ys [][]float64
	for range 9 {
		s, y := p.spare()
		copy(s, randoms(r, n))
		if err := a.mul(y, s); err != nil {
			t.Fatal(err)
		}
		p.push(1 / dot(s, y))
		ss, ys = append(ss, append([]float64{}, s...)), append(ys, append([]float64{}, y...))
		first := max(0, len(ss)-keep)
		h := mat.NewDense(n, n, nil)
		for i := range n {
			h.Set(i, i, 0.3)
		}
		for k := first; k < len(ss); k++ {
			// H = (I - ρsy')H(I - ρys') + ρss'
			rho := 1 / dot(ss[k], ys[k])
			v := mat.NewDense(n, n, nil)
			for i := range n {
				for j := range n {
					v.Set(i, j, -rho*ss[k][i]*ys[k][j])
				}
				v.Set(i, i, v.At(i, i)+1)
			}
			var next mat.Dense
			next.Mul(v, h)
			h.Mul(&next, v.T())
			for i := range n {
				for j := range n {
					h.Set(i, j, h.At(i, j)+rho*ss[k][i]*ss[k][j])
				}
			}
		}
		v := randoms(r, n)
		want := mat.NewVecDense(n, nil)
		want.MulVec(h, mat.NewVecDense(n, append([]float64{}, v...)))
		p.multiply(v, 0.3)
		for i := range v {
			if math.Abs(v[i]-want.AtVec(i)) > 1e-10*mat.Norm(want, 2) {
				t.Fatalf("after %d pairs: %v, want %v", len(ss), v, want.RawVector().Data)
			}
		}
	}
}

// TestGaussNewtonSolvesTheDampedEquations runs conjugate gradients to the end in one step.
func TestGaussNewtonSolvesTheDampedEquations(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	n := 6
	f := logisticFn(r, 30, n)
	f.GN = f.H
	for _, precondition := range []string{"none", "gradient"} {
		m := &GaussNewton{Damping: 0.7, CGIters: 100, CGTol: 1e-14, Precondition: precondition}
		xs, gs, rs := path(t, f, randoms(r, n), m, 1)
		h := denseOf(f, xs[0])
		for i := range n {
			h.SetSym(i, i, h.At(i, i)+0.7)
		}
		s := minus(xs[1], xs[0])
		left := mat.NewVecDense(n, nil)
		left.MulVec(h, mat.NewVecDense(n, s))
		for i := range s {
			if rest := left.AtVec(i)/rs[0].LR + gs[0][i]; math.Abs(rest) > 1e-9*norm(gs[0]) {
				t.Errorf("%s: equation %d is off by %v", precondition, i, rest)
			}
		}
	}
}

// TestNewtonCGLeavesASaddleBothWays starts where the gradient has no part along the negative curvature, and where
// conjugate gradients meet it in their first direction and in a later one.
func TestNewtonCGLeavesASaddleBothWays(t *testing.T) {
	f := &Func[float64]{
		G: func(dst, x []float64) float64 {
			dst[0], dst[1], dst[2] = 2*x[0], x[1]*x[1]*x[1]-x[1], 8*x[2]
			return x[0]*x[0] + x[1]*x[1]*(x[1]*x[1]-2)/4 + 4*x[2]*x[2]
		},
		H: func(dst, x, v []float64) { dst[0], dst[1], dst[2] = 2*v[0], (3*x[1]*x[1]-1)*v[1], 8*v[2] },
	}
	for _, start := range [][]float64{{0, 0, 0}, {1, 0, 1}, {0, 0.01, 0}, {0.3, 0.01, 0.1}, {1, 1e-9, 2}} {
		for _, m := range []Method{&NewtonCG{}, &NewtonCG{LineSearch: "wolfe"}, &TrustRegion{}, &ARC{}, &CubicNewton{}, &RegularizedNewton{Nonconvex: true}, &RegularizedNewton{Nonconvex: true, Direct: 1}} {
			seen := 0.0
			until := Until{GradNorm: 1e-9, Curvature: 1e-9, Steps: 200, Watch: func(r Report) error { seen = min(seen, r.MinCurvature); return nil }}
			r, err := Minimize(context.Background(), f, start, m, until)
			if err != nil || r.Status != GradNormReached || math.Abs(r.Loss+0.25) > 1e-12 {
				t.Errorf("%s from %v: %v after %d steps at %v, %v", m.Name(), start, r.Status, r.Steps, r.X, err)
			}
			if start[1] < 0.5 && seen > -0.5 {
				t.Errorf("%s from %v has seen no curvature below %v", m.Name(), start, seen)
			}
		}
	}
}

// curved lists the methods that multiply by the curvature.
func curvedMethods() []Method {
	return []Method{&TrustRegion{}, &TrustRegion{Preset: "xu2018"}, &ARC{}, &ARC{Preset: "xu2018"}, &CubicNewton{}, &CubicNewton{L2: 1}, &NewtonCG{},
		&NewtonCG{LineSearch: "wolfe"}, &RegularizedNewton{}, &RegularizedNewton{Rule: "fixed", H: 1}, &RegularizedNewton{Direct: 1, Nonconvex: true},
		&GaussNewton{}, &GaussNewton{Preset: "xu2018"}}
}

// TestCurvatureThatIsNotFinite poisons the products from some step on.
func TestCurvatureThatIsNotFinite(t *testing.T) {
	for _, m := range curvedMethods() {
		poisoned := false
		multiply := func(dst, x, v []float64) {
			for i := range v {
				dst[i] = 2 * v[i]
			}
			if poisoned {
				dst[1] = math.NaN()
			}
		}
		f := &Func[float64]{G: func(dst, x []float64) float64 {
			addScaled(dst, x, 1, x)
			return dot(x, x)
		}, H: multiply, GN: multiply}
		o, err := New[float64](m, Layout{{Name: "a", Shape: []int{1}}, {Name: "b", Shape: []int{2}, Offset: 1}})
		if err != nil {
			t.Fatal(err)
		}
		p := newPlain[float64](f, 3)
		x := []float64{4, 5, 6}
		for k := range 2 {
			if k == 1 && norm(x) == 0 {
				copy(x, []float64{1, 2, 3})
			}
			poisoned = true
			before, state := append([]float64{}, x...), o.State()
			_, err := o.Step(context.Background(), x, p)
			var bad *NonFiniteError
			if !errors.As(err, &bad) {
				t.Errorf("%s: %v", Spec(m), err)
				break
			}
			if bad.What != "Hessian" && (bad.What != "curvature product" || bad.Tensor != "b" || bad.Index != 0) {
				t.Errorf("%s: %v", Spec(m), bad)
			}
			if norm(minus(x, before)) != 0 || o.State().Step != state.Step {
				t.Errorf("%s: a failed step moved", Spec(m))
			}
			poisoned = false
			if _, err := o.Step(context.Background(), x, p); err != nil {
				t.Errorf("%s afterwards: %v", Spec(m), err)
			}
		}
	}
}

// TestGNOnALargeGradient has one whose square has no inverse in float32, on a function whose minimum is one step away.
func TestGNOnALargeGradient(t *testing.T) {
	const curvature = 1e20
	multiply := func(dst, x, v []float32) { dst[0] = curvature * v[0] }
	f := &Func[float32]{G: func(dst, x []float32) float64 {
		multiply(dst, nil, x)
		return dot(x, dst) / 2
	}, H: multiply, GN: multiply}
	o, err := New[float32](&GaussNewton{}, Flat(1))
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{1}
	if _, err := o.Step(context.Background(), x, newPlain[float32](f, 1)); err != nil || math.Abs(float64(x[0])) > 1e-6 {
		t.Errorf("from 1 to %v: %v", x[0], err)
	}
}

// TestNoCurvatureIsSaidEarly has a function with a gradient only.
func TestNoCurvatureIsSaidEarly(t *testing.T) {
	f := &Func[float64]{G: func(dst, x []float64) float64 { copy(dst, x); return dot(x, x) / 2 }}
	for _, m := range append(curvedMethods(), &SQN{}, &TrustRegion{Sampling: "norms"}) {
		_, err := Minimize(context.Background(), f, []float64{1, 2}, m, Until{})
		if err == nil || !strings.Contains(err.Error(), " needs ") || !strings.Contains(err.Error(), "products") {
			t.Errorf("%s: %v", Spec(m), err)
		}
	}
	f.H = func(dst, x, v []float64) { copy(dst, v) }
	if _, err := Minimize(context.Background(), f, []float64{1, 2}, &ARC{Sampling: "norms"}, Until{}); err == nil || !strings.Contains(err.Error(), "samples drawn by norm") {
		t.Errorf("samples by norm: %v", err)
	}
}

// TestALossThatRisesWhateverIsTried gives a gradient of the wrong sign: every step must be refused, and all numbers stay
// finite.
func TestALossThatRisesWhateverIsTried(t *testing.T) {
	multiply := func(dst, x, v []float64) { copy(dst, v) }
	f := &Func[float64]{
		F: func(x []float64) float64 { return 1 + dot(x, x)/2 },
		G: func(dst, x []float64) float64 {
			clear(dst)
			axpy(dst, -1, x)
			return 1 + dot(x, x)/2
		}, H: multiply, GN: multiply}
	for _, m := range append(curvedMethods(), &LBFGS{}, &LBFGS{LineSearch: "armijo"}, &GD{LineSearch: "armijo"}) {
		if c, ok := m.(*CubicNewton); ok && c.L2 > 0 {
			continue // it asks for no decrease
		}
		if n, ok := m.(*RegularizedNewton); ok && n.Rule == "fixed" {
			continue
		}
		o, err := New[float64](m, Flat(2))
		if err != nil {
			t.Fatal(err)
		}
		p := newPlain[float64](f, 2)
		x := []float64{3, 4}
		for range 40 {
			r, err := o.Step(context.Background(), x, p)
			if err != nil {
				t.Fatalf("%s: %v", Spec(m), err)
			}
			// By rounding a step of nearly nothing may pass.
			if d := norm(minus(x, []float64{3, 4})); d > 1e-6 || math.IsNaN(d) {
				t.Fatalf("%s moved by %v: %+v", Spec(m), d, r)
			}
		}
		for name, v := range o.State().Scalars {
			if !finite(v) {
				t.Errorf("%s: %s is %v", Spec(m), name, v)
			}
		}
	}
}

// TestPropsCountsAsThePaper counts by hand.
func TestPropsCountsAsThePaper(t *testing.T) {
	f := logisticFn(rand.New(rand.NewPCG(6, 5)), 30, 5)
	f.GN = f.H
	for _, c := range []struct {
		m    Method
		warm bool // one product a solve is not counted
	}{{&TrustRegion{}, false}, {&TrustRegion{Preset: "xu2018", Radius: 0.1}, true}, {&ARC{}, false}, {&ARC{Preset: "xu2018"}, false}, {&GaussNewton{Preset: "xu2018"}, true}} {
		for as, grad := range map[string]int64{"xu2018": 1, "xu2018_nls": 2} {
			tally := map[string]int64{}
			counting := &Func[float64]{
				F: func(x []float64) float64 { tally["loss"]++; return f.G(make([]float64, len(x)), x) },
				G: func(dst, x []float64) float64 { tally["grad"]++; return f.G(dst, x) },
				H: func(dst, x, v []float64) { tally["product"]++; f.H(dst, x, v) },
			}
			counting.GN = counting.H
			o, err := New[float64](&Props{As: as, Of: c.m}, Flat(5))
			if err != nil {
				t.Fatal(err)
			}
			p := newPlain[float64](counting, 5)
			x := []float64{1, 2, -1, 0.5, 3}
			for k := range 4 {
				clear(tally)
				p.known = false
				r, err := o.Step(context.Background(), x, p)
				if err != nil {
					t.Fatal(err)
				}
				products := tally["product"]
				if c.warm && !(k == 0 && c.m.Name() == "gn") {
					products -= max(1, int64(r.Trials))
					if c.m.Name() == "gn" {
						products = tally["product"] - 1
					}
				}
				if want := tally["loss"] + grad*tally["grad"] + 2*products; r.Props != want {
					t.Errorf("%s as %s, step %d: %d props, want %d of %v, %+v", Spec(c.m), as, k, r.Props, want, tally, r)
				}
			}
		}
	}
}
