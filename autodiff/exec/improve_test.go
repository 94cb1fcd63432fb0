package exec

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

func TestRectifyReadsTheMaskFromWhatIsKept(t *testing.T) {
	b := newBuilder()
	x, d := b.input(4), b.input(4)
	mask := b.Map2(Gt, x, b.Fill(0, 4))
	y := b.Map1(Relu, x, 0, 0)
	g := b.returns(y, b.Map2(Mul, d, mask))
	expect(t, "before", g, `
	%0 = input("a") [4]
	%1 = input("b") [4]
	%2 = const[0] []
	%3 = view[0] %2 [4]
	%4 = map(gt) %0 %3 [4]
	%5 = map(relu) %0 [4]
	%6 = map(mul) %1 %4 [4]
	return %5 %6
	`)
	rectify(g)
	expect(t, "after", g, `
	%0 = input("a") [4]
	%1 = input("b") [4]
	%2 = const[0] []
	%3 = view[0] %2 [4]
	%5 = map(relu) %0 [4]
	%4 = map(gt) %5 %3 [4]
	%6 = map(mul) %1 %4 [4]
	return %5 %6
	`)
}

func TestUnpoolMovesTheMaskToWhatWasTaken(t *testing.T) {
	b := newBuilder()
	win := Window{H: 4, W: 4, R: 2, S: 2, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, OH: 2, OW: 2}
	x, d := b.channelsSecond(b.input(1, 4, 4, 3)), b.input(1, 3, 2, 2) // as a convolution leaves it
	x = b.Map1(Relu, x, 0, 0)
	at := b.MaxIndex(win, x)
	y := b.PoolTake(win, x, at)
	g := b.returns(y, b.Map2(Mul, b.PoolPut(win, d, at), b.Map2(Gt, x, b.Fill(0, 1, 3, 4, 4))))
	simplify(g)
	prune(g)
	before := g.String()
	unpool(g)
	prune(g)
	masks := func(text string) (plane, results bool) {
		for line := range strings.Lines(text) {
			plane = plane || strings.Contains(line, "map(gt)") && strings.Contains(line, "[1 4 4 3]")
			results = results || strings.Contains(line, "map(gt)") && strings.Contains(line, "[1 2 2 3]")
		}
		return plane, results
	}
	wasPlane, _ := masks(before)
	plane, results := masks(g.String())
	if text := g.String(); !wasPlane || plane || !results || strings.Count(text, "pool_put") != 1 {
		t.Errorf("the mask reads the plane: before\n%s\nafter\n%s", before, text)
	}
}

func TestAccumulateAddsProductsInOne(t *testing.T) {
	b := newBuilder()
	x, w, y, v := b.input(2, 3), b.input(3, 4), b.input(2, 5), b.input(5, 4)
	g := b.returns(b.Map2(Add, b.Map2(Add, b.Gemm(x, w), b.Gemm(y, v)), b.Gemm(x, w)))
	accumulate(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [2 3]
	%1 = input("b") [3 4]
	%2 = input("c") [2 5]
	%3 = input("d") [5 4]
	%8 = gemm[3] %0 %1 %2 %3 %0 %1 [2 4]
	return %8
	`)
}

// A product that something else reads too stays.
func TestAccumulateKeepsWhatIsReadTwice(t *testing.T) {
	b := newBuilder()
	x, w := b.input(2, 3), b.input(3, 4)
	p := b.Gemm(x, w)
	g := b.returns(b.Map2(Add, p, b.Gemm(x, w)), p)
	before := g.String()
	accumulate(g)
	expect(t, "after", g, before)
}

func TestStageMarksWhatDependsOnLateInputs(t *testing.T) {
	b := newBuilder()
	x, v := b.input(4), b.add(inputOp{slot: 1, name: "v", late: true}, []int{4})
	h := b.Map1(Tanh, x, 0, 0)
	g := b.returns(b.Map2(Mul, v, b.Map1(Square, h, 0, 0)), h)
	stage(g)
	expect(t, "after", g, `
	%0 = input("a") [4]
	%1 = input("v") [4] late
	%2 = map(tanh) %0 [4]
	%3 = map(square) %2 [4]
	%4 = map(mul) %1 %3 [4] late
	return %4 %2
	`)
}

func TestFuseJoinsChains(t *testing.T) {
	b := newBuilder()
	x, y := b.input(4), b.input(4)
	z := b.Map1(Tanh, b.Map2(Add, x, y), 0, 0) // one reader each
	g := b.returns(b.Map2(Mul, z, b.Map2(Sub, b.Fill(1, 4), b.Map1(Square, y, 0, 0))))
	fuse(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [4]
	%1 = input("b") [4]
	%4 = const[1] []
	%5 = view[0] %4 [4]
	%8 = map(add r0 r1; tanh r3; square r1; sub r2 r5; mul r4 r6) %0 %1 %5 [4]
	return %8
	`)
}

