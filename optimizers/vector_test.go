package optimizers

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDotAndNormOverLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 20 {
		a, b := randoms(r, n), randoms(r, n)
		single := make([]float32, n)
		want, squares, singles := 0.0, 0.0, 0.0
		for i := range a {
			want += a[i] * b[i]
			squares += a[i] * a[i]
			single[i] = float32(a[i])
			singles += float64(single[i]) * float64(single[i])
		}
		if got := dot(a, b); math.Abs(got-want) > 1e-13 {
			t.Errorf("length %d: dot %v, want %v", n, got, want)
		}
		if got := norm(a); math.Abs(got-math.Sqrt(squares)) > 1e-13 {
			t.Errorf("length %d: norm %v, want %v", n, got, math.Sqrt(squares))
		}
		if got := norm(single); math.Abs(got-math.Sqrt(singles)) > 1e-13 {
			t.Errorf("length %d: norm in float32 %v, want %v", n, got, math.Sqrt(singles))
		}
	}
}

func TestNormAtTheEndsOfTheRange(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		v    []float64
		want float64
	}{
		{nil, 0}, {[]float64{0, 0}, 0}, {[]float64{3e200, 4e200}, 5e200}, {[]float64{3e-200, -4e-200}, 5e-200},
		{[]float64{1e-300, 1}, 1}, {[]float64{1, inf}, inf}, {[]float64{-inf, 1}, inf}, {[]float64{1, nan}, nan}, {[]float64{inf, nan}, nan},
	} {
		if got := norm(c.v); math.Abs(got-c.want) > 1e-15*c.want && got != c.want || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("norm of %v is %v, want %v", c.v, got, c.want)
		}
	}
	if got := norm([]float32{3e38, 3e38}); math.IsInf(got, 0) {
		t.Error("the norm of a finite float32 vector is infinite")
	}
}

func TestVectorUpdates(t *testing.T) {
	a := []float64{1, 2, 3}
	axpy(a, 2, []float64{1, 0, -1})
	if a[0] != 3 || a[1] != 2 || a[2] != 1 {
		t.Errorf("axpy gives %v", a)
	}
	scale(a, 0.5)
	if a[0] != 1.5 || a[1] != 1 || a[2] != 0.5 {
		t.Errorf("scale gives %v", a)
	}
	b := make([]float64, 3)
	addScaled(b, a, -1, []float64{1, 1, 1})
	if b[0] != 0.5 || b[1] != 0 || b[2] != -0.5 {
		t.Errorf("addScaled gives %v", b)
	}
	if epsilon[float32]() != float64(math.Nextafter32(1, 2)-1) || epsilon[float64]() != math.Nextafter(1, 2)-1 {
		t.Error("epsilon is not that of the type")
	}
}
