package exec

import (
	"fmt"
	"slices"
)

// tile runs the convolutions of a program, and what stands between them, over
// slices of the batch whose numbers stay in a core's second-level cache, instead
// of one instruction after the other over all examples: between two matrix
// products, or two sums over the batch, no example needs another one. The slice
// is chosen by shape; sums over the batch are added up slice by slice in an
// order that is fixed too.
func tile(g *graph) {
	for _, n := range batches(g) {
		if n >= tileLeast {
			(&tiler{g: g, n: n}).run()
		}
	}
}

const (
	// tileLeast is the smallest batch that is worth it: cut into slices, a smaller
	// one would keep only some cores busy.
	tileLeast = 16
	// tileElements is how many numbers a slice may have in use at once: with
	// weights beside them they fit the second-level cache of 1 MiB in float32.
	tileElements = 160 << 10
	// tileGroups is the number of partial sums over a batch.
	tileGroups = 16
)

// batches are the numbers of images that are convolved.
func batches(g *graph) []int {
	var list []int
	for i := range g.code {
		if o, ok := g.code[i].op.(convOp); ok && !slices.Contains(list, o.n) {
			list = append(list, o.n)
		}
	}
	return list
}

// regionOp computes several values slice by slice. Its operands are those of its
// instructions that come from elsewhere.
type regionOp struct {
	n        int    // examples
	rows     int    // of a slice but the last
	rest     int    // of the last
	whole    *graph // the instructions for a slice of rows examples
	last     *graph // and for the last
	operands []regionOperand
	added    []bool // of each result: summed over the slices; else each has its rows
}

// regionOperand says how a slice sees an operand.
type regionOperand struct {
	sliced bool // by its first axis; else whole
	key    bool // a random key: the number of its first row moves with the slice
}

func (o regionOp) String() string {
	return fmt.Sprintf("region of %d examples by %d:\n%send", o.n, o.rows, o.whole)
}

// tiler finds the regions of a batch of n.
type tiler struct {
	g *graph
	n int

	fits  []bool // instructions that can be cut along the batch
	phase []int  // see phases
	uses  [][]int
}

func (t *tiler) run() {
	t.fits = make([]bool, len(t.g.code))
	for i := range t.g.code {
		t.fits[i] = t.cuts(&t.g.code[i])
	}
	t.phases()
	t.uses = t.g.uses()
	regions := t.regions()
	if len(regions) == 0 {
		return
	}
	at := map[int]int{} // of each member's instruction, its region
	for r, members := range regions {
		for _, i := range members {
			at[i] = r
		}
	}
	made := make([]bool, len(regions))
	var code []inst
	for i := range t.g.code {
		r, ok := at[i]
		switch {
		case !ok:
			code = append(code, t.g.code[i])
		case !made[r]:
			made[r] = true
			code = append(code, t.region(regions[r])...)
		}
	}
	t.g.setCode(code)
	t.g.sort() // and views go of what no one but a region sees
}

// cuts tells whether an instruction can be cut along the first axis of its
// operands and result, or adds up along it.
func (t *tiler) cuts(in *inst) bool {
	shape := t.g.shape(in.out)
	rows := len(shape) > 0 && shape[0] == t.n
	switch o := in.op.(type) {
	case mapOp, poolOp, uniformOp:
		return rows
	case convOp:
		return o.n == t.n
	case reduceOp:
		from := t.g.reduced(in)
		if o.code != nil && !t.byRows(t.g.shape(in.in[0]), from) || len(from.shape) == 0 || from.shape[0] != t.n {
			return false
		}
		return rows && o.axes[0] != 0 || o.axes[0] == 0 && o.red == SumRed
	}
	return false
}

// adds tells whether the result of an instruction that can be cut is a sum over
// the slices.
func adds(in *inst) bool {
	switch o := in.op.(type) {
	case convOp:
		return o.part == ConvWeight
	case reduceOp:
		return o.axes[0] == 0
	}
	return false
}

// sliced tells whether an instruction that can be cut reads only the rows of its
// slice of operand k.
func (t *tiler) sliced(in *inst, k int) bool {
	v := in.in[k]
	switch o := in.op.(type) {
	case uniformOp:
		return false
	case convOp:
		if k < 2 {
			return k == 0 || o.part == ConvWeight
		}
		_, _, stride := t.g.view(v)
		return stride[0] != 0
	case mapOp, reduceOp:
		_, _, stride := t.g.view(v)
		return stride[0] != 0
	}
	return true
}

// within tells whether operand k of in, the result of an instruction of the same
// region, has the rows of a slice when it is read there.
func (t *tiler) within(in *inst, k int) bool {
	g := t.g
	v := in.in[k]
	base, off, stride := g.view(v)
	return t.sliced(in, k) && !adds(g.def(base)) && t.byRows(g.shape(base), layout{off, g.shape(v), stride})
}

// byRows tells whether the first axis of a dense tensor of shape from, seen as l, is
// the batch, and stays the first.
func (t *tiler) byRows(from []int, l layout) bool {
	if len(from) == 0 || from[0] != t.n || len(l.shape) == 0 || l.shape[0] != t.n {
		return false
	}
	row := Size(from) / t.n
	last := l.off
	for i, n := range l.shape[1:] {
		last += (n - 1) * l.stride[i+1]
	}
	return l.stride[0] == row && last < row
}

