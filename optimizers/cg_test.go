package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// dense is a symmetric matrix for CG.
type dense struct {
	*mat.SymDense
	products int
}

func (d *dense) mul(dst, v []float64) error {
	d.products++
	n := len(v)
	out := mat.NewVecDense(n, dst)
	out.MulVec(d.SymDense, mat.NewVecDense(n, v))
	return nil
}

// value is g's + s'As/2.
func (d *dense) value(g, s []float64) float64 {
	as := make([]float64, len(s))
	_ = d.mul(as, s)
	return dot(g, s) + dot(s, as)/2
}

// symmetric is Q diag(eigenvalues) Q' for a random rotation Q.
func symmetric(r *rand.Rand, eigenvalues []float64) *dense {
	n := len(eigenvalues)
	a := mat.NewDense(n, n, randoms(r, n*n))
	var qr mat.QR
	qr.Factorize(a)
	var q, product mat.Dense
	qr.QTo(&q)
	product.Mul(&q, mat.NewDiagDense(n, eigenvalues))
	product.Mul(&product, q.T())
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (product.At(i, j)+product.At(j, i))/2)
		}
	}
	return &dense{SymDense: s}
}

func randoms(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

func powers(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Pow(10, 3*r.Float64()-1)
	}
	return v
}

func TestCGSolvesLikeCholesky(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 30 {
		n := 1 + r.IntN(20)
		a, g := symmetric(r, powers(r, n)), randoms(r, n)
		var chol mat.Cholesky
		if !chol.Factorize(a.SymDense) {
			t.Fatal("not positive definite")
		}
		want := mat.NewVecDense(n, nil)
		if err := chol.SolveVecTo(want, mat.NewVecDense(n, g)); err != nil {
			t.Fatal(err)
		}
		// A preconditioner, and a start away from 0, must not change the solution.
		var precondition Operator[float64]
		if trial%2 == 1 {
			precondition = func(dst, v []float64) error {
				for i := range dst {
					dst[i] = v[i] / a.At(i, i)
				}
				return nil
			}
		}
		s := make([]float64, n)
		if trial%3 == 2 {
			copy(s, randoms(r, n))
		}
		c := CG[float64]{MaxIter: 20 * n, Tol: 1e-13}
		res, err := c.Solve(context.Background(), a.mul, precondition, g, s)
		if err != nil {
			t.Fatal(err)
		}
		if res.Stop != StopResidual || res.Products != a.products {
			t.Errorf("size %d: stopped by %s after %d products, counted %d", n, res.Stop, a.products, res.Products)
		}
		for i := range s {
			if d := math.Abs(s[i] + want.AtVec(i)); d > 1e-8*(1+math.Abs(s[i])) {
				t.Errorf("size %d, unknown %d: %v, Cholesky %v", n, i, s[i], -want.AtVec(i))
			}
		}
		if v := a.value(g, s); math.Abs(v-res.Value) > 1e-9*(1+math.Abs(v)) {
			t.Errorf("size %d: model %v, reported %v", n, v, res.Value)
		}
	}
}

func TestCGFinishesInAsManyStepsAsEigenvalues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a := symmetric(r, []float64{1, 1, 1, 5, 5, 5, 5, 20, 20, 20})
	res, err := (&CG[float64]{Tol: 1e-10}).Solve(context.Background(), a.mul, nil, randoms(r, 10), make([]float64, 10))
	if err != nil {
		t.Fatal(err)
	}
	if res.Iterations != 3 {
		t.Errorf("%d iterations for 3 eigenvalues", res.Iterations)
	}
	if res.MinCurvature < 1-1e-9 || res.MinCurvature > 20 {
		t.Errorf("lowest curvature %v of a matrix with eigenvalues from 1 to 20", res.MinCurvature)
	}
}

