package exec

import (
	"cmp"
	"slices"
)

// plan says where each value lies. Values that are never alive at once share
// memory; a value that an elementwise instruction may overwrite gives its
// place to the result.
type plan struct {
	at    []place
	arena int // elements
	data  []float64
	// The caller fills slots for inputs, then outputs, one for each copy.
	inputs, outputs int
	group           int // copies of a late value that have places of their own in the arena
}

// groupElements is how much memory the late values of a group of copies may take. A
// group runs together, an instruction for all of it at a time, so that a product with a
// shared operand is one wide product. That saves up to a tenth as long as a core's
// second-level cache holds them beside what each copy reads twice, and costs as much
// where it does not: each instruction then finds far away what the one before wrote.
const groupElements = 96 << 10

// align is the number of elements to which places are rounded: 64 bytes of the
// smaller element type.
const align = 16

func roundUp(n int) int { return (n + align - 1) / align * align }

// makePlan places the values of g, whose outputs are all distinct results of
// instructions that write memory, those of the second stage for a group of copies; 0
// is as many as the cache holds.
func makePlan(g *graph, inputs, group int) *plan {
	p := &plan{group: 1, at: make([]place, len(g.vals)), inputs: inputs, outputs: len(g.outs)}
	if group == 0 && g.copies > 1 {
		_, one := g.planLane(p)
		group = max(1, groupElements/max(one, 1))
	}
	p.group = min(max(group, 1), g.copies)
	p.arena = g.arrange(p, 0, p.group, arenaSlot)
	return p
}

// planLane gives the late values of g, which p places already, places of their own
// in another slot, so that one more group of them can be computed at the same time.
func (g *graph) planLane(p *plan) (at []place, elements int) {
	lane := &plan{at: slices.Clone(p.at), inputs: p.inputs}
	elements = g.arrange(lane, g.firstLate(), p.group, laneSlot)
	return lane.at, elements
}

// firstLate is the first instruction of the second stage.
func (g *graph) firstLate() int {
	if i := slices.IndexFunc(g.code, func(in inst) bool { return in.late }); i >= 0 {
		return i
	}
	return len(g.code)
}

// arrange places the values that the instructions give from one on, those that
// the caller does not hold in the given slot, and returns the elements it needs.
func (g *graph) arrange(p *plan, from, copies, slot int) int {
	output := map[Value]int{}
	for i, v := range g.outs {
		output[v] = i
	}
	uses := g.uses()
	var spans []span
	owner := make([]int, len(g.vals)) // the span that holds a value, or -1
	for i := range owner {
		owner[i] = -1
	}
	for i := from; i < len(g.code); i++ {
		in := &g.code[i]
		switch o := in.op.(type) {
		case viewOp:
			continue
		case inputOp:
			p.at[in.out] = g.external(o.slot, o.late)
			continue
		case constOp:
			p.at[in.out] = place{slot: constSlot, off: len(p.data)}
			p.data = append(p.data, o.data...)
			p.data = append(p.data, make([]float64, roundUp(len(p.data))-len(p.data))...)
			continue
		}
		in.outs(func(v Value) {
			if k, ok := output[v]; ok {
				p.at[v] = g.external(p.inputs+k, in.late)
				return
			}
			last := i
			if u := uses[v]; len(u) > 0 {
				last = u[len(u)-1]
			}
			if _, ok := in.op.(mapOp); ok && v == in.out {
				if s := inPlace(g, in, owner); s >= 0 && spans[s].end == i {
					spans[s].end = last
					owner[v] = s
					return
				}
			}
			owner[v] = len(spans)
			size := roundUp(Size(g.shape(v)))
			if in.late {
				size *= copies
			}
			spans = append(spans, span{v, size, i, last})
		})
	}

	offset, size := inOrder(spans)
	if len(spans) <= manySpans {
		if o, n := largestFirst(spans); n < size {
			offset, size = o, n
		}
	}
	for v, s := range owner {
		if s >= 0 {
			p.at[v] = place{slot: slot, off: offset[s]}
			if g.code[g.vals[v].inst].late && copies > 1 {
				p.at[v].offStep = spans[s].size / copies
			}
		}
	}
	return size
}

