package landscape

import (
	"fmt"
	"slices"
)

// Match permutes the hidden units of b so that its parameters are as near to a as
// they get: it gives the permuted parameters, and for each layer which unit of b
// stands at each place. The network computes the same function.
//
// One layer after another is matched by the assignment that makes the products of
// its units' parameters, those that lead in, out and normalise, with those of a
// largest, given how the others are, until none changes (Ainsworth et al. 2023,
// Algorithm 1). Every round makes the distance less, so it ends; a copy of a with
// permuted units is found again where the rounds do not stop before, as they can
// with several hidden layers: seed then gives another order of the layers.
func Match(a, b []float64, hidden []Hidden, seed uint64) (matched []float64, units [][]int, err error) {
	if len(a) != len(b) {
		return nil, nil, fmt.Errorf("landscape: matching %d with %d parameters", len(a), len(b))
	}
	if len(hidden) == 0 {
		return nil, nil, fmt.Errorf("landscape: the model has no hidden layers whose units could be permuted")
	}
	x := slices.Clone(b)
	units = make([][]int, len(hidden))
	for k, h := range hidden {
		for u := range h.Units {
			units[k] = append(units[k], u)
		}
	}
	r := source(seed, 0x6d)
	for changed := true; changed; {
		changed = false
		for _, k := range r.Perm(len(hidden)) {
			p, better, err := hidden[k].match(a, x)
			if err != nil {
				return nil, nil, err
			}
			if !better {
				continue
			}
			changed = true
			x = hidden[k].Permute(x, p)
			was := slices.Clone(units[k])
			for to, from := range p {
				units[k][to] = was[from]
			}
		}
	}
	return x, units, nil
}

// match gives, for each place, the unit of x that fits the unit of a there best.
func (h *Hidden) match(a, x []float64) (p []int, better bool, err error) {
	n := len(h.Units)
	of := func(v []float64) [][]float64 {
		rows := make([][]float64, n)
		for u, unit := range h.Units {
			for _, list := range [][]int{unit.In, unit.Norm, unit.Out} {
				for _, i := range list {
					rows[u] = append(rows[u], v[i])
				}
			}
		}
		return rows
	}
	gains := gram(of(a), of(x))
	if p, err = Assign(gains, n); err != nil {
		return nil, false, err
	}
	now, then, size := 0.0, 0.0, 0.0
	for u, v := range p {
		now += gains[u*n+u]
		then += gains[u*n+v]
		size += max(gains[u*n+v], -gains[u*n+v])
	}
	return p, then > now+1e-12*size, nil
}

// Permute gives the parameters x with unit p[u] at the place u.
func (h *Hidden) Permute(x []float64, p []int) []float64 {
	y := slices.Clone(x)
	for to, from := range p {
		a, b := h.Units[from], h.Units[to]
		for _, pair := range [][2][]int{{a.In, b.In}, {a.Norm, b.Norm}, {a.Out, b.Out}} {
			for i := range pair[0] {
				y[pair[1][i]] = x[pair[0][i]]
			}
		}
	}
	return y
}

// PermuteBuffers gives a model's buffers with the statistics of unit p[u] at the
// place u.
func (h *Hidden) PermuteBuffers(x []float64, p []int) []float64 {
	y := slices.Clone(x)
	for to, from := range p {
		for i, at := range h.Units[to].Statistics {
			y[at] = x[h.Units[from].Statistics[i]]
		}
	}
	return y
}

// Barrier is how far losses along a path rise above the line between its ends
// (Frankle et al. 2020), at least 0, and where.
func Barrier(alpha, loss []float64) (height, at float64) {
	n := len(loss) - 1
	if n < 0 {
		return 0, 0
	}
	at = alpha[0]
	for i, v := range loss {
		share := 0.0
		if n > 0 {
			share = (alpha[i] - alpha[0]) / (alpha[n] - alpha[0])
		}
		if d := v - (1-share)*loss[0] - share*loss[n]; d > height {
			height, at = d, alpha[i]
		}
	}
	return height, at
}