// TestCGLowersTheModelAtEveryIteration holds for any start, and with a preconditioner.
func TestCGLowersTheModelAtEveryIteration(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		n := 2 + r.IntN(15)
		a, g, start := symmetric(r, powers(r, n)), randoms(r, n), randoms(r, n)
		scales := powers(r, n)
		precondition := func(dst, v []float64) error {
			for i := range dst {
				dst[i] = scales[i] * v[i]
			}
			return nil
		}
		last := a.value(g, start)
		for most := 1; most <= n; most++ {
			s := append([]float64{}, start...)
			c := CG[float64]{MaxIter: most}
			res, err := c.Solve(context.Background(), a.mul, precondition, g, s)
			if err != nil {
				t.Fatal(err)
			}
			if v := a.value(g, s); v > last+1e-9*math.Abs(last) {
				t.Errorf("size %d: %v after %d iterations, %v before", n, v, most, last)
			} else {
				last = v
			}
			if res.Iterations == most && res.Stop != StopIterations && res.Stop != StopResidual {
				t.Errorf("stopped by %s after the %d iterations allowed", res.Stop, most)
			}
		}
	}
}

func TestCGOnSingularSystems(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	a := symmetric(r, []float64{3, 2, 1, 0, 0})
	// A right-hand side in the range of A has a solution, though not a single one.
	g := make([]float64, 5)
	_ = a.mul(g, randoms(r, 5))
	s := make([]float64, 5)
	res, err := (&CG[float64]{MaxIter: 50, Tol: 1e-9}).Solve(context.Background(), a.mul, nil, g, s)
	if err != nil {
		t.Fatal(err)
	}
	left := make([]float64, 5)
	_ = a.mul(left, s)
	axpy(left, 1, g)
	if norm(left) > 1e-8 || res.Stop != StopResidual {
		t.Errorf("residual %v, stopped by %s", norm(left), res.Stop)
	}
	// No gradient: nothing to do.
	clear(s)
	res, err = (&CG[float64]{}).Solve(context.Background(), a.mul, nil, make([]float64, 5), s)
	if err != nil || res.Iterations != 0 || res.Stop != StopResidual || norm(s) != 0 {
		t.Errorf("from a zero gradient: %+v %v, s = %v", res, err, s)
	}
	// No curvature along the gradient: the model falls without end, and the direction says so.
	zero := &dense{SymDense: mat.NewSymDense(5, nil)}
	c := &CG[float64]{}
	res, err = c.Solve(context.Background(), zero.mul, nil, g, s)
	if err != nil || res.Stop != StopCurvature || res.Iterations != 0 || dot(c.Direction(), g) >= 0 {
		t.Errorf("on the zero matrix: %+v %v", res, err)
	}
}

func TestCGOnIndefiniteSystems(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 20 {
		n := 3 + r.IntN(10)
		eigenvalues := powers(r, n)
		eigenvalues[0] = -eigenvalues[0]
		a, g := symmetric(r, eigenvalues), randoms(r, n)
		s := make([]float64, n)
		c := &CG[float64]{MaxIter: 10 * n, Tol: 1e-12}
		res, err := c.Solve(context.Background(), a.mul, nil, g, s)
		if err != nil {
			t.Fatal(err)
		}
		if res.Stop != StopCurvature || res.MinCurvature > 0 {
			t.Fatalf("stopped by %s, lowest curvature %v", res.Stop, res.MinCurvature)
		}
		p := c.Direction()
		ap := make([]float64, n)
		_ = a.mul(ap, p)
		if curvature := dot(p, ap) / dot(p, p); curvature > 0 || math.Abs(curvature-res.MinCurvature) > 1e-9*math.Abs(curvature) {
			t.Errorf("the direction has curvature %v, reported %v", curvature, res.MinCurvature)
		}
		if res.Iterations > 0 && !(a.value(g, s) < 0) {
			t.Errorf("the iterate before has the model at %v", a.value(g, s))
		}
	}
}

