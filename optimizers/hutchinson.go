package optimizers

import (
	"context"
	"fmt"
	"math"
)

// hutchinson estimates the diagonal of a Hessian by products: the mean of v∘Hv over random v with independent elements
// of mean 0 and variance 1 is the diagonal (Bekas, Kokiopoulou & Saad 2007). With signs for v a diagonal H is met
// exactly by one product; with normal numbers the variance is larger.
type hutchinson[T Float] struct {
	core   *core[T]
	probes *probes[T]
	normal bool
	count  int // probes an estimate
	v, hv  []T
}

func newHutchinson[T Float](c *core[T], seed, count int, normal bool) *hutchinson[T] {
	return &hutchinson[T]{core: c, probes: newProbes[T](seed), normal: normal, count: count, v: make([]T, c.size), hv: make([]T, c.size)}
}

// diagonal sets dst to the estimate on s at x, and tells the lowest v'Hv/v'v, or 0. dst is undefined after an error.
func (h *hutchinson[T]) diagonal(ctx context.Context, dst []T, s Sample[T], x []T, step int) (work int64, lowest float64, err error) {
	if err := s.Linearize(x); err != nil {
		return 0, 0, fmt.Errorf("optimizers: %s: linearize: %w", h.core.method, err)
	}
	lowest = math.Inf(1)
	for k := range h.count {
		if err := ctx.Err(); err != nil {
			return 0, 0, fmt.Errorf("optimizers: %s: no step taken: %w", h.core.method, err)
		}
		if h.normal {
			h.probes.normals(h.v, step, k)
		} else {
			h.probes.signs(h.v, step, k)
		}
		if err := s.HessianMul(h.hv, h.v); err != nil {
			return 0, 0, fmt.Errorf("optimizers: %s: Hessian product: %w", h.core.method, err)
		}
		work += WorkHessian * int64(s.Len())
		along := dot(h.v, h.hv)
		if !finite(along) {
			if err := h.core.nonFinite("Hessian product", h.hv); err != nil {
				return 0, 0, err
			}
		}
		if vv := dot(h.v, h.v); vv > 0 {
			lowest = min(lowest, along/vv)
		}
		add(dst, h.v, h.hv, T(1/float64(h.count)), k == 0)
	}
	if math.IsInf(lowest, 1) {
		lowest = 0
	}
	return work, lowest, nil
}

// add adds c·v∘w to dst, or sets it to that.
func add[T Float](dst, v, w []T, c T, set bool) {
	v, w = v[:len(dst)], w[:len(dst)]
	if set {
		for i := range dst {
			dst[i] = c * v[i] * w[i]
		}
		return
	}
	for i := range dst {
		dst[i] += c * v[i] * w[i]
	}
}
