package exec

import (
	"cmp"
	"slices"
)

// schedule orders instructions so that fewer numbers are held at once: those of
// the first stage, then those of the second. It tries a greedy order beside the
// given one and keeps the better.
func schedule(g *graph) {
	slices.SortStableFunc(g.code, func(a, b inst) int { return cmp.Compare(b2i(a.late), b2i(b.late)) })
	g.setCode(g.code)
	before := g.peak()
	old := slices.Clone(g.code)
	g.setCode(g.greedy())
	if g.peak() >= before {
		g.setCode(old)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// storage is the number of elements that instruction i writes to new memory.
func (g *graph) storage(i int) int {
	n := 0
	g.code[i].outs(func(v Value) { n += g.held(v) })
	return n
}

// held is the number of elements that v has in new memory.
func (g *graph) held(v Value) int {
	switch g.def(v).op.(type) {
	case viewOp, inputOp, constOp:
		return 0
	}
	return Size(g.shape(v))
}

// uses lists, for each value that is not a view, the instructions that read it
// directly or through a view. An output is read by an instruction past the
// last, and so is what the second stage reads of the first.
func (g *graph) uses() [][]int {
	uses := make([][]int, len(g.vals))
	for i := range g.code {
		if _, ok := g.code[i].op.(viewOp); ok {
			continue
		}
		for _, v := range g.code[i].in {
			base, _, _ := g.view(v)
			if u := uses[base]; len(u) == 0 || u[len(u)-1] != i {
				uses[base] = append(u, i)
			}
		}
	}
	past := func(v Value) {
		base, _, _ := g.view(v)
		if u := uses[base]; len(u) == 0 || u[len(u)-1] != len(g.code) {
			uses[base] = append(u, len(g.code))
		}
	}
	for _, v := range g.outs {
		past(v)
	}
	for v, u := range uses {
		if len(u) > 0 && u[len(u)-1] < len(g.code) && !g.code[g.vals[v].inst].late && g.code[u[len(u)-1]].late {
			past(Value(v)) // every later run reads it again
		}
	}
	return uses
}

// peak is the largest number of elements alive at once.
func (g *graph) peak() int {
	free := make([]int, len(g.code)+1)
	uses := g.uses()
	for i := range g.code {
		g.code[i].outs(func(v Value) {
			last := i
			if u := uses[v]; len(u) > 0 {
				last = u[len(u)-1]
			}
			free[last] += g.held(v)
		})
	}
	live, peak := 0, 0
	for i := range g.code {
		live += g.storage(i)
		peak = max(peak, live)
		live -= free[i]
	}
	return peak
}

// window bounds how many ready instructions the greedy order looks at, so
// that its cost grows with the length of the program.
const window = 64

// greedy takes, of the first ready instructions, the one that leaves the
// fewest numbers alive.
func (g *graph) greedy() []inst {
	n := len(g.code)
	waits := make([]int, n)        // operands that are not there yet
	readers := make([][]int, n)    // instructions that wait for this one
	uses := g.uses()               // of values
	left := make([]int, len(uses)) // readers to come
	for v, u := range uses {
		left[v] = len(u)
	}
	for i := range g.code {
		for _, v := range g.code[i].in {
			d := int(g.vals[v].inst)
			readers[d] = append(readers[d], i)
			waits[i]++
		}
	}
	var ready, late []int // late waits for the first stage to end
	early := 0
	start := func(i int) {
		if g.code[i].late && early > 0 {
			late = append(late, i)
		} else {
			ready = append(ready, i)
		}
	}
	for i := range g.code {
		if !g.code[i].late {
			early++
		}
	}
	for i := range waits {
		if waits[i] == 0 {
			start(i)
		}
	}
	bases := make([][]Value, n) // what an instruction reads
	for i := range g.code {
		if _, ok := g.code[i].op.(viewOp); ok {
			continue
		}
		for _, v := range g.code[i].in {
			if base, _, _ := g.view(v); !slices.Contains(bases[i], base) {
				bases[i] = append(bases[i], base)
			}
		}
	}
	size := make([]int, n)
	for i := range g.code {
		size[i] = g.storage(i)
	}
	order := make([]inst, 0, n)
	for len(ready) > 0 {
		best, score := 0, 0
		for r, i := range ready[:min(window, len(ready))] {
			s := size[i]
			for _, b := range bases[i] {
				if left[b] == 1 {
					s -= g.held(b)
				}
			}
			if r == 0 || s < score {
				best, score = r, s
			}
		}
		i := ready[best]
		ready = append(ready[:best], ready[best+1:]...)
		order = append(order, g.code[i])
		if !g.code[i].late {
			if early--; early == 0 {
				ready = append(ready, late...)
			}
		}
		for _, b := range bases[i] {
			left[b]--
		}
		for _, r := range readers[i] {
			if waits[r]--; waits[r] == 0 {
				start(r)
			}
		}
	}
	return order
}
