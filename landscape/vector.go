package landscape

import (
	"math"
	"math/rand/v2"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// chunk is how many elements of each vector are worked on at a time: vectors are
// cut by length alone, so that the bits do not depend on the number of cores.
const chunk = 2048

// inChunks calls f with the bounds of every chunk of n elements, on all cores.
func inChunks(n int, f func(i, lo, hi int)) {
	parallel.Shared().Run((n+chunk-1)/chunk, func(_, i int) { f(i, i*chunk, min(n, (i+1)*chunk)) })
}

func dot(x, y []float64) float64 { return gram([][]float64{x}, [][]float64{y})[0] }

func norm(x []float64) float64 {
	if s := dot(x, x); s > 1e-280 && s < 1e280 {
		return math.Sqrt(s)
	}
	return kernel.Norm(x)
}

// axpy adds c x to y.
func axpy(y []float64, c float64, x []float64) {
	inChunks(len(y), func(_, lo, hi int) { kernel.Axpy(y[lo:hi], c, x[lo:hi]) })
}

// scale multiplies x by c.
func scale(c float64, x []float64) {
	inChunks(len(x), func(_, lo, hi int) { kernel.Scale(x[lo:hi], c, x[lo:hi]) })
}

// gram is the products of all v with all x: element i*len(x)+j is v[i]'x[j].
func gram(v, x [][]float64) []float64 {
	c := len(v) * len(x)
	if c == 0 {
		return nil
	}
	n := len(v[0])
	parts := make([]float64, (n+chunk-1)/chunk*c)
	inChunks(n, func(k, lo, hi int) {
		part := parts[k*c:][:c]
		for i, a := range v {
			for j, b := range x {
				part[i*len(x)+j] = kernel.Dot64(a[lo:hi], b[lo:hi])
			}
		}
	})
	sum := make([]float64, c)
	for k := 0; k < len(parts); k += c {
		for i, p := range parts[k : k+c] {
			sum[i] += p
		}
	}
	return sum
}

// combine adds sign times the combination of all v with coefficients c, as gram
// has them, to each of x.
func combine(x [][]float64, sign float64, v [][]float64, c []float64) {
	if len(v) == 0 || len(x) == 0 {
		return
	}
	inChunks(len(x[0]), func(_, lo, hi int) {
		for j, y := range x {
			for i, a := range v {
				kernel.Axpy(y[lo:hi], sign*c[i*len(x)+j], a[lo:hi])
			}
		}
	})
}

// orthonormal makes x orthogonal to the orthonormal v and to each other, each of
// length 1, and gives those that are left: one that is a combination of the
// others to rounding is dropped.
func orthonormal(v, x [][]float64) [][]float64 {
	var kept [][]float64
	for _, y := range x {
		before := norm(y)
		if before == 0 {
			continue
		}
		scale(1/before, y)
		one, left := [][]float64{y}, 1.0
		for range 3 { // twice is enough, and once more where nearly nothing was left
			combine(one, -1, v, gram(v, one))
			combine(one, -1, kept, gram(kept, one))
			now := norm(y)
			if now < 1e-14 {
				left = 0
				break
			}
			scale(1/now, y)
			left *= now
			if now > 0.7 {
				break
			}
		}
		if left > 1e-11 {
			kept = append(kept, y)
		}
	}
	return kept
}

// vectors makes k vectors of n elements.
func vectors(k, n int) [][]float64 {
	all := make([]float64, k*n)
	list := make([][]float64, k)
	for i := range list {
		list[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return list
}

func source(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// normals fills x with independent standard normal numbers.
func normals(x []float64, r *rand.Rand) {
	for i := range x {
		x[i] = r.NormFloat64()
	}
}

// signs fills x with independent 1 and -1.
func signs(x []float64, r *rand.Rand) {
	for i := 0; i < len(x); {
		bits := r.Uint64()
		for k := 0; k < 64 && i < len(x); k++ {
			x[i] = 1 - 2*float64(bits>>k&1)
			i++
		}
	}
}
