package exec

import "slices"

// fuse makes chains of elementwise instructions one: their expression is then
// computed a block of numbers at a time, which stay in the first-level cache
// between its functions. An expression that only one instruction reads goes
// into that one; so does one that several read if computing it again costs less
// than to keep it. Each function still rounds, so the bits stay the same.
func fuse(g *graph) {
	f := &fuser{g: g, uses: g.uses(), settled: map[Value]bool{}, wanted: make([]bool, len(g.vals))}
	for _, v := range g.outs {
		f.wanted[v] = true
	}
	for i := range g.code {
		if o, ok := g.code[i].op.(mapOp); ok {
			f.into(&g.code[i], o)
		}
	}
}

type fuser struct {
	g    *graph
	uses [][]int // as the program was given
	// settled holds whether a value goes into its readers, decided with the first.
	settled map[Value]bool
	wanted  []bool // outputs
}

// maxRecompute is the most functions an expression may have to be computed
// again by each reader.
const maxRecompute = 3

// into inlines what it can of the operands of in.
func (f *fuser) into(in *inst, o mapOp) {
	m := &merger{}
	regs := make([]int, len(in.in), len(in.in)+len(o.code)) // of o's registers
	for i, v := range in.in {
		d := f.g.def(v)
		p, ok := d.op.(mapOp)
		if ok && f.inlines(d, p) && m.fits(p, d.in, len(in.in)-i, len(o.code)) {
			regs[i] = m.inline(p, d.in)
		} else {
			regs[i] = m.operand(v)
		}
	}
	// The value is the last function's, which may have been computed on the way.
	m.code = m.code[:m.append(o.code, regs)+1]
	in.op, in.in = m.op(), m.in
}

// inlines tells whether the expression p of d should be computed by all that
// read it.
func (f *fuser) inlines(d *inst, p mapOp) bool {
	yes, ok := f.settled[d.out]
	if !ok {
		yes = f.settle(d, p)
		f.settled[d.out] = yes
	}
	return yes
}

func (f *fuser) settle(d *inst, p mapOp) bool {
	g := f.g
	if len(p.code) == 1 && p.code[0].fn == Copy && Size(g.shape(d.out)) > 1 {
		return false // it makes a layout that is fast to read
	}
	cheap := len(p.code) <= maxRecompute && f.streams(d) <= 1
	for _, c := range p.code {
		cheap = cheap && quick(c.fn)
	}
	readers, same := 0, true
	for _, r := range f.uses[d.out] {
		if r == len(g.code) {
			continue // an output, or read by the second stage
		}
		reader := &g.code[r]
		if _, ok := reader.op.(mapOp); !ok || !slices.Contains(reader.in, d.out) || !sameShape(g.shape(reader.out), g.shape(d.out)) {
			return false
		}
		readers++
		same = same && reader.late == d.late
	}
	switch {
	case f.wanted[d.out]:
		return false
	case readers == 1 && same:
		return true
	}
	// What need not be computed in each run is not moved there, unless it costs
	// no more than to read it.
	return cheap && f.kept(d)
}

// quick tells whether a function takes no longer than reading its operands.
func quick(fn Fn) bool {
	switch fn {
	case Copy, Neg, Abs, Sign, Square, Relu, LeakyRelu, Clamp, Add, Sub, Mul, Max, Min, Gt, Ge, Lt, Le, Eq, Ne, Where:
		return true
	}
	return false
}

// streams counts the operands of d that are not one number repeated.
func (f *fuser) streams(d *inst) int {
	n := 0
	for _, v := range d.in {
		if base, _, _ := f.g.view(v); Size(f.g.shape(base)) > 1 {
			n++
		}
	}
	return n
}

// kept tells whether the operands of d are in memory anyhow as long as d is
// read: they are given, or something else reads them later.
func (f *fuser) kept(d *inst) bool {
	last := slices.Max(f.uses[d.out])
	for _, v := range d.in {
		base, _, _ := f.g.view(v)
		switch f.g.def(base).op.(type) {
		case inputOp, constOp:
			continue
		}
		if u := f.uses[base]; Size(f.g.shape(base)) > 1 && slices.Max(u) < last {
			return false
		}
	}
	return true
}

// merger puts expressions together.
type merger struct {
	in   []Value
	code []mapFn // registers below 0 are operands: ^i is operand i
}

func (m *merger) operand(v Value) int {
	i := slices.Index(m.in, v)
	if i < 0 {
		i = len(m.in)
		m.in = append(m.in, v)
	}
	return ^i
}

// fits tells whether p can be inlined beside what is still to come.
func (m *merger) fits(p mapOp, in []Value, operands, code int) bool {
	return len(m.in)+len(in)+operands <= maxArgs && len(m.code)+len(p.code)+code <= maxCode
}

// inline adds an expression and gives the register of its value.
func (m *merger) inline(p mapOp, in []Value) int {
	regs := make([]int, len(in), len(in)+len(p.code))
	for i, v := range in {
		regs[i] = m.operand(v)
	}
	return m.append(p.code, regs)
}

// append adds functions whose operands have the registers regs.
func (m *merger) append(code []mapFn, regs []int) int {
	for _, c := range code {
		for i := range c.arg[:c.operand] {
			c.arg[i] = regs[c.arg[i]]
		}
		at := slices.Index(m.code, c) // computed before?
		if at < 0 {
			at = len(m.code)
			m.code = append(m.code, c)
		}
		regs = append(regs, at)
	}
	return regs[len(regs)-1]
}

// op is the expression with registers as [mapOp] counts them.
func (m *merger) op() mapOp {
	for i := range m.code {
		c := &m.code[i]
		for j, a := range c.arg[:c.operand] {
			if a < 0 {
				c.arg[j] = ^a
			} else {
				c.arg[j] = len(m.in) + a
			}
		}
	}
	return mapOp{m.code}
}