// What is cheap is computed again by each reader where its operand is there
// anyway; what is not is kept.
func TestFuseComputesCheapThingsAgain(t *testing.T) {
	b := newBuilder()
	x, d := b.input(4), b.input(4)
	zero := b.Fill(0, 4)
	mask := b.Map2(Gt, x, zero)
	slow := b.Map1(Exp, x, 0, 0)
	g := b.returns(b.Map2(Mul, mask, d), b.Map2(Add, mask, b.Map2(Mul, d, d)), b.Map2(Sub, slow, d), b.Map2(Mul, slow, d))
	fuse(g)
	prune(g)
	text := g.String()
	if strings.Contains(text, "map(gt)") {
		t.Errorf("the mask is kept:\n%s", text)
	}
	if strings.Count(text, "exp") != 1 || !strings.Contains(text, "map(exp)") {
		t.Errorf("the exponential is not computed once:\n%s", text)
	}
}

// Outputs, values with readers of other kinds, and what is computed once for
// many runs stay.
func TestFuseKeepsWhatOthersRead(t *testing.T) {
	b := newBuilder()
	x, w := b.input(4, 4), b.input(4, 4)
	v := b.add(inputOp{slot: 2, name: "v", late: true}, []int{4, 4})
	wanted := b.Map1(Neg, x, 0, 0)
	factor := b.Map1(Abs, w, 0, 0)
	once := b.Map2(Mul, x, w)
	g := b.returns(wanted, b.Map1(Exp, wanted, 0, 0), b.Gemm(factor, x), b.Map1(Exp, factor, 0, 0), b.Map2(Mul, v, once))
	stage(g)
	before := g.String()
	fuse(g)
	prune(g)
	expect(t, "after", g, before)
}

// lateProgram is a product with a direction v [3 4] at a point x [2 3].
func lateProgram(b *Builder) *graph {
	x := b.input(2, 3)
	v := b.add(inputOp{slot: 1, name: "v", late: true}, []int{3, 4})
	h := b.Map1(Tanh, x, 0, 0)
	y := b.Map2(Add, b.Gemm(h, v), b.Gemm(b.Map1(Square, h, 0, 0), v))
	return b.returns(y, b.Reduce(SumRed, y, []int{0}), h, b.Map1(Exp, b.Map1(Neg, v, 0, 0), 0, 0))
}

func TestCopiesOfUnitsComeOnce(t *testing.T) {
	const copies, strips = 3, 4
	for run := 1; run <= 5; run++ {
		seen := map[[2]int]int{}
		held, packed := [2]int{-1, -1}, 0
		for i := range copies * strips * run {
			copy, unit := copyOrder(run).of(i, copies)
			seen[[2]int{copy, unit}]++
			if strip := [2]int{copy, unit / run}; strip != held {
				held = strip
				packed++
			}
		}
		for copy := range copies {
			for unit := range strips * run {
				if n := seen[[2]int{copy, unit}]; n != 1 {
					t.Errorf("runs of %d: unit %d of copy %d comes %d times", run, unit, copy, n)
				}
			}
		}
		if packed != copies*strips {
			t.Errorf("runs of %d: %d copies of %d strips are packed %d times", run, copies, strips, packed)
		}
	}
}

