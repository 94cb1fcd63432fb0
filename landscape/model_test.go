package landscape

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
	"gonum.org/v1/gonum/mat"
)

// tiny is a network of 67 parameters on spirals.
func tiny[T train.Float](t testing.TB) (*nn.Model[T], data.Dataset) {
	t.Helper()
	d, err := data.Spirals(100, 3, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[T](nn.Sequential{nn.Dense{Units: 6}, nn.Tanh{}, nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	return m, d
}

// dense writes a matrix out, by its products with the unit vectors.
func dense(t testing.TB, a Matrix) Dense {
	t.Helper()
	n := a.Size()
	e, y := vectors(n, n), vectors(n, n)
	for i := range e {
		e[i][i] = 1
	}
	for at := 0; at < n; at += 8 {
		end := min(n, at+8)
		if err := a.Mul(background, y[at:end], e[at:end]); err != nil {
			t.Fatal(err)
		}
	}
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			if d := math.Abs(y[i][j] - y[j][i]); d > 1e-12 {
				t.Fatalf("element %d, %d: not symmetric by %v", i, j, d)
			}
			s.SetSym(i, j, y[i][j])
		}
	}
	return Dense{s}
}

func TestSpectrumOfANetwork(t *testing.T) {
	m, d := tiny[float64](t)
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]Matrix{"Hessian": p.Hessian(), "Gauss-Newton": p.GaussNewton()} {
		full := dense(t, a)
		var e mat.EigenSym
		if !e.Factorize(full, false) {
			t.Fatal("no eigenvalues")
		}
		values := e.Values(nil)
		for _, end := range []End{Largest, Smallest} {
			got, err := Eigen(background, a, EigenOptions{Count: 4, End: end, Tol: 1e-8, MaxProducts: 2000})
			if err != nil {
				t.Fatal(name, end, err)
			}
			want := sorted(values, end)
			for i, pair := range got.Pairs {
				if d := math.Abs(pair.Value - want[i]); d > 1e-8*got.Norm {
					t.Errorf("%s, %v, pair %d: %v, dense %v", name, end, i, pair.Value, want[i])
				}
			}
		}
		r, err := Trace(background, a, TraceOptions{Tol: 1e-3})
		if err != nil {
			t.Fatal(err)
		}
		if want := mat.Trace(full); math.Abs(r.Value-want) > 4*r.Error+1e-9*math.Abs(want) {
			t.Errorf("%s: trace %v ± %v, dense %v", name, r.Value, r.Error, want)
		}
	}
	spans := p.Spans(func(t optimizers.Tensor) bool { return t.Name == "dense2.weight" || t.Name == "dense2.bias" })
	b, err := Block(p.Hessian(), spans...)
	if err != nil {
		t.Fatal(err)
	}
	if b.Size() != 28 {
		t.Errorf("the block of the second layer has %d rows", b.Size())
	}
}

// The ten largest eigenvalues of a network of 100,000 parameters take 150 products at
// most, each to a residual of a thousandth.
func TestTopTenOfALargeNetwork(t *testing.T) {
	d, err := data.Blobs(80, 10, 784, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float32](nn.Sequential{nn.Dense{Units: 128}, nn.ReLU{}, nn.Dense{Units: 10}}, nn.SoftmaxCrossEntropy{}, []int{784}, nn.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.Fit(background, m, d, train.Config{Optimizer: &optimizers.Adam{LR: 0.001}, Epochs: 2, Batch: 20}); err != nil {
		t.Fatal(err)
	}
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Eigen(background, p.Hessian(), EigenOptions{Count: 10, Tol: 1e-3, MaxProducts: 150})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d parameters, %d products, %.4g to %.4g", len(m.Params), got.Products, got.Pairs[0].Value, got.Pairs[9].Value)
	v, hv := make([][]float64, 10), vectors(10, len(m.Params))
	for i, pair := range got.Pairs {
		v[i] = pair.Vector
	}
	if err := p.Hessian().Mul(background, hv, v); err != nil {
		t.Fatal(err)
	}
	for i, pair := range got.Pairs {
		axpy(hv[i], -pair.Value, v[i])
		if r := norm(hv[i]); r > 1e-3*pair.Value+1e-5*got.Norm { // roundings of float32
			t.Errorf("pair %d: %v with a residual of %v, said to be %v", i, pair.Value, r, pair.Residual)
		}
	}
}

// The gradient at a point, and products in both precisions.
func TestModelInBothPrecisions(t *testing.T) {
	m64, d := tiny[float64](t)
	m32, _ := tiny[float32](t)
	p64, err := At(m64, d, 50)
	if err != nil {
		t.Fatal(err)
	}
	p32, err := At(m32, d, 50)
	if err != nil {
		t.Fatal(err)
	}
	g64, loss64, err := p64.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	g32, loss32, err := p32.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(loss64-loss32) > 1e-5 {
		t.Errorf("loss %v and %v", loss64, loss32)
	}
	axpy(g32, -1, g64)
	if r := norm(g32) / norm(g64); r > 1e-4 {
		t.Errorf("gradients differ by %v", r)
	}
	if _, err := At(m64, d, 1000); err == nil {
		t.Error("more examples than there are")
	}
}
