package experiments

import (
	"math"
	"math/bits"
)

// numpyGenerator draws the numbers of numpy.random.default_rng(seed): PCG64, the
// 128-bit congruential generator of O'Neill (2014) with its output XSL-RR, seeded as
// there.
type numpyGenerator struct {
	high, low       uint64 // the state
	addHigh, addLow uint64
	half            uint32 // the upper half of a number of which word has given the lower
	has             bool
}

func newNumpyGenerator(seed uint64) *numpyGenerator {
	words := seedSequence(seed)
	g := &numpyGenerator{addHigh: words[2]<<1 | words[3]>>63, addLow: words[3]<<1 | 1}
	g.advance()
	var carry uint64
	g.low, carry = bits.Add64(g.low, words[1], 0)
	g.high, _ = bits.Add64(g.high, words[0], carry)
	g.advance()
	return g
}

// seedSequence spreads a seed over four words by the hash of numpy.random.SeedSequence,
// which mixes every part of a pool of four into every other.
func seedSequence(seed uint64) (words [4]uint64) {
	factor := uint32(0x43b0d7e5)
	hash := func(v, grow uint32) uint32 {
		v ^= factor
		factor *= grow
		v *= factor
		return v ^ v>>16
	}
	pool := [4]uint32{uint32(seed), uint32(seed >> 32)}
	for i := range pool {
		pool[i] = hash(pool[i], 0x931e8875)
	}
	for from := range pool {
		for to := range pool {
			if from != to {
				v := 0xca01f9dd*pool[to] - 0x4973f715*hash(pool[from], 0x931e8875)
				pool[to] = v ^ v>>16
			}
		}
	}
	factor = 0x8b51f9dd
	for i := range 8 {
		words[i/2] |= uint64(hash(pool[i%4], 0x58f38ded)) << (i % 2 * 32)
	}
	return words
}

func (g *numpyGenerator) advance() {
	const high, low = 2549297995355413924, 4865540595714422341
	carry, l := bits.Mul64(g.low, low)
	h := carry + g.high*low + g.low*high
	l, c := bits.Add64(l, g.addLow, 0)
	g.high, _ = bits.Add64(h, g.addHigh, c)
	g.low = l
}

// long is the next 64 bits.
func (g *numpyGenerator) long() uint64 {
	g.advance()
	return bits.RotateLeft64(g.high^g.low, -int(g.high>>58))
}

// word is the next 32 bits: two of them are one of 64.
func (g *numpyGenerator) word() uint32 {
	if g.has {
		g.has = false
		return g.half
	}
	v := g.long()
	g.half, g.has = uint32(v>>32), true
	return uint32(v)
}

// Float64 is uniform in [0, 1), with 53 bits.
func (g *numpyGenerator) Float64() float64 { return float64(g.long()>>11) / (1 << 53) }

// IntN is uniform in 0 to n-1, for n up to 2³², by the multiplication of Lemire (2019).
func (g *numpyGenerator) IntN(n int) int {
	if n == 1 {
		return 0
	}
	m := uint64(g.word()) * uint64(n)
	if uint32(m) < uint32(n) {
		for least := -uint32(n) % uint32(n); uint32(m) < least; {
			m = uint64(g.word()) * uint64(n)
		}
	}
	return int(m >> 32)
}

// choose puts a uniform sample without replacement at the end of all, which it sets to
// 0, 1, ... first, as choice does for more than 10,000 numbers and a sample of more
// than a 50th of them.
func (g *numpyGenerator) choose(all []int32, sample int) []int32 {
	for i := range all {
		all[i] = int32(i)
	}
	first := len(all) - sample
	for i := len(all) - 1; i >= max(first, 1); i-- {
		j := g.IntN(i + 1)
		all[i], all[j] = all[j], all[i]
	}
	return all[first:]
}

// NormFloat64 is a standard normal number, by the ziggurat of Marsaglia and Tsang
// (2000) with 256 layers.
func (g *numpyGenerator) NormFloat64() float64 {
	z := &normalZiggurat
	for {
		v := g.long()
		layer := v & 0xff
		size := v >> 9 & (1<<52 - 1)
		x := float64(size) * z.width[layer]
		if v>>8&1 == 1 {
			x = -x
		}
		if size < z.inside[layer] {
			return x
		}
		if layer > 0 {
			if (z.height[layer-1]-z.height[layer])*g.Float64()+z.height[layer] < math.Exp(-x*x/2) {
				return x
			}
			continue
		}
		for {
			x := -math.Log1p(-g.Float64()) / zigguratEdge
			y := -math.Log1p(-g.Float64())
			if 2*y > x*x {
				if size>>8&1 == 1 {
					return -zigguratEdge - x
				}
				return zigguratEdge + x
			}
		}
	}
}

// zigguratEdge is where the lowest layer of the ziggurat ends and the tail begins.
const zigguratEdge = 3.6541528853610087963519472518

// ziggurat is layers of one area under exp(-x²/2): how wide they are over 2⁵², how many
// of the 2⁵² places are surely inside, and the density at their outer edge.
type ziggurat struct {
	width, height [256]float64
	inside        [256]uint64
}

var normalZiggurat = func() (z ziggurat) {
	const places = 1 << 52
	density := func(x float64) float64 { return math.Exp(-x * x / 2) }
	tail := math.Sqrt(math.Pi/2) * math.Erfc(zigguratEdge/math.Sqrt2)
	area := zigguratEdge*density(zigguratEdge) + tail
	lowest := area / density(zigguratEdge)
	z.width[0], z.height[0], z.inside[0] = lowest/places, 1, uint64(zigguratEdge/lowest*places)
	x := zigguratEdge
	for i := 255; i > 0; i-- {
		z.width[i], z.height[i] = x/places, density(x)
		inner := math.Sqrt(-2 * math.Log(min(1, area/x+density(x))))
		if i > 1 {
			z.inside[i] = uint64(inner / x * places)
		}
		x = inner
	}
	return z
}()
