package experiments

import (
	"math"
	"testing"
)

// The numbers are those of numpy 2:
//
//	numpy.random.seed(0); x = numpy.random.randn(80, 200); t = numpy.random.randn(1000, 200); numpy.random.randn(3)
//	numpy.random.seed(1); [numpy.random.randint(80) for _ in range(12)]
func TestNumbersOfNumpy(t *testing.T) {
	r := newNumpy(0)
	x := make([]float64, 216_003)
	for i := range x {
		x[i] = r.randn()
	}
	for at, want := range map[int]float64{0: 1.76405235, 1: 0.40015721, 3: 2.2408932, 15_999: -0.10630248751464731,
		16_000: -1.96265255, 215_999: 0.8045543528680955, 216_000: -1.08455087, 216_002: -1.02784732} {
		if math.Abs(x[at]-want) > 1e-8 {
			t.Errorf("number %d is %v, want %v", at, x[at], want)
		}
	}
	r = newNumpy(1)
	for i, want := range []int{37, 12, 72, 9, 75, 5, 79, 64, 16, 1, 76, 71} {
		if got := r.randint(80); got != want {
			t.Errorf("draw %d is %d, want %d", i, got, want)
		}
	}
}
