package optimizers

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestInverseByHalves compares inverses with those of gonum's Cholesky decomposition, for sizes on both sides of where
// matrices are halved, and refuses matrices that are not positive definite wherever that shows.
func TestInverseByHalves(t *testing.T) {
	s := newSPD()
	for _, n := range []int{1, 2, spdLeaf - 1, spdLeaf, spdLeaf + 1, 2*spdLeaf + 3, 4*spdLeaf + 1, 211} {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		rows := mat.NewDense(n+3, n, nil)
		for i := range n + 3 {
			for j := range n {
				rows.Set(i, j, r.NormFloat64())
			}
		}
		a := mat.NewSymDense(n, nil)
		a.SymOuterK(1/float64(n), rows.T())
		for i := range n {
			a.SetSym(i, i, a.At(i, i)+0.1)
		}
		var c mat.Cholesky
		var want mat.SymDense
		if !c.Factorize(a) || c.InverseTo(&want) != nil {
			t.Fatal("gonum does not invert it")
		}
		got := append([]float64{}, mat.DenseCopyOf(a).RawMatrix().Data...)
		if !s.invert(got, n) {
			t.Fatalf("a matrix of %d is said not to be positive definite", n)
		}
		scale, e, skew := 0.0, 0.0, 0.0
		for i := range n {
			for j := range n {
				scale = math.Max(scale, math.Abs(want.At(i, j)))
				e = math.Max(e, math.Abs(got[i*n+j]-want.At(i, j)))
				skew = math.Max(skew, math.Abs(got[i*n+j]-got[j*n+i]))
			}
		}
		// The condition is below 100, so that a few hundred roundings are at most 1e-12.
		if !(e <= 1e-12*scale) || !(skew <= 1e-13*scale) {
			t.Errorf("the inverse of a matrix of %d is %.2g apart, and %.2g from symmetric", n, e/scale, skew/scale)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			bad := append([]float64{}, mat.DenseCopyOf(a).RawMatrix().Data...)
			bad[i*n+i] = -1
			if s.invert(bad, n) {
				t.Errorf("a matrix of %d with -1 at %d was inverted", n, i)
			}
		}
	}
}

func TestInverseAllocatesNothing(t *testing.T) {
	const n = 150
	s, a, w := newSPD(), make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		a[i*n+i] = 2
	}
	run := func() {
		copy(w, a)
		s.invert(w, n)
	}
	run()
	if got := testing.AllocsPerRun(5, run); got > 0 {
		t.Errorf("an inverse allocates %v times", got)
	}
}