func TestCopiesAreWhatSingleRunsGive(t *testing.T) {
	const copies = 5
	b := newBuilder()
	g := lateProgram(b)
	g.copies = copies
	p, err := assemble[float64](g, Options{Pool: parallel.New(2)})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		return x
	}
	p.SetInput(0, random(6))
	if err := p.Run(); err == nil {
		t.Error("it runs before it is prepared")
	}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	var vs [][]float64
	var want [][][]float64
	for range copies {
		v := random(12)
		vs = append(vs, v)
		p.SetInput(1, v)
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		var outs [][]float64
		for i := range p.outputs {
			outs = append(outs, slices.Clone(p.Output(i)))
		}
		want = append(want, outs)
	}
	if slices.Equal(want[0][0], want[1][0]) {
		t.Fatal("the direction has no effect")
	}
	for k, v := range vs {
		if err := p.set(1, k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 3, copies} {
		if err := p.RunCopies(n); err != nil {
			t.Fatal(err)
		}
		for k := range n {
			for _, i := range []int{0, 1, 3} {
				if !slices.Equal(p.OutputCopy(i, k), want[k][i]) {
					t.Errorf("output %d of copy %d of %d is %v, by itself %v", i, k, n, p.OutputCopy(i, k), want[k][i])
				}
			}
		}
	}
	if !slices.Equal(p.Output(2), want[0][2]) {
		t.Error("an early output changed")
	}
	if n := testing.AllocsPerRun(10, func() { p.RunCopies(copies) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
	if err := p.RunCopies(copies + 1); err == nil {
		t.Error("it runs more copies than it has")
	}
	if err := p.set(0, 1, random(6)); err == nil {
		t.Error("an early input has a second copy")
	}
}

// What later runs read must survive them.
func TestPreparedValuesSurviveRuns(t *testing.T) {
	for seed := range uint64(200) {
		g := withLate(randomProgram(rand.New(rand.NewPCG(seed, 1))))
		g.copies = 3
		p, err := assemble[float64](g, Options{Pool: parallel.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 2))
		x := make([]float64, 24)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		p.SetInput(0, x)
		for k := range 3 {
			p.set(1, k, x)
		}
		if err := p.Prepare(); err != nil {
			t.Fatal(err)
		}
		var first [][]float64
		for round := range 3 {
			if err := p.RunCopies(3); err != nil {
				t.Fatal(err)
			}
			for i := range p.outputs {
				for k := range p.outputs[i].copies {
					got := p.OutputCopy(i, k)
					if round == 0 && k == 0 {
						first = append(first, slices.Clone(got))
					}
					for j := range got {
						if got[j] != first[i][j] && got[j] == got[j] {
							t.Fatalf("seed %d: round %d: output %d of copy %d is %v, first %v\n%s", seed, round, i, k, got, first[i], p)
						}
					}
				}
			}
		}
	}
}

func TestPretransposeCopiesOnceForManyProducts(t *testing.T) {
	b := newBuilder()
	w := b.input(20, 30)
	v := b.add(inputOp{slot: 1, name: "v", late: true}, []int{10, 30})
	wt := b.Permute(w, []int{1, 0})
	g := b.returns(b.Gemm(v, wt))
	stage(g)
	pretranspose(g)
	expect(t, "after", g, `
	%0 = input("a") [20 30]
	%1 = input("v") [10 30] late
	%2 = view[1 30] %0 [30 20]
	%4 = map(copy) %2 [30 20]
	%3 = gemm %1 %4 [10 20] late
	return %3
	`)
	// An early product packs it on the way.
	b = newBuilder()
	x, w := b.input(10, 30), b.input(20, 30)
	g = b.returns(b.Gemm(x, b.Permute(w, []int{1, 0})))
	before := g.String()
	pretranspose(g)
	expect(t, "after", g, before)
	// Rows a page apart, read by columns, are copied.
	b = newBuilder()
	x, w = b.input(200, 1024), b.input(200, 40)
	g = b.returns(b.Gemm(b.Permute(x, []int{1, 0}), w))
	pretranspose(g)
	if !strings.Contains(g.String(), "map(copy)") {
		t.Errorf("columns that share cache lines are read in place:\n%s", g)
	}
}

// Elementwise work behind a product or a convolution is done on its blocks, with
// operands that follow its rows or columns.
func TestEpiloguesJoinProducts(t *testing.T) {
	b := newBuilder()
	x, w, bias, mask := b.input(40, 30), b.input(30, 20), b.input(20), b.input(40, 20)
	y := b.Map2(Mul, mask, b.Map1(Relu, b.Map2(Add, b.Gemm(x, w), b.Broadcast(bias, []int{40, 20})), 0, 0))
	g := b.returns(y)
	fuse(g)
	prune(g)
	epilogues(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [40 30]
	%1 = input("b") [30 20]
	%2 = input("c") [20]
	%3 = input("d") [40 20]
	%5 = view[0 1] %2 [40 20]
	%8 = gemm map(add r0 r2; relu r3; mul r1 r4) %0 %1 %3 %5 [40 20]
	return %8
	`)
	// A wide product leaves the mask to a pass over the whole.
	b = newBuilder()
	x, w, bias, mask = b.input(40, 30), b.input(30, 200), b.input(200), b.input(40, 200)
	h := b.Map1(Relu, b.Map2(Add, b.Gemm(x, w), b.Broadcast(bias, []int{40, 200})), 0, 0)
	g = b.returns(h, b.Map2(Mul, mask, b.Gemm(x, w)))
	fuse(g)
	prune(g)
	epilogues(g)
	prune(g)
	expect(t, "after", g, `
	%0 = input("a") [40 30]
	%1 = input("b") [30 200]
	%2 = input("c") [200]
	%3 = input("d") [40 200]
	%5 = view[0 1] %2 [40 200]
	%7 = gemm map(add r0 r1; relu r2) %0 %1 %5 [40 200]
	%8 = gemm %0 %1 [40 200]
	%9 = map(mul) %3 %8 [40 200]
	return %7 %9
	`)
	// What something else reads too stays, and so does one that meets its own transpose.
	b = newBuilder()
	x, w = b.input(20, 30), b.input(30, 20)
	p, q := b.Gemm(x, w), b.Gemm(w, x)
	g = b.returns(b.Map1(Exp, p, 0, 0), p, b.Map2(Add, q, b.Permute(q, []int{1, 0})))
	before := g.String()
	epilogues(g)
	expect(t, "after", g, before)
}

// TestEpiloguesKeepBits over random sizes and kinds of operands: no bit changes.
func TestEpiloguesKeepBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for range 60 {
		m, n, k, batch := 1+r.IntN(150), 1+r.IntN(64), 1+r.IntN(40), 1+r.IntN(3)
		if r.IntN(3) == 0 {
			n = 65 + r.IntN(300) // several strips of columns
		}
		build := func() *graph {
			b := newBuilder()
			x, w := b.input(batch, m, k), b.input(batch, k, n)
			full, row, col, num, odd := b.input(batch, m, n), b.input(n), b.input(batch, m, 1), b.input(), b.input(batch, n, m)
			to := func(v Value) Value { return b.Broadcast(v, []int{batch, m, n}) }
			z := b.Map2(Add, b.Gemm(x, w), to(row))
			z = b.Map2(Sub, b.Map1(Tanh, z, 0, 0), to(num))
			if n <= 64 { // wider ones take what is the same for all rows
				z = b.Map2(Max, full, b.Map2(Mul, z, to(col)))
			}
			if n <= 64 && batch == 1 {
				z = b.Map2(Mul, z, b.Permute(odd, []int{0, 2, 1}))
			}
			win := Window{H: 5, W: m, R: 3, S: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, OH: 5, OW: m}
			image, filter := b.input(batch, k, 5, m), b.input(n, k, 3, 1)
			c := b.Conv(ConvOut, win, batch, k, n, 1, image, filter)
			c = b.Map1(Sigmoid, b.Map2(Add, c, b.Broadcast(b.Reshape(row, []int{n, 1, 1}), []int{batch, n, 5, m})), 0, 0)
			return b.returns(z, c)
		}
		var want [][]float32
		var inputs [][]float32
		for _, skip := range []string{"epilogues", ""} {
			g := build()
			g.single = true
			g.improve(skip)
			if skip == "" && !strings.Contains(g.String(), "gemm map(") {
				t.Fatalf("no product has an epilogue:\n%s", g)
			}
			p, err := link[float32](g, Options{Pool: parallel.New(2)})
			if err != nil {
				t.Fatal(err)
			}
			for i, q := range p.inputs {
				if len(inputs) == i {
					inputs = append(inputs, random(q.n))
				}
				p.SetInput(i, inputs[i])
			}
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			for i := range p.outputs {
				if skip != "" {
					want = append(want, slices.Clone(p.Output(i)))
				} else if !slices.Equal(want[i], p.Output(i)) {
					t.Fatalf("%d x %d x %d x %d: output %d differs", batch, m, k, n, i)
				}
			}
			if n := testing.AllocsPerRun(5, func() { p.Run() }); n != 0 {
				t.Errorf("%v allocations a run", n)
			}
		}
	}
}
