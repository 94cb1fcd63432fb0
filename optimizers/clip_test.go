package optimizers_test

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// TestClipShortensTheStep takes one step of gradient descent, whose length is the rate times the gradient's.
func TestClipShortensTheStep(t *testing.T) {
	b := newBowl(3, 4)
	x := []float64{11, -1}
	g := make([]float64, 2)
	b.G(g, x)
	length := math.Hypot(g[0], g[1])
	for _, most := range []float64{length / 100, length / 2, length * 2} {
		r, err := optimizers.Minimize(context.Background(), &b.Func, x, &optimizers.Clip{Norm: most, Of: &optimizers.SGD{LR: 0.5}}, optimizers.Until{Steps: 1})
		if err != nil {
			t.Fatal(err)
		}
		share := min(1, most/(length+1e-6))
		for i, v := range r.X {
			if want := x[i] - 0.5*share*g[i]; math.Abs(v-want) > 1e-14*length {
				t.Errorf("norm %v: parameter %d is %v, want %v", most, i, v, want)
			}
		}
		if math.Abs(r.Last.GradNorm-length) > 1e-14*length {
			t.Errorf("norm %v: reported gradient norm %v, want %v", most, r.Last.GradNorm, length)
		}
	}
}

// TestClipPassesOnWhatItDoesNotClip has a method that needs everything, under a clip too long to matter.
func TestClipPassesOnWhatItDoesNotClip(t *testing.T) {
	spec := "hf:precondition=squares,hessian,objective=full,curvature=10"
	bare, under := opttest.NewExamples[float64](), opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](parsed(spec)(), bare.Layout())
	if err != nil {
		t.Fatal(err)
	}
	c, err := optimizers.New[float64](parsed(spec+"+clip:norm=1e9")(), under.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x, y := bare.Start(), under.Start()
	for k := range 5 {
		bare.At(k)
		under.At(k)
		if r, s := step(t, o, x, optimizers.Problem[float64](bare)), step(t, c, y, optimizers.Problem[float64](under)); r != s {
			t.Errorf("step %d: %+v, under a clip %+v", k, r, s)
		}
	}
}
