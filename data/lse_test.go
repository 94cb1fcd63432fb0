package data

import (
	"math"
	"testing"
)

func TestLogSumExpHasItsMinimumAt0(t *testing.T) {
	const n, d = 300, 7
	for _, rho := range []float64{0.05, 0.25, 3} {
		s := must(LogSumExp(n, d, rho, 4))
		a, b := inputs[float64](t, s), targets(t, s)
		grad, sum := make([]float64, d), 0.0
		for i, v := range b {
			p := math.Exp(-v/rho - 200)
			sum += p
			for j := range grad {
				grad[j] += p * a[i*d+j]
			}
		}
		for j, g := range grad {
			if math.Abs(g/sum) > 1e-14 { // a weighted mean of numbers around 1
				t.Errorf("rho %v: the gradient at 0 has element %d at %v", rho, j, g/sum)
			}
		}
		mean, std := plainMoments(b, 1, 1)
		if math.Abs(mean[0]+1) > 4/math.Sqrt(n) || math.Abs(std[0]-1) > 4/math.Sqrt(2*n) {
			t.Errorf("targets have mean %v and standard deviation %v", mean[0], std[0])
		}
		// Without the shift, which is common, they are uniform on (-1, 1).
		_, std = plainMoments(a, 1, 1)
		shifts := 0.0
		for j := range d {
			m := 0.0
			for i := range n {
				m += a[i*d+j] / n
			}
			shifts += m * m / d
		}
		if v := std[0]*std[0] - shifts; math.Abs(v-1.0/3) > 0.03 {
			t.Errorf("inputs have variance %v around their means, want 1/3", v)
		}
	}
	_, err := LogSumExp(3, 2, 0, 1)
	wantError(t, err, "rho 0")
	_, err = LogSumExp(0, 2, 1, 1)
	wantError(t, err, "0 examples")
	_, err = LogSumExp(3, 0, 1, 1)
	wantError(t, err, "shape [0]")
}
