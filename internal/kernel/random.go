package kernel

import (
	"math"
	"math/bits"
	"unsafe"
)

// What the words of Philox's key grow by from round to round.
const weyl0, weyl1 = 0x9E3779B9, 0xBB67AE85

// Philox is the counter-based generator Philox4x32-10 of Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): four 32-bit words
// from a 128-bit counter and a 64-bit key, with no state between calls.
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for r := range 10 {
		if r > 0 {
			key[0] += weyl0
			key[1] += weyl1
		}
		hi0, lo0 := mul32(0xD2511F53, ctr[0])
		hi1, lo1 := mul32(0xCD9E8D57, ctr[2])
		ctr = [4]uint32{hi1 ^ ctr[1] ^ key[0], lo1, hi0 ^ ctr[3] ^ key[1], lo0}
	}
	return ctr
}

func mul32(a, b uint32) (hi, lo uint32) {
	p := uint64(a) * uint64(b)
	return uint32(p >> 32), uint32(p)
}

// Uniform fills dst with the numbers [at, at+len(dst)) of one row of the stream
// of random numbers that (key, stream, row) names, uniform on [0, 1) in steps
// of 2^-24. key holds 72 bits in three words of 24.
func Uniform[T Float](dst []T, key [3]uint32, stream, row uint32, at int) {
	draw(dst, philoxArgs{}, key, stream, row, at)
}

// DropoutMask fills dst with 1/(1-rate) where [Uniform] gives at least rate, and
// with 0 elsewhere.
func DropoutMask[T Float](dst []T, rate float64, key [3]uint32, stream, row uint32, at int) {
	a := philoxArgs{mask: 1}
	a.rate, a.kept = bitsOf(T(rate)), bitsOf(T(1/(1-rate)))
	draw(dst, a, key, stream, row, at)
}

// philoxArgs are the operands of the generator in assembly.
type philoxArgs struct {
	dst        unsafe.Pointer
	groups     int    // of as many counters as there are lanes of 64 bits
	counter    uint64 // the first
	row        uint64
	stream     uint64
	fourth     uint64     // word of the counter
	rate, kept uint64     // bits of numbers of the type of dst
	mask       int        // 1 for a dropout mask
	keys       [20]uint64 // two words a round
}

// draw is Uniform or DropoutMask.
func draw[T Float](dst []T, a philoxArgs, key [3]uint32, stream, row uint32, at int) {
	k := [2]uint32{key[0] | key[2]<<24, key[1] | key[2]>>8<<24}
	fourth := key[2] >> 16
	group := philoxGroup()
	if group == 0 || len(dst) < group {
		drawGo(dst, &a, k, [3]uint32{row, stream, fourth}, at)
		return
	}
	if head := -at & 3; head > 0 {
		drawGo(dst[:head], &a, k, [3]uint32{row, stream, fourth}, at)
		dst, at = dst[head:], at+head
	}
	a.counter, a.row, a.stream, a.fourth = uint64(uint32(at>>2)), uint64(row), uint64(stream), uint64(fourth)
	for r := range 10 {
		a.keys[2*r], a.keys[2*r+1] = uint64(k[0]), uint64(k[1])
		k[0], k[1] = k[0]+weyl0, k[1]+weyl1
	}
	const most = 64 // groups a call, so that it is short
	for len(dst) >= group {
		a.groups = min(len(dst)/group, most)
		a.dst = unsafe.Pointer(&dst[0])
		callPhilox(&a, sizeof[T]())
		dst = dst[a.groups*group:]
		a.counter += uint64(a.groups * group / 4)
	}
	if len(dst) > 0 {
		var last [32]T
		a.groups, a.dst = 1, unsafe.Pointer(&last[0])
		callPhilox(&a, sizeof[T]())
		copy(dst, last[:])
	}
}

// drawGo is draw one by one. c holds the words of the counter behind the first.
func drawGo[T Float](dst []T, a *philoxArgs, k [2]uint32, c [3]uint32, at int) {
	var rate, kept T
	if a.mask != 0 {
		rate, kept = ofBits[T](a.rate), ofBits[T](a.kept)
	}
	var w [4]uint32
	for i := range dst {
		n := at + i
		if i == 0 || n&3 == 0 {
			w = Philox([4]uint32{uint32(n >> 2), c[0], c[1], c[2]}, k)
		}
		u := T(w[n&3]>>8) * (1.0 / (1 << 24))
		if a.mask != 0 {
			if u >= rate {
				u = kept
			} else {
				u = 0
			}
		}
		dst[i] = u
	}
}

// bitsOf and ofBits are a number's bits.
func bitsOf[T Float](x T) uint64 {
	if sizeof[T]() == 4 {
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(float64(x))
}

func ofBits[T Float](b uint64) T {
	if sizeof[T]() == 4 {
		return T(math.Float32frombits(uint32(b)))
	}
	return T(math.Float64frombits(b))
}

// Mix hashes words to 72 bits, in three words of 24, for use as the key of
// [Uniform]: distinct inputs give unrelated keys.
func Mix(words ...uint64) [3]uint32 {
	h := uint64(0x9E3779B97F4A7C15)
	for _, w := range words {
		h = mix64(bits.RotateLeft64(h, 27) ^ w)
	}
	g := mix64(h + 0x9E3779B97F4A7C15)
	return [3]uint32{uint32(h) & 0xFFFFFF, uint32(h>>24) & 0xFFFFFF, uint32(g) & 0xFFFFFF}
}

// mix64 is the finaliser of splitmix64.
func mix64(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
