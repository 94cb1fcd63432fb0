package main

import "fmt"

// emit writes the code.
func (b *body) emit(what string) {
	for i, o := range b.ops {
		for _, v := range o.src {
			if v.reg() && v.id < pinned {
				b.last[v.id] = i
			}
		}
	}
	var vectors, masks pool
	for r := range b.regs - b.pins.used {
		vectors.free = append(vectors.free, r)
	}
	for k := 2; k < 8; k++ { // K1 is that of the tail
		masks.free = append(masks.free, k)
	}
	where := make([]int, len(b.last))
	reg := func(v val) int {
		switch {
		case !v.reg():
			return -1
		case v.id >= pinned:
			return v.id - pinned
		}
		return where[v.id]
	}
	for i, o := range b.ops {
		dies := func(v val) bool { return v.reg() && v.id < pinned && b.last[v.id] == i }
		src := make([]int, len(o.src))
		freed := map[int]bool{}
		for k, v := range o.src {
			src[k] = reg(v)
			if dies(v) && !freed[v.id] {
				freed[v.id] = true
				if v.mask {
					masks.put(src[k])
				} else {
					vectors.put(src[k])
				}
			}
		}
		if o.dst.id < 0 {
			o.put(src, -1)
			continue
		}
		from := &vectors
		if o.dst.mask {
			from = &masks
		}
		if len(from.free) == 0 {
			panic(fmt.Sprintf("%s %s: out of registers at instruction %d of %d", b.name, what, i, len(b.ops)))
		}
		var d int
		switch {
		case o.fma != "":
			d = b.putFused(o, src, dies, from)
		case o.tied != "":
			d = from.get(src[0])
			text, suffix := b.arg(o.src[2], src[2])
			b.i(o.tied+suffix, "$0", text, b.v(src[1]), b.v(d))
		default:
			d = from.get(-1)
			o.put(src, d)
		}
		where[o.dst.id] = d
		if b.last[o.dst.id] < 0 { // never used
			from.put(d)
		}
	}
}

// putFused chooses among the three forms of a fused instruction the one that
// overwrites what is used no more.
func (b *body) putFused(o op, s []int, dies func(val) bool, from *pool) int {
	x, y, z := o.src[0], o.src[1], o.src[2]
	name := func(order string) string { return o.fma + order + b.t.p }
	move := func(r int) int {
		d := from.getExcept(s)
		b.i("VMOVAP"+b.t.p[1:], b.v(r), b.v(d))
		return d
	}
	if !z.reg() { // x and y are registers
		text, suffix := b.arg(z, -1)
		switch {
		case dies(x):
			d := from.get(s[0])
			b.i(name("213")+suffix, text, b.v(s[1]), b.v(d))
			return d
		case dies(y):
			d := from.get(s[1])
			b.i(name("213")+suffix, text, b.v(s[0]), b.v(d))
			return d
		}
		d := move(s[0])
		b.i(name("213")+suffix, text, b.v(s[1]), b.v(d))
		return d
	}
	text, suffix := b.arg(y, s[1])
	switch {
	case dies(z) && z.id != x.id && (!y.reg() || z.id != y.id):
		d := from.get(s[2])
		b.i(name("231")+suffix, text, b.v(s[0]), b.v(d))
		return d
	case !y.reg() && dies(x):
		d := from.get(s[0])
		b.i(name("132")+suffix, text, b.v(s[2]), b.v(d))
		return d
	case y.reg() && dies(x) && x.id != z.id:
		d := from.get(s[0])
		b.i(name("213"), b.v(s[2]), b.v(s[1]), b.v(d))
		return d
	case y.reg() && dies(y) && y.id != z.id:
		d := from.get(s[1])
		b.i(name("213"), b.v(s[2]), b.v(s[0]), b.v(d))
		return d
	}
	d := move(s[2])
	b.i(name("231")+suffix, text, b.v(s[0]), b.v(d))
	return d
}

// pool is a set of free registers.
type pool struct{ free []int }

func (p *pool) put(r int) { p.free = append(p.free, r) }

// get takes register r, or any for -1.
func (p *pool) get(r int) int {
	for i, have := range p.free {
		if r < 0 || have == r {
			p.free = append(p.free[:i:i], p.free[i+1:]...)
			return have
		}
	}
	panic("register is not free")
}

// getExcept takes a register that is not in use by the instruction itself.
func (p *pool) getExcept(used []int) int {
next:
	for i, have := range p.free {
		for _, u := range used {
			if have == u {
				continue next
			}
		}
		p.free = append(p.free[:i:i], p.free[i+1:]...)
		return have
	}
	panic("out of registers for a move")
}
