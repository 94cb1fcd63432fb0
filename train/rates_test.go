package train

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// minimum is the least value of regularised logistic regression of d, by Newton's
// method on the sparse rows, and how far it is off at most: f is l2-strongly
// convex, so that f - f* is at most |g|²/(2 l2).
func minimum(t *testing.T, d *data.LIBSVM, l2 float64) (least, off float64) {
	t.Helper()
	n, size := d.Len(), d.Shape()[0]
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	y := make([]float64, n)
	if err := d.Read64(nil, y, index); err != nil {
		t.Fatal(err)
	}
	x := mat.NewVecDense(size, nil)
	for range 20 {
		g, h := mat.NewVecDense(size, nil), mat.NewSymDense(size, nil)
		least = 0
		for i := range n {
			at, value := d.Row(i)
			z := 0.0
			for e, j := range at {
				z += value[e] * x.AtVec(int(j))
			}
			f, first, second, _ := logisticTerm(z, y[i])
			least += f / float64(n)
			for e, j := range at {
				g.SetVec(int(j), g.AtVec(int(j))+first*value[e]/float64(n))
				for k, l := range at[e:] {
					h.SetSym(int(j), int(l), h.At(int(j), int(l))+second*value[e]*value[e+k]/float64(n))
				}
			}
		}
		least += l2 / 2 * mat.Dot(x, x)
		g.AddScaledVec(g, l2, x)
		if off = mat.Dot(g, g) / (2 * l2); off < 1e-20 {
			return least, off
		}
		for j := range size {
			h.SetSym(j, j, h.At(j, j)+l2)
		}
		var factor mat.Cholesky
		var step mat.VecDense
		if !factor.Factorize(h) {
			t.Fatal("the Hessian is not positive definite")
		}
		if err := factor.SolveVecTo(&step, g); err != nil {
			t.Fatal(err)
		}
		x.SubVec(x, &step)
	}
	t.Fatalf("Newton's method stays %v off", off)
	return 0, 0
}

// line fits a + b i to the logarithms of gaps, and gives b and the largest distance
// from the line.
func line(gaps []float64) (slope, off float64) {
	n := float64(len(gaps))
	var si, sy, sii, siy float64
	for i, v := range gaps {
		x, y := float64(i), math.Log10(v)
		si, sy, sii, siy = si+x, sy+y, sii+x*x, siy+x*y
	}
	slope = (n*siy - si*sy) / (n*sii - si*si)
	start := (sy - slope*si) / n
	for i, v := range gaps {
		off = max(off, math.Abs(math.Log10(v)-start-slope*float64(i)))
	}
	return slope, off
}

// TestVarianceReductionConvergesLinearly trains regularised logistic regression of
// a9a from 0 with constant rates, in float64: SVRG, SARAH and SAGA come within
// 1e-10 of the minimum along a straight line on a logarithmic axis, where SGD with
// the same minibatches stalls at the level of its noise. With l2 = 0.01 the
// condition number is 160 and the theory's rates are limited by the passes over the
// data, of which SVRG and SARAH take three an epoch and SAGA one.
func TestVarianceReductionConvergesLinearly(t *testing.T) {
	const l2 = 0.01
	d, err := data.A9A()
	if err != nil {
		t.Fatal(err)
	}
	least, off := minimum(t, d, l2)
	t.Logf("the minimum is %.15f, less at most %.1e", least, off)
	run := func(spec string, epochs int) []float64 {
		net, loss, err := nn.ByName("logistic:l2=0.01", d.Shape(), 2)
		if err != nil {
			t.Fatal(err)
		}
		m, err := nn.Build[float64](net, loss, d.Shape(), 1)
		if err != nil {
			t.Fatal(err)
		}
		h := mustFit(t, m, d, Config{Optimizer: parse(t, spec), Epochs: epochs, Batch: 64, Seed: 1, Probe: d})
		var gaps []float64
		for _, r := range h.Rows {
			gaps = append(gaps, r.Probe.Loss-least)
		}
		return gaps
	}
	for _, c := range []struct {
		spec   string
		epochs int
		from   int     // the first epoch of the line: SARAH leaves the start badly
		least  float64 // decades an epoch
	}{
		{"svrg:lr=1", 7, 1, 1.2},
		{"sarah:lr=1", 7, 1, 1.2},
		{"saga:lr=1", 15, 2, 0.7},
	} {
		gaps := run(c.spec, c.epochs) // which end before rounding, 1e-15, has a say
		slope, off := line(gaps[c.from:])
		t.Logf("%s: %.2f decades an epoch, at most %.2f from the line; gaps %.1e", c.spec, -slope, off, gaps)
		if last := gaps[len(gaps)-1]; !(math.Abs(last) <= 1e-10) {
			t.Errorf("%s: %v above the minimum after %d epochs, want 1e-10", c.spec, last, c.epochs)
		}
		// A minibatch method does not fall evenly: a decade either way, of ten.
		if !(-slope >= c.least) || !(off <= 1) {
			t.Errorf("%s: %.2f decades an epoch, want %.1f; %.2f from a line, want at most 1 (gaps %.1e)", c.spec, -slope, c.least, off, gaps)
		}
	}
	for _, spec := range []string{"sgd:lr=1", "sgd:lr=0.1"} {
		gaps := run(spec, 12)
		best := math.Inf(1)
		for _, g := range gaps {
			best = min(best, g)
		}
		slope, _ := line(gaps[2:])
		t.Logf("%s: %.2f decades an epoch, never below %.1e; gaps %.1e", spec, -slope, best, gaps)
		if best < 1e-6 || -slope > 0.1 {
			t.Errorf("%s does not stall: gaps %.1e", spec, gaps)
		}
	}
}
