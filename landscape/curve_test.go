package landscape

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// ring is a valley around the unit circle: (|x| - 1)².
type ring struct{}

func (ring) Loss(x []float64) (float64, error) {
	r := math.Hypot(x[0], x[1]) - 1
	return r * r, nil
}

func (r ring) Grad(dst, x []float64) (float64, error) {
	length := math.Hypot(x[0], x[1])
	for i := range dst {
		dst[i] = 2 * (length - 1) * x[i] / length
	}
	return r.Loss(x)
}

// here is a loss that is the same everywhere on a curve.
func (r ring) here(float64) optimizers.Objective[float64] { return r }

// Between two points of a ring a trained curve goes around where the line goes
// across, and its control point is where a scan finds the lowest mean loss.
func TestCurveAroundARing(t *testing.T) {
	a, b := []float64{math.Cos(math.Pi / 6), 0.5}, []float64{-math.Cos(math.Pi / 6), 0.5}
	at := Linspace(0, 1, 201)
	mean := func(c *Curve) float64 {
		loss, err := AlongCurve(background, ring{}.here, c, at)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range loss {
			sum += v
		}
		return sum / float64(len(loss))
	}
	for _, kind := range []CurveKind{Bezier, Polygon} {
		c, err := TrainCurve(background, ring{}.here, kind, a, b, CurveOptions{Steps: 5000, LR: 0.05, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		loss, err := AlongCurve(background, ring{}.here, c, at)
		if err != nil {
			t.Fatal(err)
		}
		line, err := AlongCurve(background, ring{}.here, &Curve{Polygon, a, []float64{0, 0.5}, b}, at)
		if err != nil {
			t.Fatal(err)
		}
		curved, _ := Barrier(at, loss)
		straight, _ := Barrier(at, line)
		best := math.Inf(1)
		for y := 0.5; y < 2; y += 0.002 {
			best = min(best, mean(&Curve{kind, a, []float64{0, y}, b}))
		}
		t.Logf("%v: control %.4v, barrier %.4g, straight %.4g, mean loss %.6g, lowest %.6g", kind, c.C, curved, straight, mean(c), best)
		if math.Abs(straight-0.25) > 1e-12 || !(curved < 0.1*straight) {
			t.Errorf("%v: barrier %v, of the line %v, which is 1/4", kind, curved, straight)
		}
		if !(mean(c) < 1.02*best) {
			t.Errorf("%v: mean loss %v; a scan finds %v", kind, mean(c), best)
		}
	}
	if _, err := ParseCurve("beziér"); err == nil {
		t.Error("an unknown curve is no error")
	}
}
