package opttest

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestKnownMinimaAreZero(t *testing.T) {
	for _, k := range Functions() {
		f, g := Func[float64](k), make([]float64, len(k.Start))
		if loss := f.G(g, k.Minimum); math.Abs(loss) > 1e-25 {
			t.Errorf("%s at its minimum is %v", k.Name, loss)
		}
		for i, v := range g {
			if math.Abs(v) > 1e-12 {
				t.Errorf("%s at its minimum has gradient %v in direction %d", k.Name, v, i)
			}
		}
	}
}

// TestKnownValues compares with the values at the starts that the literature gives.
func TestKnownValues(t *testing.T) {
	for _, c := range []struct {
		k    Known
		want float64
	}{{Rosenbrock, 24.2}, {Beale, 14.203125}, {Wood, 19192}, {Saddle, 1.25}} {
		if got := Func[float64](c.k).F(c.k.Start); math.Abs(got-c.want) > 1e-5*c.want {
			t.Errorf("%s at its start is %v, want %v", c.k.Name, got, c.want)
		}
	}
}

func TestKnownDerivatives(t *testing.T) {
	for _, k := range Functions() {
		f := Func[float64](k)
		for _, at := range [][]float64{k.Start, k.Minimum} {
			x := make([]float64, len(at))
			for i, v := range at {
				x[i] = v + 0.1*float64(i+1)
			}
			checkDerivatives(t, k.Name, f, x)
			if f.F(k.Minimum) == 0 { // no residual: both matrices are the same
				compareProducts(t, k.Name, f, k.Minimum)
			}
		}
	}
}

func TestExamplesDerivatives(t *testing.T) {
	e := NewExamples[float64]()
	drawn, err := e.Draw(20)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []optimizers.Sample[float64]{e.Batch(), e.Full(), drawn} {
		checkDerivatives(t, "examples", s, e.Start())
	}
}

// TestExamplesSquaredGrads compares with the gradients of single examples.
func TestExamplesSquaredGrads(t *testing.T) {
	e := NewExamples[float64]()
	x, n := e.Start(), len(e.Start())
	got, want, g := make([]float64, n), make([]float64, n), make([]float64, n)
	if err := e.full.SquaredGrads(got, x); err != nil {
		t.Fatal(err)
	}
	for row := range examples {
		one := &sample[float64]{of: e, rows: []int{row}}
		if _, err := one.Grad(g, x); err != nil {
			t.Fatal(err)
		}
		for i, v := range g {
			want[i] += v * v / examples
		}
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-15 {
			t.Errorf("parameter %d: %v, want %v", i, got[i], want[i])
		}
	}
}

// TestExamplesSampledGrad compares the mean over many draws with the diagonal of the Gauss-Newton matrix, and with 0.
// Means of 5000 draws have standard errors of 1/70 of their deviations.
func TestExamplesSampledGrad(t *testing.T) {
	e := NewExamples[float64]()
	x, n := e.Start(), len(e.Start())
	g, mean, square := make([]float64, n), make([]float64, n), make([]float64, n)
	const draws = 5000
	for k := range draws {
		if err := e.full.SampledGrad(g, x, k); err != nil {
			t.Fatal(err)
		}
		for i, v := range g {
			mean[i] += v / draws
			square[i] += v * v * examples / draws
		}
	}
	if err := e.full.Linearize(x); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		unit := make([]float64, n)
		unit[i] = 1
		if err := e.full.GaussNewtonMul(g, unit); err != nil {
			t.Fatal(err)
		}
		if math.Abs(square[i]-g[i]) > 0.1*g[i] {
			t.Errorf("parameter %d: mean square times %d is %v, on the diagonal is %v", i, examples, square[i], g[i])
		}
		if math.Abs(mean[i]) > 5*math.Sqrt(square[i]/examples/draws) {
			t.Errorf("parameter %d: mean %v", i, mean[i])
		}
	}
}

func TestExamplesDraw(t *testing.T) {
	e := NewExamples[float64]()
	for _, n := range []int{-1, 0, examples, examples + 1} {
		if _, err := e.Draw(n); err == nil {
			t.Errorf("a draw of %d succeeded", n)
		}
	}
	first, _ := e.Draw(10)
	second, _ := e.Draw(10)
	a, _ := first.Loss(e.Start())
	b, _ := second.Loss(e.Start())
	if a == b {
		t.Error("two draws of one step are the same")
	}
	e.At(0)
	again, _ := e.Draw(10)
	if c, _ := again.Loss(e.Start()); c != a {
		t.Error("the first draw of a step is not always the same")
	}
}

// checkDerivatives compares with central differences.
func checkDerivatives(t *testing.T, name string, f interface {
	optimizers.Objective[float64]
	optimizers.Curvature[float64]
}, x []float64) {
	t.Helper()
	n, h := len(x), 1e-5
	g, high, low, hv, v := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	loss, _ := f.Grad(g, x)
	if same, _ := f.Loss(x); same != loss {
		t.Errorf("%s: Loss gives %v, Grad %v", name, same, loss)
	}
	size := 1.0
	for _, a := range g {
		size = max(size, math.Abs(a))
	}
	at := func(i int, by float64) []float64 {
		moved := append([]float64{}, x...)
		moved[i] += by
		return moved
	}
	for i := range n {
		up, _ := f.Loss(at(i, h))
		down, _ := f.Loss(at(i, -h))
		if want := (up - down) / (2 * h); math.Abs(g[i]-want) > 1e-6*size {
			t.Errorf("%s: derivative %d is %v, by differences %v", name, i, g[i], want)
		}
		clear(v)
		v[i] = 1
		_ = f.Linearize(x)
		_ = f.HessianMul(hv, v)
		_, _ = f.Grad(high, at(i, h))
		_, _ = f.Grad(low, at(i, -h))
		for c := range n {
			if want := (high[c] - low[c]) / (2 * h); math.Abs(hv[c]-want) > 1e-5*size {
				t.Errorf("%s: second derivative %d, %d is %v, by differences %v", name, c, i, hv[c], want)
			}
		}
	}
}

// compareProducts compares the Hessian with the Gauss-Newton matrix.
func compareProducts(t *testing.T, name string, f *optimizers.Func[float64], x []float64) {
	t.Helper()
	n := len(x)
	a, b, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range v {
		v[i] = float64(i) - 0.7
	}
	f.H(a, x, v)
	f.GN(b, x, v)
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9 {
			t.Errorf("%s: without residual the Hessian product is %v and the Gauss-Newton product %v", name, a, b)
		}
	}
}
