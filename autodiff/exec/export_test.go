package exec

import (
	"math/rand/v2"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Orders compiles as far as the schedule and gives, in elements, the peak of the
// chosen order, the lowest of the chosen one, the order given and n random ones,
// and the arena of the chosen one.
func Orders(outputs []*gorgonia.Node, inputs Inputs, params Params, late Inputs, n int) (chosen, best, arena int, err error) {
	b := newBuilder()
	given := slices.Concat([]*gorgonia.Node(inputs), []*gorgonia.Node(params), []*gorgonia.Node(late))
	if _, err := lower(b, tensor.Float32, outputs, given, len(inputs), len(late)); err != nil {
		return 0, 0, 0, err
	}
	g := b.g
	g.single = true
	for _, p := range passes {
		if p.name != "schedule" {
			p.run(g)
			continue
		}
		r := rand.New(rand.NewPCG(1, 2))
		best = 1 << 62
		for k := range n + 1 {
			c := g.clone()
			if k > 0 {
				c.shuffle(r)
			}
			slices.SortStableFunc(c.code, func(a, b inst) int { return b2i(a.late) - b2i(b.late) })
			c.setCode(c.code)
			best = min(best, c.peak())
		}
		p.run(g)
		chosen = g.peak()
		best = min(best, chosen)
	}
	ownOutputs(g)
	return chosen, best, makePlan(g, len(given)+1, 0).arena, nil
}

// shuffle takes a random one of the instructions that are ready, again and again.
func (g *graph) shuffle(r *rand.Rand) {
	waits, readers := make([]int, len(g.code)), make([][]int, len(g.code))
	for i := range g.code {
		for _, v := range g.code[i].in {
			d := g.vals[v].inst
			readers[d] = append(readers[d], i)
			waits[i]++
		}
	}
	var ready []int
	for i, n := range waits {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	var code []inst
	for len(ready) > 0 {
		k := r.IntN(len(ready))
		i := ready[k]
		ready = slices.Delete(ready, k, k+1)
		code = append(code, g.code[i])
		for _, j := range readers[i] {
			if waits[j]--; waits[j] == 0 {
				ready = append(ready, j)
			}
		}
	}
	g.setCode(code)
}