// TestSteihaugStaysInTheRegion checks the properties of Steihaug's method: inside or on the sphere, and at least as
// good as the best point along the gradient.
func TestSteihaugStaysInTheRegion(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	stops := map[string]int{}
	for trial := range 200 {
		n := 2 + r.IntN(8)
		eigenvalues := powers(r, n)
		if trial%2 == 0 {
			eigenvalues[0] = -eigenvalues[0]
		}
		a, g := symmetric(r, eigenvalues), randoms(r, n)
		radius := math.Pow(10, 3*r.Float64()-2)
		s := make([]float64, n)
		warm := trial%5 == 4
		if warm {
			copy(s, randoms(r, n)) // perhaps outside
		}
		c := &CG[float64]{MaxIter: 5 * n, Tol: 1e-10, Radius: radius}
		res, err := c.Solve(context.Background(), a.mul, nil, g, s)
		if err != nil {
			t.Fatal(err)
		}
		stops[res.Stop]++
		size := norm(s)
		if size > radius*(1+1e-9) {
			t.Errorf("length %v in a region of radius %v", size, radius)
		}
		if (res.Stop == StopBoundary || res.Stop == StopCurvature) && math.Abs(size-radius) > 1e-9*radius {
			t.Errorf("stopped by %s with length %v, radius %v", res.Stop, size, radius)
		}
		if v := a.value(g, s); math.Abs(v-res.Value) > 1e-8*(1+math.Abs(v)) {
			t.Errorf("model %v, reported %v (%s)", v, res.Value, res.Stop)
		} else if best := cauchy(a, g, radius); !warm && v > best+1e-9*math.Abs(best) {
			t.Errorf("model %v, along the gradient %v (%s)", v, best, res.Stop)
		}
		left := make([]float64, n)
		_ = a.mul(left, s)
		axpy(left, 1, g)
		if math.Abs(norm(left)-res.Residual) > 1e-7*(1+norm(left)) {
			t.Errorf("residual %v, reported %v (%s)", norm(left), res.Residual, res.Stop)
		}
	}
	for _, stop := range []string{StopBoundary, StopCurvature, StopResidual} {
		if stops[stop] == 0 {
			t.Errorf("no trial ended by %s: %v", stop, stops)
		}
	}
}

// cauchy is the lowest value of the model along -g within the radius.
func cauchy(a *dense, g []float64, radius float64) float64 {
	ag := make([]float64, len(g))
	_ = a.mul(ag, g)
	gg, bend := dot(g, g), dot(g, ag)
	step := radius / math.Sqrt(gg)
	if bend > 0 {
		step = min(step, gg/bend)
	}
	return -step*gg + step*step*bend/2
}

