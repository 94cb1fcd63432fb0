package optimizers

import (
	"context"
	"math"
	"math/rand/v2"
)

// lowest looks for the lowest curvature of a symmetric matrix, by Lanczos from a random start: from a gradient it might
// miss a direction that the gradient has no part in, which is what keeps a method at a saddle.
type lowest[T Float] struct {
	lanczos Lanczos[T]
	random  rand.PCG
	vector  []T // of the lowest curvature, length 1
}

// search gives the lowest Ritz value after at most steps products, with its vector in l.vector, and the largest Ritz
// value in size. It ends early where more products could not change the lowest by a hundredth. No products, of an
// empty matrix or one that is not finite, give NaN.
func (l *lowest[T]) search(ctx context.Context, a Operator[T], n, steps int, seed uint64) (value, size float64, products int, err error) {
	if len(l.vector) != n {
		l.vector = make([]T, n)
	}
	if n == 0 {
		return math.NaN(), 0, 0, nil
	}
	l.random.Seed(seed, 0x5add1e)
	normal := rand.New(&l.random)
	for i := range l.vector {
		l.vector[i] = T(normal.NormFloat64())
	}
	l.lanczos.MaxIter, l.lanczos.Lazy = steps, true
	if err := l.lanczos.Start(l.vector); err != nil {
		return math.NaN(), 0, 0, err
	}
	check := 1
	for more := true; more; {
		if more, err = l.lanczos.Step(ctx, a); err != nil {
			return math.NaN(), 0, l.lanczos.Steps(), err
		}
		k := l.lanczos.Steps()
		if k == 0 {
			return math.NaN(), 0, 0, nil
		}
		if more && k < check {
			continue
		}
		check = k + 1 + k/3
		values, vectors, err := l.lanczos.Ritz()
		if err != nil {
			return math.NaN(), 0, k, err
		}
		value, size = values[0], max(math.Abs(values[0]), math.Abs(values[k-1]))
		_, beside := l.lanczos.Tridiagonal()
		// An eigenvalue lies this near (Parlett 1998, theorem 4.5.1); k > 2 because a start may have hardly any part along the lowest.
		if rest := beside[k-1] * math.Abs(vectors[(k-1)*k]); k > 2 && value < 0 && rest <= 0.01*math.Abs(value) {
			more = false
		}
	}
	l.lanczos.CombineRitz(l.vector, 0)
	return value, size, l.lanczos.Steps(), nil
}
