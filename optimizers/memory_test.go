package optimizers_test

import (
	"context"
	"math"
	"runtime"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// parabola is |x|²/2 for any number of parameters, as a problem that allocates nothing.
type parabola struct{}

func (p parabola) Batch() optimizers.Sample[float64]            { return p }
func (p parabola) Full() optimizers.Sample[float64]             { return p }
func (p parabola) Draw(int) (optimizers.Sample[float64], error) { return p, nil }
func (p parabola) Has() optimizers.Oracle                       { return ^optimizers.Oracle(0) }
func (p parabola) Len() int                                     { return 1 }
func (p parabola) Linearize([]float64) error                    { return nil }
func (p parabola) HessianMul(dst, v []float64) error            { copy(dst, v); return nil }
func (p parabola) GaussNewtonMul(dst, v []float64) error        { copy(dst, v); return nil }

func (p parabola) Loss(x []float64) (float64, error) {
	f := 0.0
	for _, v := range x {
		f += v * v / 2
	}
	return f, nil
}

func (p parabola) Grad(dst, x []float64) (float64, error) {
	copy(dst, x)
	return p.Loss(x)
}

func (p parabola) SquaredGrads(dst, x []float64) error {
	for i, v := range x {
		dst[i] = v * v
	}
	return nil
}

func (p parabola) StructuralMul(dst, v []float64) error { copy(dst, v); return nil }

func (p parabola) SampledGrad(dst, _ []float64, _ int) error {
	for i := range dst {
		dst[i] = 1
	}
	return nil
}

func (p parabola) ExampleGrads(x []float64, f func(example int, loss float64, g []float64) error) error {
	loss, err := p.Loss(x)
	if err != nil {
		return err
	}
	return f(0, loss, x)
}

// TestMemoryIsWhatInfoSays measures what New and the first steps allocate.
func TestMemoryIsWhatInfoSays(t *testing.T) {
	const n = 1 << 16
	for _, info := range optimizers.Methods() {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Sin(float64(i))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		o, err := optimizers.New[float64](parsed(info.Name)(), optimizers.Flat(n))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := o.Step(context.Background(), x, parabola{}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		got := float64(after.TotalAlloc-before.TotalAlloc) / (8 * n)
		if math.Abs(got-float64(info.Memory)) > 0.2 {
			t.Errorf("%s keeps %.2f numbers for each parameter; Info says %d", info.Name, got, info.Memory)
		}
	}
}
