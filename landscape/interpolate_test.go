package landscape

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

func TestBumps(t *testing.T) {
	alpha := Linspace(0, 1, 6)
	for _, c := range []struct {
		loss   []float64
		want   []Bump
		height float64
	}{
		{[]float64{5, 4, 3, 2, 1, 0}, nil, 0},
		{[]float64{5, 5, 5, 4, 4, 3}, nil, 0},
		{[]float64{5, 7, 6, 4, 3, 2}, []Bump{{0, 3, 2, 0.6}}, 2},
		{[]float64{5, 4, 6, 5, 4.5, 4.2}, []Bump{{1, 5, 2, 0.8}}, 2},   // open at the end
		{[]float64{5, 4, 3, 2, 1, 1.5}, []Bump{{4, 5, 0.5, 0.2}}, 0.5}, // the last step rises
		{[]float64{5, 6, 4, 4.5, 3, 2}, []Bump{{0, 2, 1, 0.4}, {2, 4, 0.5, 0.4}}, 1},
		{[]float64{1, 2, 3, 4, 5, 6}, []Bump{{0, 5, 5, 1}}, 5},
	} {
		got := Bumps(alpha, c.loss)
		equal := slices.EqualFunc(got, c.want, func(a, b Bump) bool {
			return a.First == b.First && a.Last == b.Last && math.Abs(a.Height-b.Height) < 1e-12 && math.Abs(a.Width-b.Width) < 1e-12
		})
		if !equal {
			t.Errorf("%v has bumps %v, want %v", c.loss, got, c.want)
		}
		if d := Delta(c.loss); math.Abs(d-c.height) > 1e-12 {
			t.Errorf("%v: delta %v, want %v", c.loss, d, c.height)
		}
	}
}

// Delta is the highest bump's height, whatever the curve.
func TestDeltaIsTheHighestBump(t *testing.T) {
	r := source(1, 1)
	for range 1000 {
		loss := make([]float64, 2+r.IntN(20))
		for i := range loss {
			loss[i] = math.Round(r.NormFloat64() * 3)
		}
		highest := 0.0
		for _, b := range Bumps(Linspace(0, 1, len(loss)), loss) {
			highest = max(highest, b.Height)
		}
		if d := Delta(loss); d != highest {
			t.Fatalf("%v: delta %v, highest bump %v", loss, d, highest)
		}
	}
}

// arc has one parameter t and the outputs sin t, cos t whatever the input is.
func TestGaussLength(t *testing.T) {
	d, err := data.Spirals(5, 3, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	arc := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		angle := s.Param("angle", nn.Constant(0), 1)
		zero := s.Mul(s.Sum(x, 1), s.Const(0))
		at := s.ExpandDims(s.Add(zero, angle), 1)
		return s.Concat(1, s.Sin(at), s.Cos(at), s.Mul(at, s.Const(0)))
	})
	m, err := nn.Build[float64](arc, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	got, err := GaussLength(background, m, d, 0, []float64{0}, []float64{math.Pi}, Linspace(0, 1, 200))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Value-math.Pi) > 1e-4 {
		t.Errorf("half a circle has length %v", got.Value)
	}
	linear, err := nn.Build[float64](nn.Dense{Units: 3}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	to := make([]float64, len(linear.Params))
	normals(to, source(1, 2))
	if got, err = GaussLength(background, linear, d, 0, linear.Params, to, Linspace(0, 1, 20)); err != nil || got.Value != 0 {
		t.Errorf("a linear model has length %v (%v)", got.Value, err)
	}
}

// TestGaussLengthByDifferences compares with angles between neighbours of a fine
// polygon.
func TestGaussLengthByDifferences(t *testing.T) {
	m, d := tiny[float64](t)
	to := make([]float64, len(m.Params))
	normals(to, source(3, 2))
	from := append([]float64(nil), m.Params...)
	alpha := Linspace(0, 1, 401)
	got, err := GaussLength(background, m, d, 10, from, to, alpha)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 0, 20)
	y := make([]float64, 10)
	index := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	x = x[:20]
	if err := data.Read(d, x, y, index); err != nil {
		t.Fatal(err)
	}
	const points = 4001
	var z [][]float64
	for _, a := range Linspace(0, 1, points) {
		point(m.Params, from, to, a)
		out, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		z = append(z, out)
	}
	total := 0.0
	for i := range 10 {
		unit := func(k int) []float64 {
			v := make([]float64, 3)
			for j := range v {
				v[j] = z[k+1][i*3+j] - z[k][i*3+j]
			}
			scale(1/norm(v), v)
			return v
		}
		for k := range points - 2 {
			a, b := unit(k), unit(k+1)
			axpy(b, -1, a)
			total += 2 * math.Asin(norm(b)/2) / 10
		}
	}
	// The trapezoid rule and the polygon both have errors of the square of their steps.
	if math.Abs(got.Value-total) > 2e-3*total {
		t.Errorf("Gauss length %v, by angles %v", got.Value, total)
	}
}

func TestLine(t *testing.T) {
	m, d := tiny[float64](t)
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	to := make([]float64, len(m.Params))
	loss, err := p.Line(background, m.Params, to, []float64{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	// At zero the three classes are equally likely.
	if loss[0] != want || math.Abs(loss[1]-math.Log(3)) > 1e-12 {
		t.Errorf("losses %v, want %v and log 3", loss, want)
	}
}
