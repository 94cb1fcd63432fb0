package main

import (
	"fmt"
	"strconv"
	"strings"
)

// goLanes writes plain Go: a statement for each operation. An operation on
// numbers flushes those of less than full precision where the rule asks for it,
// as the processor's flag does in assembly.
type goLanes struct {
	text    strings.Builder
	flush   bool
	n       int
	flushed map[string]bool // needs no flushing: the result of an operation
}

// name is a new variable, set to an expression.
func (g *goLanes) name(format string, args ...any) val {
	g.n++
	v := "v" + strconv.Itoa(g.n)
	fmt.Fprintf(&g.text, "%s := %s\n", v, fmt.Sprintf(format, args...))
	return val{mem: v}
}

// in is an operand.
func (g *goLanes) in(x val) string {
	if g.flush && !g.flushed[x.mem] {
		return "normal(" + x.mem + ")"
	}
	return x.mem
}

// out is the result of an operation that rounds. The conversion keeps compilers
// from making one operation of two.
func (g *goLanes) out(format string, args ...any) val {
	text := "T(" + fmt.Sprintf(format, args...) + ")"
	if g.flush {
		text = "normal(" + text + ")"
	}
	v := g.name("%s", text)
	g.flushed[v.mem] = true
	return v
}

func (g *goLanes) k(x float64) val {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	g.flushed[text] = true
	return val{mem: text}
}

func (g *goLanes) add(x, y val) val { return g.out("%s + %s", g.in(x), g.in(y)) }
func (g *goLanes) sub(x, y val) val { return g.out("%s - %s", g.in(x), g.in(y)) }
func (g *goLanes) mul(x, y val) val { return g.out("%s * %s", g.in(x), g.in(y)) }
func (g *goLanes) div(x, y val) val { return g.out("%s / %s", g.in(x), g.in(y)) }
func (g *goLanes) sqrt(x val) val   { return g.out("math.Sqrt(float64(%s))", g.in(x)) }

func (g *goLanes) abs(x val) val {
	v := g.name("T(math.Abs(float64(%s)))", x.mem)
	g.flushed[v.mem] = g.flushed[x.mem]
	return v
}

func (g *goLanes) neg(x val) val {
	v := g.name("-%s", x.mem)
	g.flushed[v.mem] = g.flushed[x.mem]
	return v
}

func (g *goLanes) largest(x, y val) val {
	v := g.name("max(%s, %s)", g.in(x), g.in(y))
	g.flushed[v.mem] = true
	return v
}

func (g *goLanes) above(x, y val) val { return g.name("%s > %s", g.in(x), g.in(y)) }

func (g *goLanes) choose(m, x, y val) val {
	v := g.name("either(%s, %s, %s)", m.mem, x.mem, y.mem)
	g.flushed[v.mem] = g.flushed[x.mem] && g.flushed[y.mem]
	return v
}
