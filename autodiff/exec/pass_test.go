package exec

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// input adds an input to a program under test.
func (b *Builder) input(shape ...int) Value {
	n := 0
	for _, in := range b.g.code {
		if _, ok := in.op.(inputOp); ok {
			n++
		}
	}
	return b.add(inputOp{slot: n, name: string(rune('a' + n))}, shape)
}

// returns ends a program.
func (b *Builder) returns(vs ...Value) *graph {
	b.g.outs = vs
	return b.g
}

// improve puts g through the passes but those named; "" names none.
func (g *graph) improve(skip ...string) {
	for _, name := range skip {
		if name != "" && !slices.ContainsFunc(passes, func(p pass) bool { return p.name == name }) {
			panic("no pass is named " + name)
		}
	}
	for _, p := range passes {
		if !slices.Contains(skip, p.name) {
			p.run(g)
		}
	}
}

func expect(t *testing.T, name string, g *graph, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if got := g.String(); got != want {
		t.Errorf("%s: the program is\n%s\nwant\n%s", name, got, want)
	}
}

func TestPruneDropsWhatNoOutputNeeds(t *testing.T) {
	b := newBuilder()
	x, w := b.input(2, 3), b.input(3, 4)
	y := b.Gemm(x, w)
	b.Gemm(y, b.Permute(w, []int{1, 0})) // a gradient of x that no one reads
	g := b.returns(b.Reduce(SumRed, y, []int{0, 1}))
	expect(t, "before", g, `
	%0 = input("a") [2 3]
	%1 = input("b") [3 4]
	%2 = gemm %0 %1 [2 4]
	%3 = view[1 4] %1 [4 3]
	%4 = gemm %2 %3 [2 3]
	%5 = sum[0 1] %2 []
	return %5
	`)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [2 3]
	%1 = input("b") [3 4]
	%2 = gemm %0 %1 [2 4]
	%5 = sum[0 1] %2 []
	return %5
	`)
}

func TestSimplifyRemovesWhatDoesNothing(t *testing.T) {
	b := newBuilder()
	x := b.input(2, 3)
	one, zero, two := b.Fill(1, 2, 3), b.Fill(0, 2, 3), b.Fill(2, 2, 3)
	y := b.Map2(Mul, b.Map2(Add, x, zero), one)
	y = b.Map2(Div, b.Map2(Sub, y, zero), one)
	y = b.Map1(Neg, b.Map1(Neg, y, 0, 0), 0, 0)
	y = b.Map2(Pow, y, two)
	z := b.Map2(Pow, x, two) // the same again
	g := b.returns(b.Map2(Add, y, z))
	simplify(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [2 3]
	%8 = map(square) %0 [2 3]
	%9 = map(add) %8 %8 [2 3]
	return %9
	`)
}

func TestSimplifyFoldsConstants(t *testing.T) {
	b := newBuilder()
	x := b.input(2)
	c := b.Map2(Mul, b.Const([]int{2}, 3, 4), b.Map1(Sqrt, b.Fill(16, 2), 0, 0))
	g := b.returns(b.Map2(Add, x, c))
	simplify(g)
	prune(g)
	if got := g.String(); !strings.Contains(got, "const[12 16]") || strings.Contains(got, "sqrt") {
		t.Errorf("the program is\n%s\nwant the constant 12 16 in the place of its parts", got)
	}
}

