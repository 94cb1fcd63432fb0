package optimizers_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
)

// random is a matrix of normal numbers.
func random(rows, cols int, seed uint64) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, 3))
	a := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			a.Set(i, j, r.NormFloat64())
		}
	}
	return a
}

// ofSingularValues is the matrix with the singular vectors of a and a function of its singular values.
func ofSingularValues(t *testing.T, a *mat.Dense, f func(float64) float64) *mat.Dense {
	t.Helper()
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		t.Fatal("no singular values")
	}
	var u, v, d, out mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	values := svd.Values(nil)
	for i, s := range values {
		values[i] = f(s)
	}
	d.Mul(&u, mat.NewDiagDense(len(values), values))
	out.Mul(&d, v.T())
	return &out
}

// stepsOf takes n steps from 0 on a weight of a shape whose gradient is always g, and gives where they end.
func stepsOf[T optimizers.Float](t *testing.T, spec string, shape []int, g *mat.Dense, n int) *mat.Dense {
	t.Helper()
	rows, cols := g.Dims()
	l := optimizers.Layout{{Name: "first", Shape: []int{2, 2}}, {Name: "w", Shape: shape, Offset: 4}}
	o, err := optimizers.New[T](parsed(spec)(), l)
	if err != nil {
		t.Fatal(err)
	}
	p := &goldenProblem[T]{}
	p.G = func(dst, x []T) float64 {
		clear(dst)
		for i := range rows {
			for j := range cols {
				dst[4+i*cols+j] = T(g.At(i, j))
			}
		}
		return 1
	}
	x := make([]T, l.Size())
	for range n {
		if _, err := o.Step(context.Background(), x, p); err != nil {
			t.Fatal(err)
		}
	}
	out := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			out.Set(i, j, float64(x[4+i*cols+j]))
		}
	}
	return out
}

// distance is |a - b| / |b|.
func distance(a, b *mat.Dense) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Norm(&d, 2) / mat.Norm(b, 2)
}

// TestMuonIsAPolynomialOfTheSingularValues computes its step by a singular value decomposition and the polynomial that
// the iterations are, for dense layers [in, out] and kernels [out, in, ...].
func TestMuonIsAPolynomialOfTheSingularValues(t *testing.T) {
	for _, c := range []struct {
		shape      []int
		rows, cols int
		out, in    float64
	}{
		{[]int{70, 33}, 70, 33, 33, 70}, {[]int{33, 70}, 33, 70, 70, 33}, {[]int{64, 64}, 64, 64, 64, 64}, {[]int{1, 9}, 1, 9, 9, 1},
		{[]int{16, 3, 3, 3}, 16, 27, 16, 27}, {[]int{40, 2, 3}, 40, 6, 40, 6},
	} {
		g := random(c.rows, c.cols, 5)
		size := mat.Norm(g, 2)
		want := ofSingularValues(t, g, func(s float64) float64 {
			s /= size
			for range 5 {
				s = 3.4445*s - 4.775*s*s*s + 2.0315*s*s*s*s*s
			}
			return -0.5 * s
		})
		for adjust, factor := range map[string]float64{"none": 1, "original": math.Sqrt(max(1, c.out/c.in)), "match_rms_adamw": 0.2 * math.Sqrt(max(c.out, c.in))} {
			var scaled mat.Dense
			scaled.Scale(factor, want)
			spec := "muon:lr=0.5,momentum=0,adjust=" + adjust
			if d := distance(stepsOf[float64](t, spec, c.shape, g, 1), &scaled); !(d < 1e-12) {
				t.Errorf("%v, %s: %v of the step is wrong", c.shape, adjust, d)
			}
			if d := distance(stepsOf[float32](t, spec, c.shape, g, 1), &scaled); !(d < 2e-5) {
				t.Errorf("%v, %s in float32: %v of the step is wrong", c.shape, adjust, d)
			}
		}
	}
}

// TestMuonLeavesTheOuterLayers: with layers=hidden the first and the last matrix have the vectors' method.
func TestMuonLeavesTheOuterLayers(t *testing.T) {
	l := optimizers.Layout{
		{Name: "a", Shape: []int{2, 3}}, {Name: "a.bias", Shape: []int{3}, Offset: 6, Kind: optimizers.Bias}, {Name: "b", Shape: []int{3, 3}, Offset: 9},
		{Name: "c", Shape: []int{3, 2}, Offset: 18}, {Name: "c.bias", Shape: []int{2}, Offset: 24, Kind: optimizers.Bias},
	}
	steps := func(spec string) []float64 {
		o, err := optimizers.New[float64](parsed(spec)(), l)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, l.Size())
		for i := range x {
			x[i] = math.Sin(float64(i))
		}
		for range 3 {
			if _, err := o.Step(context.Background(), x, parabola{}); err != nil {
				t.Fatal(err)
			}
		}
		return x
	}
	hidden, all, plain := steps("muon:layers=hidden,vectors=sgd"), steps("muon:vectors=sgd"), steps("sgd:lr=0.02")
	for i := range hidden {
		want := plain
		if i >= 9 && i < 18 {
			want = all
		}
		if math.Abs(hidden[i]-want[i]) > 1e-15 {
			t.Errorf("element %d is %v, want %v", i, hidden[i], want[i])
		}
	}
	if all[0] == plain[0] {
		t.Error("with layers=all the first matrix has the method of vectors")
	}
}

