package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

var errWeighted = errors.New("train: a sample drawn by norms has weighted curvature, and neither loss nor gradient")

// weighted is the product with weights in the place of one without.
func weighted(w want) (want, error) {
	switch w {
	case wantHessian:
		return wantWeightedHessian, nil
	case wantGaussNewton:
		return wantWeightedGaussNewton, nil
	}
	return 0, errors.New("train: a sample drawn by norms has Hessian and Gauss-Newton products, and no others")
}

// DrawByNorm draws n of the training set's examples with replacement (see
// optimizers.NormDraws). The norm of a network's Hessian on one example is not to
// be had from a pass or two, so that both matrices are drawn by an estimate of the
// trace of the example's Gauss-Newton matrix (see nn.Graph.Traces): the squared
// length of its gradient at a target drawn from the model, or at that of the data
// where the loss draws none.
//
// As an estimate may miss an example that does curve, half of the draws are uniform:
// example i has the probability p = s/(2 Σs) + 1/(2N), and its curvature the weight
// 1/(N p), at most 2.
func (s *sample[T]) DrawByNorm(n int, x []T, gaussNewton bool) (optimizers.Sample[T], int64, error) {
	p := s.of
	if p == nil || n < 1 {
		return nil, 0, fmt.Errorf("train: a sample of %d examples by their norms; allowed are 1 and more, of the whole training set", n)
	}
	if err := s.programs.single(); err != nil {
		return nil, 0, err
	}
	scores, err := s.traces(x)
	work := int64(s.n) * optimizers.WorkFactors(1)
	if err != nil {
		return nil, work, err
	}
	sums := scores // of those up to each
	total := 0.0
	for i, v := range scores {
		total += v
		sums[i] = total
	}
	if math.IsInf(total, 1) || math.IsNaN(total) {
		return nil, work, fmt.Errorf("train: the norms of all examples add up to %v", total)
	}
	var share []float64
	d, err := p.drawInto(func(b *data.Batch[T], draw uint64) error {
		random := rand.New(rand.NewPCG(p.seed^0x6e6f726d, draw))
		index := make([]int, n)
		for k := range index {
			if total == 0 || random.Uint64()&1 == 0 {
				index[k] = random.IntN(s.n)
				continue
			}
			index[k] = min(sort.SearchFloat64s(sums, random.Float64()*total), s.n-1)
		}
		slices.Sort(index)
		for _, i := range index {
			q := 1 / float64(s.n)
			if total > 0 {
				q = sums[i] / total
				if i > 0 {
					q -= sums[i-1] / total
				}
			}
			share = append(share, q)
		}
		return p.loader.Pick(b, index)
	})
	if err != nil {
		return nil, work, err
	}
	d.weights = make([]T, n)
	for k, q := range share {
		d.weights[k] = T(2 / (q*float64(s.n) + 1))
	}
	return d, work, nil
}

// traces estimates the traces of the examples' Gauss-Newton matrices.
func (s *sample[T]) traces(x []T) ([]float64, error) {
	all := make([]float64, 0, s.n)
	in, _ := sizes(s.programs.model)
	err := s.each(func(ex, ey []T, row int) error {
		c, err := s.programs.get(wantTraces, len(ex)/in)
		if err != nil {
			return err
		}
		c.Seed(s.seed, s.step, row)
		if err := c.run(ex, ey, x); err != nil {
			return err
		}
		for _, v := range c.Output(0) {
			all = append(all, float64(v))
		}
		return nil
	})
	s.count(err)
	return all, err
}
