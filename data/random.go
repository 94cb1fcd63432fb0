package data

import (
	"math"
	"math/bits"
)

// random is the SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014). It is written out here, with the
// shuffle, so that an order of examples never changes with a version of Go.
type random struct {
	state uint64
	spare float64 // second normal of a pair
	has   bool
}

// use keeps the streams of one seed apart: an epoch's order says nothing about a sample or a split.
type use uint64

const (
	useEpoch use = 1 + iota
	useSample
	useSplit
	useCentres
	useNoise
)

const gamma = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio, odd

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// newRandom is the stream determined by a seed, a use and a counter.
func newRandom(seed uint64, u use, counter uint64) *random {
	h := mix(seed + gamma)
	h = mix(h + gamma + uint64(u))
	h = mix(h + gamma + counter)
	return &random{state: h}
}

func (r *random) next() uint64 {
	r.state += gamma
	return mix(r.state)
}

// below is uniform over 0 to n-1, exactly: products that would favour small numbers are drawn again
// (Lemire, ACM TOMACS 2019).
func (r *random) below(n int) int {
	hi, lo := bits.Mul64(r.next(), uint64(n))
	if lo < uint64(n) {
		for least := -uint64(n) % uint64(n); lo < least; {
			hi, lo = bits.Mul64(r.next(), uint64(n))
		}
	}
	return int(hi)
}

// normal is standard normal, by the polar method of Marsaglia.
func (r *random) normal() float64 {
	if r.has {
		r.has = false
		return r.spare
	}
	for {
		u := float64(r.next()>>11)*0x1p-52 - 1
		v := float64(r.next()>>11)*0x1p-52 - 1
		s := float64(u*u) + float64(v*v)
		if s >= 1 || s == 0 {
			continue
		}
		f := math.Sqrt(-2 * math.Log(s) / s)
		r.spare, r.has = v*f, true
		return u * f
	}
}

// shuffle is the Fisher-Yates shuffle: every order is equally likely.
func (r *random) shuffle(p []int) {
	for i := len(p) - 1; i > 0; i-- {
		j := r.below(i + 1)
		p[i], p[j] = p[j], p[i]
	}
}

// subset sets k of the first n bits of in, which are clear: every choice is equally likely (Floyd's algorithm,
// Bentley, CACM 1987).
func (r *random) subset(in []uint64, k, n int) {
	for top := n - k; top < n; top++ {
		i := r.below(top + 1)
		if in[i>>6]>>(i&63)&1 == 1 {
			i = top
		}
		in[i>>6] |= 1 << (i & 63)
	}
}
