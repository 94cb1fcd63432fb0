package landscape

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestPrincipal(t *testing.T) {
	const n = 3000
	a, b, c := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range [][]float64{a, b, c} {
		normals(v, source(uint64(i), 3))
	}
	basis := orthonormal(nil, [][]float64{a, b, c})
	var points [][]float64
	var sa, sb, sc float64
	for k := range 20 {
		u := 1 - float64(k)/19
		pa, pb, pc := 10*u, 3*math.Sin(6*u), 0.1*math.Cos(20*u)
		if k == 19 {
			pc = 0
		}
		x := make([]float64, n)
		for i := range x {
			x[i] = 1
		}
		axpy(x, pa, basis[0])
		axpy(x, pb, basis[1])
		axpy(x, pc, basis[2])
		points = append(points, x)
		sa, sb, sc = sa+pa*pa, sb+pb*pb, sc+pc*pc
	}
	plane, explained, err := Principal(points)
	if err != nil {
		t.Fatal(err)
	}
	if total := explained[0] + explained[1]; math.Abs(total-(sa+sb)/(sa+sb+sc)) > 1e-3 || explained[0] < explained[1] {
		t.Errorf("explained %v", explained)
	}
	for k, x := range points {
		pa, pb, away, err := plane.Coordinates(x)
		if err != nil {
			t.Fatal(err)
		}
		d := append([]float64(nil), x...)
		axpy(d, -1, plane.Centre)
		if far := norm(d); math.Abs(pa*pa+pb*pb+away*away-far*far) > 1e-9 || away > 0.3 {
			t.Errorf("point %d: coordinates %v, %v, away %v; it is %v from the centre", k, pa, pb, away, far)
		}
	}
	if _, _, err := Principal(points[:2]); err == nil {
		t.Error("two points have a plane")
	}
	if _, _, err := Principal([][]float64{{0, 0}, {1, 1}, {2, 2}, {3, 3}}); err == nil {
		t.Error("points on a line have a plane")
	}
}

func TestRescale(t *testing.T) {
	l := optimizers.Layout{
		{Name: "w", Shape: []int{3, 4}},
		{Name: "b", Shape: []int{4}, Offset: 12, Kind: optimizers.Bias},
		{Name: "k", Shape: []int{2, 3, 2, 2}, Offset: 16},
	}
	x, fresh := make([]float64, l.Size()), make([]float64, l.Size())
	normals(x, source(1, 1))
	normals(fresh, source(1, 2))
	length := func(v []float64, index func(i int) int, n int) float64 {
		sum := 0.0
		for i := range n {
			sum += v[index(i)] * v[index(i)]
		}
		return math.Sqrt(sum)
	}
	for _, s := range []Scaling{ByFilter, ByLayer, ByWeight, Unscaled} {
		for _, keep := range []bool{false, true} {
			d := append([]float64(nil), fresh...)
			if err := Rescale(d, x, l, s, keep); err != nil {
				t.Fatal(err)
			}
			same := func(name string, index func(i int) int, n int) {
				t.Helper()
				if a, b := length(d, index, n), length(x, index, n); math.Abs(a-b) > 1e-8*b {
					t.Errorf("%v, %s: length %v, parameters %v", s, name, a, b)
				}
			}
			switch s {
			case ByFilter:
				for j := range 4 {
					same("column", func(i int) int { return j + 4*i }, 3)
				}
				for j := range 2 {
					same("channel", func(i int) int { return 16 + 12*j + i }, 12)
				}
			case ByLayer:
				same("w", func(i int) int { return i }, 12)
				same("k", func(i int) int { return 16 + i }, 24)
			case ByWeight:
				for i := range d {
					if i < 12 && math.Abs(d[i]) != math.Abs(x[i]) {
						t.Errorf("weight %d: %v of %v", i, d[i], x[i])
					}
				}
			}
			bias := length(d, func(i int) int { return 12 + i }, 4)
			if (bias == 0) != (!keep && s != Unscaled) {
				t.Errorf("%v, keep %v: the bias has length %v", s, keep, bias)
			}
		}
	}
	if _, err := ParseScaling("filtre"); err == nil {
		t.Error("an unknown scaling is accepted")
	}
}

func TestFillGoesOnWhereItStopped(t *testing.T) {
	m, d := tiny[float64](t)
	p, err := At(m, d, 30)
	if err != nil {
		t.Fatal(err)
	}
	a, err := RandomDirection(m.Params, p.Layout, ByFilter, false, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := RandomDirection(m.Params, p.Layout, ByFilter, false, 2)
	if err != nil {
		t.Fatal(err)
	}
	plane := &Plane{Centre: m.Params, A: a, B: b}
	axis := Linspace(-1, 1, 5)
	whole := NewGrid(axis, axis)
	if err := p.Fill(background, whole, plane, nil); err != nil {
		t.Fatal(err)
	}
	_, centre, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	if whole.Loss[12] != centre {
		t.Errorf("loss in the middle %v, at the parameters %v", whole.Loss[12], centre)
	}
	half := NewGrid(axis, axis)
	ctx, cancel := context.WithCancel(background)
	count := 0
	stop := func(int) error {
		if count++; count == 9 {
			cancel()
		}
		return nil
	}
	if err := p.Fill(ctx, half, plane, stop); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	rest := 0
	if err := p.Fill(background, half, plane, func(int) error { rest++; return nil }); err != nil {
		t.Fatal(err)
	}
	if rest != 16 {
		t.Errorf("%d losses of the second run; 9 of 25 were known", rest)
	}
	for i := range whole.Loss {
		if whole.Loss[i] != half.Loss[i] {
			t.Errorf("loss %d: %v and %v", i, whole.Loss[i], half.Loss[i])
		}
	}
}