// TestMartensStop compares the place of the stop with the rule worked out by hand from the model's values.
func TestMartensStop(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	n, most := 400, 200
	eigenvalues := make([]float64, n)
	for i := range eigenvalues {
		eigenvalues[i] = math.Pow(1.02, float64(i))
	}
	multiply := Operator[float64](func(dst, v []float64) error {
		for i := range dst {
			dst[i] = eigenvalues[i] * v[i]
		}
		return nil
	})
	g := randoms(r, n)
	solve := func(c CG[float64]) CGResult {
		res, err := c.Solve(context.Background(), multiply, nil, g, make([]float64, n))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	values := []float64{0}
	for i := 1; i <= most; i++ {
		values = append(values, solve(CG[float64]{MaxIter: i}).Value)
	}
	byHand := func(progress float64, gap func(i int) int) int {
		for i := 1; i <= most; i++ {
			if k := gap(i); i > k && values[i] < 0 && (values[i]-values[i-k])/values[i] < progress*float64(k) {
				return i
			}
		}
		return 0
	}
	ceiling := func(i int) int { return max(int(math.Ceil(0.1*float64(i))), 10) }
	differs := false // from what a gap rounded down would give
	for _, progress := range []float64{5e-3, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5} {
		want := byHand(progress, ceiling)
		if want < 12 {
			t.Fatalf("by hand it stops after %d iterations: the test needs another system", want)
		}
		differs = differs || want != byHand(progress, func(i int) int { return max(i/10, 10) })
		for _, least := range []int{0, want + 7} {
			res := solve(CG[float64]{MaxIter: most, MinIter: least, Progress: progress})
			if res.Stop != StopProgress || res.Iterations != max(want, least) {
				t.Errorf("progress %v: stopped by %s after %d iterations, by hand after %d, at least %d", progress, res.Stop, res.Iterations, want, least)
			}
		}
	}
	if !differs {
		t.Error("no stop shows that the gap is rounded up: the test needs other values")
	}
}

func TestCGKeepsIterates(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	n := 60
	a, g := symmetric(r, powers(r, n)), randoms(r, n)
	c := &CG[float64]{Keep: true}
	for _, most := range []int{3, 5, 6, 30, 12, 30} { // one CG, its memory used again
		c.MaxIter = most
		s := make([]float64, n)
		res, err := c.Solve(context.Background(), a.mul, nil, g, s)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for k := 0; ; k++ {
			i := int(math.Ceil(5 * math.Pow(1.3, float64(k))))
			if i >= most {
				break
			}
			want = append(want, i)
		}
		want = append(want, most)
		var got []int
		for _, it := range c.Iterates() {
			got = append(got, it.At)
			same := make([]float64, n)
			alone, err := (&CG[float64]{MaxIter: it.At}).Solve(context.Background(), a.mul, nil, g, same)
			if err != nil {
				t.Fatal(err)
			}
			if alone.Value != it.Value || fmt.Sprint(same) != fmt.Sprint(it.S) {
				t.Errorf("iterate %d of %d differs from the result after so many", it.At, most)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("kept %v, want %v", got, want)
		}
		if last := c.Iterates()[len(got)-1]; last.Value != res.Value || &last.S[0] != &s[0] {
			t.Error("the last iterate is not the result")
		}
	}
}

func TestCGErrors(t *testing.T) {
	g, broken := []float64{1, 2}, errors.New("broken")
	identity := func(dst, v []float64) error { copy(dst, v); return nil }
	fails := func(dst, v []float64) error { return broken }
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		a, m    Operator[float64]
		s       []float64
		wrapped error
	}{
		"no operator":       {context.Background(), nil, nil, make([]float64, 2), nil},
		"unequal lengths":   {context.Background(), identity, nil, make([]float64, 3), nil},
		"a failing product": {context.Background(), fails, nil, make([]float64, 2), broken},
		"at the start":      {context.Background(), fails, nil, []float64{1, 1}, broken},
		"a preconditioner":  {context.Background(), identity, fails, make([]float64, 2), broken},
		"cancelled":         {ctx, identity, nil, make([]float64, 2), context.Canceled},
	} {
		if _, err := (&CG[float64]{}).Solve(c.ctx, c.a, c.m, g, c.s); err == nil || c.wrapped != nil && !errors.Is(err, c.wrapped) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, a := range map[string]Operator[float64]{
		"NaN":      func(dst, v []float64) error { dst[0], dst[1] = math.NaN(), 1; return nil },
		"infinity": func(dst, v []float64) error { dst[0], dst[1] = math.Inf(1), 1; return nil },
	} {
		s := make([]float64, 2)
		res, err := (&CG[float64]{}).Solve(context.Background(), a, nil, g, s)
		if err != nil || res.Stop != StopBreakdown || !finite(norm(s)) {
			t.Errorf("products that are %s: %+v %v, s = %v", name, res, err, s)
		}
	}
}

func TestCGAllocatesOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	eigenvalues := powers(r, 30)
	multiply := Operator[float64](func(dst, v []float64) error {
		for i := range dst {
			dst[i] = eigenvalues[i] * v[i]
		}
		return nil
	})
	inverse := Operator[float64](func(dst, v []float64) error { copy(dst, v); return nil })
	g, s := randoms(r, 30), make([]float64, 30)
	c := &CG[float64]{Keep: true, Progress: 1e-4}
	if n := testing.AllocsPerRun(10, func() {
		clear(s)
		if _, err := c.Solve(context.Background(), multiply, inverse, g, s); err != nil {
			panic(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