// TestOneGradientMakesThemAgree: where the gradient has always been the same, Shampoo and SOAP both move along the nearest
// orthogonal matrix, G (G'G)^(-1/2). After n steps the sums of Shampoo have grown to n.
func TestOneGradientMakesThemAgree(t *testing.T) {
	for _, shape := range [][]int{{40, 40}, {25, 5, 5}, {150, 150}} {
		n := shape[0]
		g := random(n, n, 8)
		for i := range n {
			g.Set(i, i, g.At(i, i)+3*math.Sqrt(float64(n))) // no singular value near 0
		}
		var svd mat.SVD
		if !svd.Factorize(g, mat.SVDNone) {
			t.Fatal("no singular values")
		}
		largest := svd.Values(nil)[0]
		relative := func(s float64) float64 { return s / math.Sqrt(s*s+1e-6*largest*largest) }
		adam := func(s float64) float64 { return s / (s + 1) }
		for _, c := range []struct {
			spec   string
			steps  int
			length float64
			of     func(s float64) float64
		}{
			{"shampoo:lr=0.1,frequency=1", 2, 0.1 * (1 + math.Sqrt2/2), func(float64) float64 { return 1 }},
			{"shampoo:lr=0.1,beta2=0.9", 3, 0.3, relative},
			{"shampoo:lr=0.1,frequency=1,graft=sgd", 1, 0.1 * mat.Norm(g, 2) / math.Sqrt(float64(n)), func(float64) float64 { return 1 }},
			// The first step makes the bases. Where the mean has all of its numbers, so has eps.
			{"soap:lr=0.1,eps=1,weight_decay=0,beta2=0", 4, 0.3, adam},
			{"soap:lr=0.1,eps=1,weight_decay=0,beta2=0,frequency=1,precondition_1d", 3, 0.2, adam},
		} {
			want := ofSingularValues(t, g, func(s float64) float64 { return -c.length * c.of(s) })
			if d := distance(stepsOf[float64](t, c.spec, shape, g, c.steps), want); !(d < 1e-9) {
				t.Errorf("%v, %s: %v of the steps is wrong", shape, c.spec, d)
			}
			if d := distance(stepsOf[float32](t, c.spec, shape, g, c.steps), want); !(d < 2e-3) {
				t.Errorf("%v, %s in float32: %v of the steps is wrong", shape, c.spec, d)
			}
		}
	}
}

// TestBlocksAreMatrices: Shampoo with blocks is Shampoo on each block.
func TestBlocksAreMatrices(t *testing.T) {
	g := random(7, 9, 2)
	for i := range 7 {
		for j := range 9 {
			if i%2 == j%2 {
				g.Set(i, j, g.At(i, j)+2)
			}
		}
	}
	got := stepsOf[float64](t, "shampoo:max_dim=4,eps=1e-4,frequency=1", []int{7, 9}, g, 3)
	for _, rows := range [][2]int{{0, 3}, {3, 7}} {
		for _, cols := range [][2]int{{0, 3}, {3, 6}, {6, 9}} {
			part := mat.DenseCopyOf(g.Slice(rows[0], rows[1], cols[0], cols[1]))
			r, c := part.Dims()
			want := stepsOf[float64](t, "shampoo:eps=1e-4,frequency=1", []int{r, c}, part, 3)
			if d := distance(mat.DenseCopyOf(got.Slice(rows[0], rows[1], cols[0], cols[1])), want); !(d < 1e-12) {
				t.Errorf("the block of rows %v and columns %v is %v off", rows, cols, d)
			}
		}
	}
}

// TestMatrixMethodsSolveWhatScalesBadly: |L (X - X*) R|²/2 with factors of condition 1000, where gradient descent crawls.
func TestMatrixMethodsSolveWhatScalesBadly(t *testing.T) {
	const rows, cols = 12, 8
	scales := func(n int) *mat.DiagDense {
		d := make([]float64, n)
		for i := range d {
			d[i] = math.Pow(1000, -float64(i)/float64(n-1))
		}
		return mat.NewDiagDense(n, d)
	}
	turned := func(n int, seed uint64) *mat.Dense {
		q := ofSingularValues(t, random(n, n, seed), func(float64) float64 { return 1 })
		var a mat.Dense
		a.Mul(scales(n), q)
		return &a
	}
	left, right, goal := turned(rows, 1), turned(cols, 2), random(rows, cols, 3)
	f := &optimizers.Func[float64]{G: func(dst, x []float64) float64 {
		var d, lr, g, out mat.Dense
		d.Sub(mat.NewDense(rows, cols, x), goal)
		lr.Mul(left, &d)
		g.Mul(&lr, right.T())
		out.Mul(left.T(), &g)
		mat.NewDense(rows, cols, dst).Mul(&out, right)
		return mat.Norm(&g, 2) * mat.Norm(&g, 2) / 2
	}}
	reach := func(spec string) float64 {
		l := optimizers.Layout{{Name: "w", Shape: []int{rows, cols}}}
		o, err := optimizers.New[float64](optimizers.ForSteps(parsed(spec)(), 2000), l)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, rows*cols)
		for range 2000 {
			if _, err := o.Step(context.Background(), x, noisy{f}); err != nil {
				t.Fatal(err)
			}
		}
		return f.G(make([]float64, len(x)), x)
	}
	plain := reach("sgd:lr=1,momentum=0.9")
	report := fmt.Sprintf("sgd %.1e", plain)
	for _, spec := range []string{"muon:lr=0.05+cosine", "soap:lr=0.05,weight_decay=0+cosine", "shampoo:lr=0.1,beta2=0.99,frequency=1+cosine"} {
		loss := reach(spec)
		report += fmt.Sprintf(", %s %.1e", spec, loss)
		if !(loss < plain/20) {
			t.Errorf("%s ends at %v, gradient descent at %v", spec, loss, plain)
		}
	}
	t.Log(report)
}
