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

// The numbers are those of numpy 2:
//
//	g = numpy.random.default_rng(1234); x = g.standard_normal(200000)
//	g = numpy.random.default_rng(1234); [g.choice(32561, 1629, replace=False) for _ in range(2)]
//	numpy.random.PCG64(5).random_raw(3); numpy.random.default_rng(2).random(3)
func TestNumbersOfNumpyGenerator(t *testing.T) {
	g := newNumpyGenerator(5)
	for i, want := range []uint64{0xce14abeeabb8e5a8, 0xced5352505cc99f5, 0x83ec603f7806adc0} {
		if got := g.long(); got != want {
			t.Errorf("word %d is %x, want %x", i, got, want)
		}
	}
	g = newNumpyGenerator(2)
	for i, want := range []float64{0.2616121342493164, 0.2984911434141233, 0.8142257405942803} {
		if got := g.Float64(); got != want {
			t.Errorf("uniform number %d is %v, want %v", i, got, want)
		}
	}
	g = newNumpyGenerator(1234)
	x := make([]float64, 200_000) // 53 of them are in the tail
	for i := range x {
		x[i] = g.NormFloat64()
	}
	for at, want := range map[int]float64{0: -1.6038368053963015, 1: 0.06409991400376411, 2: 0.7408912958767259, 122: 0.4378622828632743,
		57_594: 4.422589550445254, 99_999: 0.2633533912437126, 199_999: -0.8220449796223396} {
		if math.Abs(x[at]-want) > 1e-14 {
			t.Errorf("normal number %d is %v, want %v", at, x[at], want)
		}
	}
	g = newNumpyGenerator(1234)
	all := make([]int32, 32561)
	for i, want := range []struct {
		first, last [4]int32
		sum         int
	}{{[4]int32{8857, 7759, 27277, 17291}, [4]int32{12378, 32166, 31801, 31888}, 26609974}, {[4]int32{27986, 30732, 24592, 30811}, [4]int32{17584, 5882, 30632, 1400}, 26968883}} {
		got := g.choose(all, 1629)
		sum := 0
		for _, v := range got {
			sum += int(v)
		}
		if [4]int32(got[:4]) != want.first || [4]int32(got[1625:]) != want.last || sum != want.sum {
			t.Errorf("sample %d is %v … %v with sum %d, want %v … %v with %d", i, got[:4], got[1625:], sum, want.first, want.last, want.sum)
		}
	}
}
