package data

import (
	"fmt"
	"math/bits"
)

// Sample is a uniform sample without replacement: n of the indices 0 to size-1, in ascending order, determined by
// (seed, draw). The result is stored in dst where that has room.
func Sample(n, size int, seed, draw uint64, dst []int) ([]int, error) {
	if n < 1 {
		return nil, fmt.Errorf("data: a sample of %d examples, at least 1 is needed", n)
	}
	if n > size {
		return nil, fmt.Errorf("data: a sample of %d examples without replacement from %d, ask for %d or fewer", n, size, max(size, 0))
	}
	if size > maxNumbers {
		return nil, fmt.Errorf("data: a sample from %d examples, more than memory can hold", size)
	}
	in := make([]uint64, (size+63)/64)
	newRandom(seed, useSample, draw).subset(in, n, size)
	dst = dst[:0]
	for w, word := range in {
		for ; word != 0; word &= word - 1 {
			dst = append(dst, w<<6+bits.TrailingZeros64(word))
		}
	}
	return dst, nil
}