func TestSimplifyFoldsTransposesIntoProducts(t *testing.T) {
	b := newBuilder()
	x, w := b.input(3, 2), b.input(4, 3)
	g := b.returns(b.Gemm(b.Permute(x, []int{1, 0}), b.Dense(b.Permute(w, []int{1, 0}))))
	expect(t, "before", g, `
	%0 = input("a") [3 2]
	%1 = input("b") [4 3]
	%2 = view[1 2] %0 [2 3]
	%3 = view[1 3] %1 [3 4]
	%4 = map(copy) %3 [3 4]
	%5 = gemm %2 %4 [2 4]
	return %5
	`)
	simplify(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [3 2]
	%1 = input("b") [4 3]
	%2 = view[1 2] %0 [2 3]
	%3 = view[1 3] %1 [3 4]
	%5 = gemm %2 %3 [2 4]
	return %5
	`)
}

func TestSimplifyComputesBeforeItRepeats(t *testing.T) {
	b := newBuilder()
	x, y := b.input(3), b.input(2, 3)
	wide := b.Broadcast(x, []int{2, 3})
	g := b.returns(b.Map2(Mul, b.Map1(Exp, wide, 0, 0), y))
	simplify(g)
	prune(g)
	if got := g.String(); !strings.Contains(got, "map(exp)") || strings.Contains(got, "map(exp) %0 [2 3]") ||
		!(strings.Contains(got, "[1 3]") || strings.Contains(got, "[3]")) {
		t.Errorf("the program is\n%s\nwant the exponential of three numbers", got)
	}
}

func TestScheduleHoldsFewerNumbers(t *testing.T) {
	b := newBuilder()
	x := b.input(1000)
	// All exponentials first, all sums after them: four long vectors at once.
	var long, short []Value
	for i := range 4 {
		long = append(long, b.Map1(Exp, b.Map2(Add, x, b.Fill(float64(i), 1000)), 0, 0))
	}
	for _, v := range long {
		short = append(short, b.Reduce(SumRed, v, []int{0}))
	}
	sum := short[0]
	for _, v := range short[1:] {
		sum = b.Map2(Add, sum, v)
	}
	g := b.returns(sum)
	before := g.peak()
	schedule(g)
	if after := g.peak(); before < 4000 || after > 2010 {
		t.Errorf("it holds %d numbers in the order given and %d in the order chosen; want 2000 or so", before, after)
	}
	for i := range g.code {
		for _, v := range g.code[i].in {
			if int(g.vals[v].inst) >= i {
				t.Fatalf("instruction %d reads what comes after it", i)
			}
		}
	}
}

func TestPlanSharesMemoryAndAligns(t *testing.T) {
	b := newBuilder()
	v := b.input(100)
	for range 10 {
		v = b.Map1(Exp, b.Dense(b.Slice(v, []int{0}, []int{100}, []int{1})), 0, 0)
		v = b.Map2(Add, v, b.Broadcast(b.Reduce(SumRed, v, []int{0}), []int{100}))
	}
	g := b.returns(v)
	ownOutputs(g)
	p := makePlan(g, 1, 0)
	if p.arena > 100+2*16+2*16 {
		t.Errorf("the arena has %d elements; one vector, its sum and rounding are enough", p.arena)
	}
	for v, at := range p.at {
		if at.slot == arenaSlot && at.off%align != 0 {
			t.Errorf("value %d begins at %d", v, at.off)
		}
	}
}

// TestValuesThatLiveAtOnceDoNotOverlap checks plans of random programs.
func TestValuesThatLiveAtOnceDoNotOverlap(t *testing.T) {
	for seed := range uint64(200) {
		g := randomProgram(rand.New(rand.NewPCG(seed, 1)))
		g.improve()
		ownOutputs(g)
		p := makePlan(g, 2, 0)
		last := make([]int, len(g.vals))
		for v, u := range g.uses() {
			last[v] = int(g.vals[v].inst)
			if len(u) > 0 {
				last[v] = u[len(u)-1]
			}
		}
		for i := range g.code {
			v := g.code[i].out
			if p.at[v].slot != arenaSlot || g.storage(i) == 0 {
				continue
			}
			for j := range i {
				w := g.code[j].out
				if g.storage(j) == 0 || p.at[w].slot != arenaSlot || last[w] <= i {
					continue // gone, or given up to this instruction in place
				}
				a, b := p.at[v].off, p.at[w].off
				if a < b+Size(g.shape(w)) && b < a+Size(g.shape(v)) {
					t.Fatalf("seed %d: %%%d overwrites %%%d, which is read later\n%s", seed, v, w, g)
				}
			}
		}
	}
}

// randomProgram mixes instructions of all kinds over two inputs [4 6].
func randomProgram(r *rand.Rand) *graph {
	b := newBuilder()
	vs := []Value{b.input(4, 6), b.input(4, 6), b.Const([]int{1, 6}, 1, 2, 0, 1, 1, 1), b.Fill(1, 4, 6)}
	pick := func() Value { return vs[r.IntN(len(vs))] }
	to := func(shape ...int) Value { // some value, made to fit
		v := pick()
		s := b.Shape(v)
		if got, err := joinShapes(s, shape); err == nil && sameShape(got, shape) {
			return b.Broadcast(v, shape)
		}
		if Size(s) == Size(shape) {
			return b.Reshape(v, shape)
		}
		return b.Broadcast(b.Reduce(SumRed, v, axesUpTo(len(s))), shape)
	}
	for range 25 {
		var v Value
		switch r.IntN(12) {
		case 0, 1:
			x := pick()
			v = b.Map1([]Fn{Neg, Square, Tanh, Exp, Sigmoid, Abs}[r.IntN(6)], b.Map1(Tanh, x, 0, 0), 0, 0)
		case 2, 3, 4:
			v = b.Map2([]Fn{Add, Sub, Mul, Max, Gt}[r.IntN(5)], to(4, 6), to(4, 6))
		case 5:
			v = b.Map3(Where, to(4, 6), to(4, 6), to(4, 6))
		case 6:
			x := pick()
			if n := len(b.Shape(x)); n > 0 {
				v = b.Reduce([]Red{SumRed, MaxRed, MinRed, LogSumExpRed}[r.IntN(4)], b.Map1(Tanh, x, 0, 0), []int{r.IntN(n)})
			} else {
				v = x
			}
		case 7:
			v = b.Map1(Tanh, b.Gemm(to(4, 6), b.Permute(to(4, 6), []int{1, 0})), 0, 0) // [4 4]
		case 8:
			x := to(4, 6)
			v = b.Slice(x, []int{1, 0}, []int{4, 6}, []int{1, 2}) // [3 3]
			v = b.Pad(v, []int{0, 1}, []int{1, 0}, []int{0, 1})   // [4 6]
		case 9:
			v = b.Permute(to(4, 6), []int{1, 0})
			v = b.Reshape(v, []int{4, 6})
		case 10:
			v = b.Concat(0, to(2, 6), to(2, 6))
		case 11:
			v = b.Broadcast(b.Reduce(SumRed, to(4, 6), []int{1}), []int{6, 4})
			v = b.Permute(v, []int{1, 0})
		}
		vs = append(vs, v)
	}
	if b.err != nil {
		panic(b.err)
	}
	n := len(vs)
	return b.returns(b.Map2(Add, to(4, 6), to(4, 6)), vs[n-1], vs[n-2], vs[0], vs[n-1])
}

func axesUpTo(n int) []int {
	a := make([]int, n)
	for i := range a {
		a[i] = i
	}
	return a
}

func joinShapes(a, b []int) ([]int, error) {
	out := make([]int, len(b))
	copy(out, b)
	if len(a) > len(b) {
		return nil, errShape
	}
	for i, n := range a {
		if m := b[len(b)-len(a)+i]; n != m && n != 1 {
			return nil, errShape
		}
	}
	return out, nil
}

type shapeError struct{}

func (shapeError) Error() string { return "shapes do not fit" }

var errShape = shapeError{}

// TestPassesKeepValues runs random programs as written and after every pass.
func TestPassesKeepValues(t *testing.T) {
	x, y := make([]float64, 24), make([]float64, 24)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range x {
		x[i], y[i] = r.NormFloat64(), r.NormFloat64()
	}
	run := func(g *graph) [][]float64 {
		p, err := link[float64](g, Options{Pool: parallel.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		p.SetInput(0, x)
		p.SetInput(1, y)
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		var out [][]float64
		for i := range p.outputs {
			out = append(out, append([]float64(nil), p.Output(i)...))
		}
		return out
	}
	for seed := range uint64(300) {
		plain := run(randomProgram(rand.New(rand.NewPCG(seed, 1))))
		g := randomProgram(rand.New(rand.NewPCG(seed, 1)))
		g.improve()
		got := run(g)
		for i := range plain {
			for j := range plain[i] {
				a, b := plain[i][j], got[i][j]
				if d := a - b; !(d <= 1e-12*max(1, a) && -d <= 1e-12*max(1, a)) && a == a {
					t.Fatalf("seed %d: output %d, element %d is %v, as written %v\n%s", seed, i, j, b, a, g)
				}
			}
		}
	}
}
