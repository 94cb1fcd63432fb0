package bench

import "github.com/saddle-ml/saddle/internal/kernel"

//go:noescape
func fma256(n int)

//go:noescape
func fma512(n int)

// fmas does float32 multiply-adds on registers and gives their number; 0 where
// there are no vector kernels.
func fmas() (count int) {
	const n = 2000
	switch level, _ := kernel.CPU(); level {
	case kernel.AVX512:
		fma512(n)
		return n * 24 * 16
	case kernel.AVX2:
		fma256(n)
		return n * 12 * 8
	}
	return 0
}
