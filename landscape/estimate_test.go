package landscape

import (
	"context"
	"math"
	"testing"
)

var background = context.Background()

// Gauss's rule of k nodes is exact for polynomials of degree 2k-1.
func TestQuadratureHasExactMoments(t *testing.T) {
	const n, steps = 60, 5
	a := withSpectrum(spectrum(n), 4)
	s, err := Quadrature(background, a, QuadratureOptions{Probes: 3, Steps: steps, Seed: 8})
	if err != nil {
		t.Fatal(err)
	}
	if s.Products != 3*steps {
		t.Errorf("%d products", s.Products)
	}
	for i, r := range s.Rules {
		v, w := make([]float64, n), make([]float64, n)
		normals(v, source(8, uint64(i)))
		scale(1/norm(v), v)
		power := append([]float64(nil), v...)
		for degree := range 2 * steps {
			want := dot(v, power)
			got := r.apply(func(x float64) float64 { return math.Pow(x, float64(degree)) })
			if d := math.Abs(got - want); d > 1e-10*math.Pow(50, float64(degree)) {
				t.Errorf("probe %d, degree %d: %v, want %v", i, degree, got, want)
			}
			if err := a.Mul(background, [][]float64{w}, [][]float64{power}); err != nil {
				t.Fatal(err)
			}
			copy(power, w)
		}
	}
}

