package exec

import (
	"fmt"
	"slices"
	"strings"
)

// Value is a tensor of a program that is being built: what an instruction
// gives and others read.
type Value int32

// None is the Value of an instruction that could not be built.
const None Value = -1

// graph is a program as the passes see it: instructions in an order in which
// each comes after those it reads.
type graph struct {
	vals   []val
	code   []inst
	outs   []Value
	copies int  // of every late value, at least 1
	single bool // numbers are float32
}

type val struct {
	shape []int
	inst  int32 // the instruction that gives it
}

type inst struct {
	op    op
	in    []Value
	out   Value
	more  []Value // results beside out: of a region, or the sums of the columns of out
	where string  // the layer or expression it comes from, for errors and profiles
	late  bool    // runs in each Run of a program that is prepared once (see stage)
}

// outs calls f for each result.
func (in *inst) outs(f func(v Value)) {
	f(in.out)
	for _, v := range in.more {
		f(v)
	}
}

// An op is what an instruction does. Its String holds every setting: two
// instructions of equal strings, operands and shape give equal values.
type op interface{ String() string }

func (g *graph) def(v Value) *inst   { return &g.code[g.vals[v].inst] }
func (g *graph) shape(v Value) []int { return g.vals[v].shape }

// late tells whether v is of the second stage.
func (g *graph) late(v Value) bool { return g.def(v).late }

func (g *graph) add(o op, where string, shape []int, in ...Value) Value {
	v := Value(len(g.vals))
	g.vals = append(g.vals, val{shape: shape, inst: int32(len(g.code))})
	g.code = append(g.code, inst{op: o, in: in, out: v, where: where})
	return v
}

// view resolves v to what holds its elements: the value computed or given, and
// the offset and strides in it.
func (g *graph) view(v Value) (base Value, off int, stride []int) {
	if o, ok := g.def(v).op.(viewOp); ok {
		return g.def(v).in[0], o.off, o.stride
	}
	return v, 0, rowMajor(g.shape(v))
}

// dense tells whether the elements of v lie one after another in row-major
// order.
func (g *graph) dense(v Value) bool {
	o, ok := g.def(v).op.(viewOp)
	return !ok || slices.Equal(o.stride, rowMajor(g.shape(v)))
}

// splat gives the one number that every element of v is, if it is a constant
// of that kind.
func (g *graph) splat(v Value) (float64, bool) {
	base, off, stride := g.view(v)
	c, ok := g.def(base).op.(constOp)
	if !ok || Size(g.shape(v)) == 0 {
		return 0, false
	}
	n := extent(g.shape(v), stride)
	x := c.data[off]
	for _, y := range c.data[off : off+n] {
		if y != x {
			return 0, false
		}
	}
	return x, true
}

// clone is a copy that passes may change.
func (g *graph) clone() *graph {
	c := *g
	c.vals, c.code, c.outs = slices.Clone(g.vals), slices.Clone(g.code), slices.Clone(g.outs)
	return &c
}

// String lists the program, an instruction a line.
func (g *graph) String() string {
	var b strings.Builder
	for i := range g.code {
		in := &g.code[i]
		fmt.Fprintf(&b, "%%%d", in.out)
		for _, v := range in.more {
			fmt.Fprintf(&b, " %%%d", v)
		}
		fmt.Fprintf(&b, " = %s", in.op)
		if _, region := in.op.(regionOp); len(in.more) > 0 && !region {
			b.WriteString(" and sums of columns, of")
		}
		for _, v := range in.in {
			fmt.Fprintf(&b, " %%%d", v)
		}
		fmt.Fprintf(&b, " %s", shapeString(g.shape(in.out)))
		if in.late {
			b.WriteString(" late")
		}
		if in.where != "" {
			fmt.Fprintf(&b, " ; %s", in.where)
		}
		b.WriteByte('\n')
	}
	b.WriteString("return")
	for _, v := range g.outs {
		fmt.Fprintf(&b, " %%%d", v)
	}
	b.WriteByte('\n')
	return b.String()
}

// inputOp is a tensor that the caller gives.
type inputOp struct {
	slot int
	name string
	late bool
	data bool // not a parameter
}

func (o inputOp) String() string { return fmt.Sprintf("input(%q)", o.name) }

// constOp is a tensor known when the program is compiled.
type constOp struct{ data []float64 }

func (o constOp) String() string {
	if len(o.data) <= 8 {
		return fmt.Sprintf("const%v", o.data)
	}
	return fmt.Sprintf("const(%d numbers at %p)", len(o.data), &o.data[0])
}

// viewOp reads its operand, which is not itself a view, at other strides.
type viewOp struct {
	off    int
	stride []int
}

func (o viewOp) String() string {
	if o.off == 0 {
		return fmt.Sprintf("view%v", o.stride)
	}
	return fmt.Sprintf("view%v+%d", o.stride, o.off)
}
