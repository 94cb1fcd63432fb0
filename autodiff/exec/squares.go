package exec

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// tally is the sum of squares of an output, in parts that its shape alone tells.
// Each is taken when that part has just been written and is in the cache: another
// pass over a long gradient would cost as much as its share of an optimizer's step.
type tally []float64

// Squares is the sum of squares of output i after a Run, if Options.Squares asked for
// it: of a gradient, its squared length. It is NaN otherwise.
func (p *Program[T]) Squares(i int) float64 {
	t, ok := p.m.tallies[p.m.g.outs[i]]
	if !ok {
		return math.NaN()
	}
	sum := 0.0
	for _, s := range *t {
		sum += s
	}
	return sum
}

// startTallies makes room for the sums of outputs.
func (m *machine[T]) startTallies(outputs []int) {
	m.tallies = make(map[Value]*tally, len(outputs))
	for _, i := range outputs {
		m.tallies[m.g.outs[i]] = new(tally)
	}
}

// tallied is run and then the sums of the results vs that it has written; products
// take that of theirs block by block.
func (m *machine[T]) tallied(vs []Value, run wide) wide {
	for _, v := range vs {
		t, ok := m.tallies[v]
		if !ok {
			continue
		}
		x := m.operand(v)
		count, each := pieces(x.n, 1)
		*t = make(tally, count)
		piece := func(_, i int) {
			part := x.of(m.first)[i*each : min((i+1)*each, x.n)]
			(*t)[i] = kernel.Dot64(part, part)
		}
		before := run
		run = func(first, n int) error {
			if err := before(first, n); err != nil {
				return err
			}
			if count == 1 {
				piece(0, 0)
			} else {
				m.pool.Run(count, piece)
			}
			return nil
		}
	}
	return run
}

// squaresOf is the sum of squares of rows [r0, r1) and columns [c0, c1) of a matrix
// with cols columns.
func squaresOf[T Float](c []T, cols, r0, r1, c0, c1 int) float64 {
	if c1-c0 == cols {
		c = c[r0*cols : r1*cols]
		return kernel.Dot64(c, c)
	}
	return kernel.SquaresOfRows(c[r0*cols+c0:], cols, r1-r0, c1-c0)
}
