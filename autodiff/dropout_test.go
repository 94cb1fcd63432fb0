package autodiff_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// TestDropoutMasks: a mask is a function of seed, step, stream and place.
func TestDropoutMasks(t *testing.T) {
	mask := func(rows, first int, seed, step uint64, stream uint32) []float64 {
		g := gorgonia.NewGraph()
		b := ops.NewBuilder(g, tensor.Float64)
		y := b.Dropout(b.Fill(1, rows, 5), 0.5, b.Key(), stream)
		p, err := autodiff.Compile[float64]([]*node{y}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Seed(seed, step, first)
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		return p.Output(0)
	}
	whole := mask(8, 0, 1, 2, 3)
	same(t, "again", mask(8, 0, 1, 2, 3), whole)
	same(t, "in two slices", append(mask(3, 0, 1, 2, 3), mask(5, 3, 1, 2, 3)...), whole)
	for name, other := range map[string][]float64{
		"seed": mask(8, 0, 2, 2, 3), "step": mask(8, 0, 1, 3, 3), "stream": mask(8, 0, 1, 2, 4),
	} {
		equal := 0
		for i := range whole {
			if whole[i] == other[i] {
				equal++
			}
		}
		if equal < 5 || equal > 35 { // of 40: ten standard deviations of independent masks
			t.Errorf("another %s: %d of 40 elements are the same", name, equal)
		}
	}
}

// maskOf is the mask of a dropout of rate 0.3 over images, on that many workers.
func maskOf[T exec.Float](t *testing.T, dt tensor.Dtype, rows, first, workers int) []T {
	t.Helper()
	b := ops.NewBuilder(gorgonia.NewGraph(), dt)
	y := b.Dropout(b.Fill(1, rows, 3, 20, 20), 0.3, b.Key(), 3)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	p, err := autodiff.CompileWith[T]([]*node{y}, nil, nil, exec.Options{Pool: parallel.New(workers)})
	if err != nil {
		t.Fatal(err)
	}
	p.Seed(7, 9, first)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	return p.Output(0)
}

// TestMasksDoNotDependOnHowTheyAreMade: a mask large enough to be cut into pieces
// is the same on 1, 2 and 16 workers and in a batch of any split, in either
// precision.
func TestMasksDoNotDependOnHowTheyAreMade(t *testing.T) {
	const rows = 64
	masksOf[float32](t, tensor.Float32, rows)
	masksOf[float64](t, tensor.Float64, rows)
	single, double := maskOf[float32](t, tensor.Float32, rows, 0, 1), maskOf[float64](t, tensor.Float64, rows, 0, 1)
	differ := 0
	for i := range single {
		if (single[i] == 0) != (double[i] == 0) {
			differ++
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d elements are dropped in one precision alone", differ, len(single))
	}
}

func masksOf[T exec.Float](t *testing.T, dt tensor.Dtype, rows int) {
	t.Helper()
	want := maskOf[T](t, dt, rows, 0, 1)
	dropped := 0
	for _, v := range want {
		if v == 0 {
			dropped++
		} else if math.Abs(float64(v)-1/0.7) > 1e-7 {
			t.Fatalf("an element is %v, want 0 or 1/0.7", v)
		}
	}
	// Five standard deviations of a binomial share.
	if n := float64(len(want)); math.Abs(float64(dropped)-0.3*n) > 5*math.Sqrt(0.3*0.7*n) {
		t.Errorf("%d of %v elements are dropped, want 0.3", dropped, n)
	}
	for _, workers := range []int{1, 2, 16} {
		for _, split := range [][]int{{rows}, {1, rows - 1}, {rows / 2, rows / 2}, {10, 20, 3, rows - 33}} {
			var got []T
			for _, n := range split {
				got = append(got, maskOf[T](t, dt, n, len(got)/1200, workers)...)
			}
			for i, v := range want {
				if got[i] != v {
					t.Fatalf("%T, %d workers, rows %v: element %d is %v, in one piece on one worker %v", v, workers, split, i, got[i], v)
				}
			}
		}
	}
}