// With as many steps as there are different eigenvalues all that is left is the
// spread of the probes.
func TestQuadratureOfADenseMatrix(t *testing.T) {
	values := spectrum(80)
	a := withSpectrum(values, 5)
	starts := 400
	if testing.Short() {
		starts = 100
	}
	s, err := Quadrature(background, a, QuadratureOptions{Probes: starts, Steps: 80, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	sum := func(f func(float64) float64) float64 {
		total := 0.0
		for _, v := range values {
			total += f(v)
		}
		return total
	}
	check := func(name string, got Estimate, want float64) {
		t.Helper()
		if d := math.Abs(got.Value - want); !(d <= 4*got.Error+1e-9*math.Abs(want)) {
			t.Errorf("%s: %v ± %v, want %v", name, got.Value, got.Error, want)
		}
		if !(got.Error < 0.5*math.Abs(want)) {
			t.Errorf("%s: an error of %v says nothing of %v", name, got.Error, want)
		}
	}
	check("trace", s.Sum(func(x float64) float64 { return x }), sum(func(x float64) float64 { return x }))
	logDet, err := s.LogDet(10)
	if err != nil {
		t.Fatal(err)
	}
	check("log-determinant", logDet, sum(func(x float64) float64 { return math.Log(x + 10) }))
	if _, err := s.LogDet(8); err == nil {
		t.Error("the logarithm of a negative determinant is accepted")
	}
	total, below, mass := sum(math.Abs), 0.0, 0.0
	entropy := 0.0
	for _, v := range values {
		if v < -1 {
			below += 1.0 / 80
			mass -= v / total
		}
		if p := math.Abs(v) / total; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	count, share := s.NegativeMass(1)
	check("negative count", count, below)
	check("negative mass", share, mass)
	rank, err := s.EffectiveRank()
	if err != nil {
		t.Fatal(err)
	}
	check("effective rank", rank, math.Exp(entropy))
	x := []float64{-8.5, 0.5, 19, 21, 60}
	for j, at := range x {
		var probes []float64
		for _, row := range s.Cumulative(x) {
			probes = append(probes, row[j])
		}
		want := 0.0
		for _, v := range values {
			if v <= at {
				want += 1.0 / 80
			}
		}
		got := meanOf(probes)
		if d := math.Abs(got.Value - want); d > 4*got.Error+1e-9 {
			t.Errorf("share up to %v: %v ± %v, want %v", at, got.Value, got.Error, want)
		}
	}
	rows, err := s.Density([]float64{20}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	var probes []float64
	for _, row := range rows {
		probes = append(probes, row[0])
	}
	check("density at 20", meanOf(probes), 6.0/80/(0.5*math.Sqrt(2*math.Pi)))
}

// TestTraceErrorsAreHonest: over 200 seeds the truth is within two standard
// errors about as often as it should be. The estimates of XTrace are not
// independent of each other, so its error is allowed to be a third too small.
func TestTraceErrorsAreHonest(t *testing.T) {
	values := spectrum(150)
	a := withSpectrum(values, 6)
	want := 0.0
	for _, v := range values {
		want += v
	}
	for _, method := range []TraceMethod{Hutchinson, HutchPP, XTrace} {
		within, within3, sumSq, sumErr := 0, 0, 0.0, 0.0
		for seed := range uint64(200) {
			r, err := Trace(background, a, TraceOptions{Method: method, Tol: 1e-12, MaxProducts: 64, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if r.Products > 64 || r.Converged {
				t.Fatalf("%v: %d products, converged %v", method, r.Products, r.Converged)
			}
			d := math.Abs(r.Value - want)
			if d <= 2*r.Error {
				within++
			}
			if d <= 3*r.Error {
				within3++
			}
			sumSq += d * d / 200
			sumErr += r.Error * r.Error / 200
		}
		ratio := math.Sqrt(sumErr / sumSq)
		t.Logf("%v: within 2 errors %d of 200, within 3 %d; stated over actual error %.2f, actual %.3g", method, within, within3, ratio, math.Sqrt(sumSq))
		// Two standard errors hold 95 %, 190 of 200; fewer than 176 has a chance of 1e-6.
		if within < 176 || within3 < 186 || ratio < 0.67 || ratio > 1.5 {
			t.Errorf("%v: within 2 errors %d of 200, within 3 %d; stated over actual error %.2f", method, within, within3, ratio)
		}
	}
}

func TestTraceStopsByItsError(t *testing.T) {
	values := spectrum(150)
	a := withSpectrum(values, 7)
	want := 0.0
	for _, v := range values {
		want += v
	}
	products := map[TraceMethod]int{}
	for _, method := range []TraceMethod{Hutchinson, HutchPP, XTrace} {
		r, err := Trace(background, a, TraceOptions{Method: method, Tol: 0.01, MaxProducts: 100000})
		if err != nil {
			t.Fatal(err)
		}
		products[method] = r.Products
		if method != HutchPP && !r.Converged || math.Abs(r.Value-want) > 4*max(r.Error, 1e-12*want) {
			t.Errorf("%v: %v ± %v, want %v (converged %v)", method, r.Value, r.Error, want, r.Converged)
		}
	}
	if products[XTrace] >= products[Hutchinson] {
		t.Errorf("XTrace takes %d products, Hutchinson's estimator %d", products[XTrace], products[Hutchinson])
	}
}

func TestTraceOfLowRankAndSmallMatrices(t *testing.T) {
	low := make([]float64, 100)
	low[3], low[70] = 5, -2
	for _, method := range []TraceMethod{HutchPP, XTrace} {
		r, err := Trace(background, withSpectrum(low, 1), TraceOptions{Method: method})
		if err != nil || math.Abs(r.Value-3) > 1e-9 || !r.Converged {
			t.Errorf("%v of rank 2: %v (%v)", method, r, err)
		}
	}
	for n := 1; n <= 8; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i + 1)
		}
		r, err := Trace(background, withSpectrum(values, 1), TraceOptions{})
		if err != nil || math.Abs(r.Value-float64(n*(n+1)/2)) > 1e-10 {
			t.Errorf("of %d rows: %v (%v)", n, r, err)
		}
	}
	for _, o := range []TraceOptions{{Tol: -1}, {MaxProducts: 3}, {Block: -1}, {Method: 9}} {
		if _, err := Trace(background, withSpectrum(low, 1), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestDiagonalErrorsAreHonest(t *testing.T) {
	const n = 40
	a := withSpectrum(spectrum(n), 9)
	square := 0.0
	for i := range n {
		for j := range n {
			square += a.At(i, j) * a.At(i, j)
		}
	}
	within, all, frobenius := 0, 0, 0
	for seed := range uint64(200) {
		r, err := Diagonal(background, a, DiagonalOptions{Probes: 60, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if r.Products != 60 {
			t.Fatalf("%d products", r.Products)
		}
		for i, v := range r.Value {
			all++
			if math.Abs(v-a.At(i, i)) <= 2*r.Error[i] {
				within++
			}
		}
		if math.Abs(r.Frobenius.Value-square) <= 2*r.Frobenius.Error {
			frobenius++
		}
	}
	if share := float64(within) / float64(all); share < 0.92 || frobenius < 176 {
		t.Errorf("within two errors: %.3f of the elements, %d of 200 squared norms", share, frobenius)
	}
}

func TestBlockIsThatPartOfTheMatrix(t *testing.T) {
	a := withSpectrum(spectrum(30), 2)
	b, err := Block(a, Span{2, 7}, Span{20, 23})
	if err != nil {
		t.Fatal(err)
	}
	if b.Size() != 8 {
		t.Fatalf("%d rows", b.Size())
	}
	index := []int{2, 3, 4, 5, 6, 20, 21, 22}
	for j := range index {
		e, y := make([]float64, 8), make([]float64, 8)
		e[j] = 1
		if err := b.Mul(background, [][]float64{y}, [][]float64{e}); err != nil {
			t.Fatal(err)
		}
		for i := range y {
			if want := a.At(index[i], index[j]); math.Abs(y[i]-want) > 1e-14*50 {
				t.Errorf("element %d, %d: %v, want %v", i, j, y[i], want)
			}
		}
	}
	for _, spans := range [][]Span{nil, {{3, 3}}, {{5, 8}, {2, 4}}, {{0, 31}}, {{-1, 2}}} {
		if _, err := Block(a, spans...); err == nil {
			t.Errorf("spans %v are accepted", spans)
		}
	}
}

// A vector that nearly depends on others loses its rounding errors too.
func TestOrthonormal(t *testing.T) {
	r := source(1, 2)
	x := vectors(6, 5000)
	for _, v := range x {
		normals(v, r)
	}
	copy(x[3], x[1])
	axpy(x[3], 1e-9, x[5])
	copy(x[4], x[0])
	q := orthonormal(nil, x)
	if len(q) != 5 { // the rounding of 3 is as large as what makes it differ from 1
		t.Fatalf("%d of 6 vectors are left; one is a copy", len(q))
	}
	g := gram(q, q)
	for i := range q {
		for j := range q {
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(g[i*len(q)+j]-want) > 1e-13 {
				t.Errorf("product %d, %d is %v", i, j, g[i*len(q)+j])
			}
		}
	}
}