// phases numbers the instructions so that those that can be cut have odd
// numbers, and what must be whole before an instruction reads it has a lower
// one: instructions of one odd number can run slice by slice together.
func (t *tiler) phases() {
	g := t.g
	t.phase = make([]int, len(g.code))
	for i := range g.code {
		in := &g.code[i]
		if t.fits[i] {
			t.phase[i] = 1
		}
		for k, v := range in.in {
			base, _, _ := g.view(v)
			d := int(g.vals[base].inst)
			p := t.phase[d]
			switch {
			case t.fits[i] && t.fits[d]:
				if !t.within(in, k) {
					p += 2
				}
			case t.fits[i] != t.fits[d]:
				p++
			}
			t.phase[i] = max(t.phase[i], p)
		}
	}
}

// regions are the connected sets of instructions of one phase and stage that
// have a convolution or pooling.
func (t *tiler) regions() [][]int {
	g := t.g
	parent := make([]int, len(g.code))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i := range g.code {
		in := &g.code[i]
		for k, v := range in.in {
			base, _, _ := g.view(v)
			d := int(g.vals[base].inst)
			if t.fits[i] && t.fits[d] && t.phase[i] == t.phase[d] && in.late == g.code[d].late && t.within(in, k) {
				parent[find(i)] = find(d)
			}
		}
	}
	members := map[int][]int{}
	var order []int
	worth := map[int]bool{}
	for i := range g.code {
		if !t.fits[i] {
			continue
		}
		r := find(i)
		if members[r] == nil {
			order = append(order, r)
		}
		members[r] = append(members[r], i)
		switch g.code[i].op.(type) {
		case convOp, poolOp:
			worth[r] = true
		}
	}
	var list [][]int
	for _, r := range order {
		if worth[r] && len(members[r]) > 1 {
			list = append(list, members[r])
		}
	}
	return list
}

// region makes one instruction of its members.
func (t *tiler) region(members []int) []inst {
	g := t.g
	inside := map[Value]bool{}
	for _, i := range members {
		inside[g.code[i].out] = true
	}
	o := regionOp{n: t.n}
	var operands, results []Value
	number := map[Value]int{}
	for _, i := range members {
		in := &g.code[i]
		for k, v := range in.in {
			base, _, _ := g.view(v)
			if inside[base] && t.within(in, k) {
				continue
			}
			if _, ok := number[v]; !ok {
				_, random := in.op.(uniformOp)
				number[v] = len(operands)
				operands = append(operands, v)
				o.operands = append(o.operands, regionOperand{sliced: t.sliced(in, k), key: random})
			} else if o.operands[number[v]].sliced != t.sliced(in, k) {
				return t.separate(members) // read both by rows and whole
			}
		}
	}
	for _, i := range members {
		in := &g.code[i]
		for _, u := range t.uses[in.out] {
			if u == len(g.code) || !slices.Contains(members, u) {
				results = append(results, in.out)
				o.added = append(o.added, adds(in))
				break
			}
		}
	}
	sub := func(rows int) *graph { return t.slice(members, operands, o.operands, results, rows) }
	o.rows = min(max(1, tileElements/max(1, sub(1).peak())), (t.n+pieceCount-1)/pieceCount)
	count := 0
	count, o.rows = cut(t.n, o.rows)
	o.rest = t.n - (count-1)*o.rows
	o.whole = sub(o.rows)
	o.last = o.whole
	if o.rest != o.rows {
		o.last = sub(o.rest)
	}
	return []inst{{op: o, in: operands, out: results[0], more: results[1:], late: g.code[members[0]].late, where: t.span(members)}}
}

// separate leaves members as they are.
func (t *tiler) separate(members []int) []inst {
	var code []inst
	for _, i := range members {
		code = append(code, t.g.code[i])
	}
	return code
}

// span names the layers from the first to the last member.
func (t *tiler) span(members []int) string {
	first, last := t.g.code[members[0]].where, t.g.code[members[len(members)-1]].where
	if first == last {
		return first
	}
	return first + " to " + last
}

// slice writes the members for a slice of rows examples. Its inputs are the
// memory that each operand reaches.
func (t *tiler) slice(members []int, operands []Value, how []regionOperand, results []Value, rows int) *graph {
	g := t.g
	b := newBuilder()
	cutShape := func(v Value) []int {
		s := slices.Clone(g.shape(v))
		s[0] = rows
		return s
	}
	outer := make([]Value, len(operands))
	for i, v := range operands {
		_, _, stride := g.view(v)
		shape := g.shape(v)
		if how[i].sliced || len(shape) > 0 && shape[0] == t.n && stride[0] == 0 {
			shape = cutShape(v)
		}
		x := b.g.add(inputOp{slot: i, name: fmt.Sprintf("operand %d", i)}, "", []int{extent(shape, stride)})
		outer[i] = b.viewOf(x, 0, slices.Clone(shape), slices.Clone(stride))
	}
	now := map[Value]Value{}
	for _, i := range members {
		in := &g.code[i]
		b.where = in.where
		args := make([]Value, len(in.in))
		for k, v := range in.in {
			base, off, stride := g.view(v)
			if w, ok := now[base]; ok && t.within(in, k) {
				args[k] = b.viewOf(w, off, cutShape(v), slices.Clone(stride))
				continue
			}
			args[k] = outer[slices.Index(operands, v)]
		}
		op, shape := in.op, g.shape(in.out)
		if !adds(in) {
			shape = cutShape(in.out)
		}
		switch o := op.(type) {
		case convOp:
			o.n = rows
			op = o
		case reduceOp:
			if o.code != nil {
				o.from.shape = slices.Clone(o.from.shape)
				o.from.shape[0] = rows
				op = o
			}
		}
		now[in.out] = b.g.add(op, in.where, shape, args...)
	}
	for _, v := range results {
		b.g.outs = append(b.g.outs, now[v])
	}
	schedule(b.g)
	return b.g
}
