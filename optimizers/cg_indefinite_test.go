package optimizers

import (
	"context"
	"testing"
)

// A preconditioner that is not positive definite ends the iterations where that shows, at a finite iterate.
func TestCGTellsAnIndefinitePreconditioner(t *testing.T) {
	a := func(dst, v []float64) error { dst[0], dst[1] = v[0], 10*v[1]; return nil }
	m := func(dst, v []float64) error { dst[0], dst[1] = v[0], -v[1]; return nil }
	for _, c := range []struct {
		g          []float64
		stop       string
		iterations int
	}{
		{[]float64{1, 2}, StopIndefinite, 0}, // r'Mr = -3
		{[]float64{2, 1}, StopIndefinite, 1}, // 3, and then below 0
		{[]float64{3, 0}, StopResidual, 1},
	} {
		s := make([]float64, 2)
		var cg CG[float64]
		res, err := cg.Solve(context.Background(), a, m, c.g, s)
		if err != nil || res.Stop != c.stop || res.Iterations != c.iterations || !finite(norm(s)) {
			t.Errorf("gradient %v: %+v at %v, %v; want %s after %d iterations", c.g, res, s, err, c.stop, c.iterations)
		}
	}
}
