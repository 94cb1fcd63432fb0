package experiments

import "math"

// numpy draws the numbers of numpy.random.RandomState, with which authors have made
// their data: the Mersenne Twister MT19937 of Matsumoto and Nishimura (1998),
// seeded as there, and normal numbers by Marsaglia's polar method.
type numpy struct {
	state  [624]uint32
	at     int
	normal float64 // the second one of a pair
	has    bool
}

func newNumpy(seed uint32) *numpy {
	r := &numpy{at: len(numpy{}.state)}
	r.state[0] = seed
	for i := 1; i < len(r.state); i++ {
		last := r.state[i-1]
		r.state[i] = 1812433253*(last^last>>30) + uint32(i)
	}
	return r
}

// word is the next 32 bits.
func (r *numpy) word() uint32 {
	const n, m = 624, 397
	if r.at == n {
		for i := range n {
			y := r.state[i]&0x80000000 | r.state[(i+1)%n]&0x7fffffff
			r.state[i] = r.state[(i+m)%n] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		r.at = 0
	}
	y := r.state[r.at]
	r.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// float is uniform in [0, 1), with 53 bits.
func (r *numpy) float() float64 {
	a, b := r.word()>>5, r.word()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// randn is a standard normal number.
func (r *numpy) randn() float64 {
	if r.has {
		r.has = false
		return r.normal
	}
	for {
		x, y := 2*r.float()-1, 2*r.float()-1
		if s := x*x + y*y; s < 1 && s != 0 {
			f := math.Sqrt(-2 * math.Log(s) / s)
			r.normal, r.has = f*x, true
			return f * y
		}
	}
}

// randint is uniform in 0 to n-1.
func (r *numpy) randint(n uint32) int {
	mask := n - 1
	for shift := 1; shift < 32; shift *= 2 {
		mask |= mask >> shift
	}
	for {
		if v := r.word() & mask; v < n {
			return int(v)
		}
	}
}