// span is the memory of a value, from the instruction that writes it to the last
// one that reads it.
type span struct {
	v          Value
	size       int
	start, end int
}

// manySpans is from where on the better of two ways to place spans is not worth
// its time, which grows as their square.
const manySpans = 1 << 10

// largestFirst places spans by size, each at the lowest free place.
func largestFirst(spans []span) (offset []int, arena int) {
	order := make([]int, len(spans))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(spans[b].size, spans[a].size) })
	offset = make([]int, len(spans))
	var placed []int // by offset
	for _, i := range order {
		at := 0
		for _, j := range placed {
			if spans[j].start > spans[i].end || spans[j].end < spans[i].start {
				continue
			}
			if at+spans[i].size <= offset[j] {
				break
			}
			at = max(at, offset[j]+spans[j].size)
		}
		offset[i] = at
		k, _ := slices.BinarySearchFunc(placed, at, func(j, at int) int { return cmp.Compare(offset[j], at) })
		placed = slices.Insert(placed, k, i)
		arena = max(arena, at+spans[i].size)
	}
	return offset, arena
}

// inOrder places spans in the order in which they begin, each in the smallest
// hole that holds it.
func inOrder(spans []span) (offset []int, arena int) {
	type hole struct{ at, size int }
	var holes []hole // by place
	free := func(at, size int) {
		if size == 0 {
			return
		}
		k, _ := slices.BinarySearchFunc(holes, at, func(h hole, at int) int { return cmp.Compare(h.at, at) })
		holes = slices.Insert(holes, k, hole{at, size})
		if k+1 < len(holes) && at+size == holes[k+1].at {
			holes[k].size += holes[k+1].size
			holes = slices.Delete(holes, k+1, k+2)
		}
		if k > 0 && holes[k-1].at+holes[k-1].size == at {
			holes[k-1].size += holes[k].size
			holes = slices.Delete(holes, k, k+1)
		}
	}
	ends := make([]int, len(spans)) // spans by their end
	for i := range ends {
		ends[i] = i
	}
	slices.SortStableFunc(ends, func(a, b int) int { return cmp.Compare(spans[a].end, spans[b].end) })
	offset = make([]int, len(spans))
	for i, s := range spans { // they are in the order of their starts
		if s.size == 0 {
			continue
		}
		for len(ends) > 0 && spans[ends[0]].end < s.start {
			free(offset[ends[0]], spans[ends[0]].size)
			ends = ends[1:]
		}
		best := -1
		for k, h := range holes {
			if h.size >= s.size && (best < 0 || h.size < holes[best].size) {
				best = k
			}
		}
		switch n := len(holes); {
		case best >= 0:
			offset[i] = holes[best].at
			holes[best].at += s.size
			holes[best].size -= s.size
			if holes[best].size == 0 {
				holes = slices.Delete(holes, best, best+1)
			}
		case n > 0 && holes[n-1].at+holes[n-1].size == arena: // the last hole grows
			offset[i] = holes[n-1].at
			arena = offset[i] + s.size
			holes = holes[:n-1]
		default:
			offset[i] = arena
			arena += s.size
		}
	}
	return offset, arena
}

// external is the place of what the caller gives: each has a slot for every
// copy.
func (g *graph) external(i int, late bool) place {
	p := place{slot: firstSlot + i*g.copies}
	if late {
		p.slotStep = 1
	}
	return p
}

// inPlace gives the span of an operand of an elementwise instruction that its
// result may overwrite: one that is read element by element in order.
func inPlace(g *graph, in *inst, owner []int) int {
	shape := g.shape(in.out)
	for _, v := range in.in {
		base, off, stride := g.view(v)
		if owner[base] < 0 || off != 0 || !slices.Equal(stride, rowMajor(shape)) ||
			Size(g.shape(base)) != Size(shape) || g.late(base) != in.late {
			continue
		}
		safe := true // no other operand reads the same memory at other places
		for _, w := range in.in {
			b, o, s := g.view(w)
			if b != base && owner[b] == owner[base] || b == base && (o != 0 || !slices.Equal(s, stride)) {
				safe = false
			}
		}
		if safe {
			return owner[base]
		}
	}
	return -1
}
