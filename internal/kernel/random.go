package kernel

import "math/bits"

// Philox is the counter-based generator Philox4x32-10 of Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): four 32-bit words
// from a 128-bit counter and a 64-bit key, with no state between calls.
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for r := range 10 {
		if r > 0 {
			key[0] += 0x9E3779B9
			key[1] += 0xBB67AE85
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
	k := [2]uint32{key[0] | key[2]<<24, key[1] | key[2]>>8<<24}
	var w [4]uint32
	for i := range dst {
		n := at + i
		if i == 0 || n&3 == 0 {
			w = Philox([4]uint32{uint32(n >> 2), row, stream, key[2] >> 16}, k)
		}
		dst[i] = T(w[n&3]>>8) * (1.0 / (1 << 24))
	}
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
