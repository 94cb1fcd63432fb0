package exec

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// network is a program with a product, a convolution, pooling, reductions, an
// index, random numbers and elementwise work, large enough to be cut into
// pieces.
func network(b *Builder) *graph {
	x, w, k, key := b.input(32, 3, 20, 20), b.input(8, 3, 3, 3), b.input(800, 40), b.input(4)
	win := Window{H: 20, W: 20, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 20, OW: 20}
	h := b.Conv(ConvOut, win, 32, 3, 8, 1, x, w)
	dw := b.Conv(ConvWeight, win, 32, 3, 8, 1, x, h)
	dx := b.Conv(ConvImage, win, 32, 3, 8, 1, h, w)
	pool := Window{H: 20, W: 20, R: 2, S: 2, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, OH: 10, OW: 10}
	at := b.MaxIndex(pool, h)
	p := b.Take(b.Reshape(h, []int{32, 8, 400}), b.Reshape(at, []int{32, 8, 100}), 2)
	f := b.Reshape(p, []int{32, 800})
	u := b.Uniform(key, 1, 32, 800)
	f = b.Map2(Mul, f, b.Map2(Gt, u, b.Fill(0.5, 32, 800)))
	z := b.Map1(Tanh, b.Gemm(f, k), 0, 0)
	dk := b.Gemm(b.Permute(f, []int{1, 0}), z)
	sum := b.Reduce(SumRed, dk, []int{0, 1})
	cols := b.Reduce(SumRed, b.Reshape(x, []int{32 * 3 * 20, 20}), []int{0})
	chans := b.Reduce(SumRed, dx, []int{0, 2, 3})
	lse := b.Reduce(LogSumExpRed, z, []int{1})
	return b.returns(z, dw, dx, dk, sum, cols, chans, lse)
}

func networkProgram[T Float](t testing.TB, workers int, squares ...int) *Program[T] {
	b := newBuilder()
	g := network(b)
	if b.err != nil {
		t.Fatal(b.err)
	}
	p, err := assemble[T](g, Options{Pool: parallel.New(workers), Squares: squares})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i, q := range p.inputs {
		x := make([]T, q.n)
		for j := range x {
			x[j] = T(r.NormFloat64())
		}
		if q.n == 4 {
			copy(x, []T{1, 2, 3, 0})
		}
		if err := p.SetInput(i, x); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// TestTheSameBitsOnAnyNumberOfWorkers runs on 1, 2 and 16.
func TestTheSameBitsOnAnyNumberOfWorkers(t *testing.T) {
	var want [][]float32
	for _, workers := range []int{1, 2, 16} {
		p := networkProgram[float32](t, workers)
		for range 3 {
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			for i := range p.outputs {
				if len(want) <= i {
					want = append(want, append([]float32(nil), p.Output(i)...))
					continue
				}
				for j, v := range p.Output(i) {
					if math.Float32bits(v) != math.Float32bits(want[i][j]) {
						t.Fatalf("%d workers: output %d, element %d is %v, on one worker %v", workers, i, j, v, want[i][j])
					}
				}
			}
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, workers := range []int{1, 2} {
		p := networkProgram[float32](t, workers)
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(10, func() { p.Run() }); n != 0 {
			t.Errorf("%d workers: %v allocations a run", workers, n)
		}
	}
	// Every kind of elementwise function too.
	b := newBuilder()
	x := b.input(2000)
	v := x
	for fn := Copy; fn <= Where; fn++ {
		switch fn.Arity() {
		case 1:
			v = b.Map1(fn, b.Map1(Sigmoid, v, 0, 0), 0.5, 0.7)
		case 2:
			v = b.Map2(fn, b.Map1(Sigmoid, v, 0, 0), x)
		case 3:
			v = b.Map3(fn, v, x, v)
		}
	}
	p, err := assemble[float64](b.returns(v), Options{Pool: parallel.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	p.SetInput(0, make([]float64, 2000))
	p.Run()
	if n := testing.AllocsPerRun(10, func() { p.Run() }); n != 0 {
		t.Errorf("elementwise functions: %v allocations a run", n)
	}
}

// TestBothPrecisionsAgree bounds the difference by that of float32 sums of a
// few thousand products.
func TestBothPrecisionsAgree(t *testing.T) {
	p, q := networkProgram[float32](t, 2), networkProgram[float64](t, 2)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if err := q.Run(); err != nil {
		t.Fatal(err)
	}
	for i := range p.outputs {
		scale := 0.0
		for _, v := range q.Output(i) {
			scale = math.Max(scale, math.Abs(v))
		}
		for j, v := range q.Output(i) {
			if e := math.Abs(float64(p.Output(i)[j]) - v); e > 1e-4*scale {
				t.Fatalf("output %d, element %d is %v in float32 and %v in float64", i, j, p.Output(i)[j], v)
			}
		}
	}
}

func TestProgramRefusesWrongInputs(t *testing.T) {
	b := newBuilder()
	x := b.input(2, 3)
	p, err := assemble[float64](b.returns(b.Map1(Exp, x, 0, 0)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"not set":       p.Run(),
		"length":        p.SetInput(0, make([]float64, 5)),
		"number":        p.SetInput(1, nil),
		"output length": p.SetOutput(0, make([]float64, 7)),
		"output number": p.SetOutput(1, nil),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "exec: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestNonFiniteNamesTheFirstTensor(t *testing.T) {
	b := newBuilder()
	x := b.input(4)
	b.where = "dense1"
	y := b.Map1(Log, x, 0, 0)
	b.where = "dense2"
	p, err := assemble[float64](b.returns(b.Map1(Exp, b.Map2(Add, y, y), 0, 0)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.SetInput(0, []float64{1, 2, 3, 4})
	if name, err := p.NonFinite(); name != "" || err != nil {
		t.Errorf("finite numbers: %q, %v", name, err)
	}
	p.SetInput(0, []float64{1, 0, 3, 4})
	if name, _ := p.NonFinite(); !strings.HasPrefix(name, "dense1: map(log) gives -Inf at element 1") {
		t.Errorf("it names %q, want the logarithm in dense1", name)
	}
	p.SetInput(0, []float64{1, 2, math.NaN(), 4})
	if name, _ := p.NonFinite(); !strings.HasPrefix(name, `input "a" has NaN at element 2`) {
		t.Errorf("it names %q, want the input", name)
	}
}

func TestBuilderErrors(t *testing.T) {
	for name, f := range map[string]func(b *Builder, x Value){
		"const":     func(b *Builder, x Value) { b.Const([]int{2}, 1) },
		"map":       func(b *Builder, x Value) { b.Map2(Add, x, b.Fill(0, 3)) },
		"broadcast": func(b *Builder, x Value) { b.Broadcast(x, []int{3, 3}) },
		"reshape":   func(b *Builder, x Value) { b.Reshape(x, []int{7}) },
		"permute":   func(b *Builder, x Value) { b.Permute(x, []int{0, 0}) },
		"slice":     func(b *Builder, x Value) { b.Slice(x, []int{0, 0}, []int{3, 3}, []int{1, 1}) },
		"reduce":    func(b *Builder, x Value) { b.Reduce(SumRed, x, []int{2}) },
		"argmax":    func(b *Builder, x Value) { b.ArgMax(x, 2) },
		"gemm":      func(b *Builder, x Value) { b.Gemm(x, x) },
		"conv":      func(b *Builder, x Value) { b.Conv(ConvOut, Window{}, 1, 1, 1, 1, x, x) },
		"pool":      func(b *Builder, x Value) { b.SumPool(Window{}, x) },
		"gather":    func(b *Builder, x Value) { b.Gather(x, x, 5) },
		"scatter":   func(b *Builder, x Value) { b.ScatterAdd(x, b.Fill(0, 9), 0, 3) },
		"take":      func(b *Builder, x Value) { b.Take(x, b.Fill(0, 9), 0) },
		"put":       func(b *Builder, x Value) { b.PutAdd(x, b.Fill(0, 9), 0, 3) },
		"pad":       func(b *Builder, x Value) { b.Pad(x, []int{-1, 0}, []int{0, 0}, []int{0, 0}) },
		"concat":    func(b *Builder, x Value) { b.Concat(0, x, b.Fill(0, 2, 4)) },
		"uniform":   func(b *Builder, x Value) { b.Uniform(x, 0, 3) },
		"rank":      func(b *Builder, x Value) { b.Reshape(x, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3}) },
	} {
		b := newBuilder()
		x := b.input(2, 3)
		b.where = "here"
		f(b, x)
		if b.err == nil || !strings.HasPrefix(b.err.Error(), "exec: here: ") {
			t.Errorf("%s: error %v", name, b.err)
		}
	}
}

func BenchmarkElementwise(b *testing.B) {
	for _, fn := range []Fn{Add, Mul, Exp, Tanh} {
		b.Run(fn.String(), func(b *testing.B) {
			c := newBuilder()
			x, y := c.input(1<<20), c.input(1<<20)
			v := x
			if fn.Arity() == 2 {
				v = c.Map2(fn, x, y)
			} else {
				v = c.Map1(fn, x, 0, 0)
			}
			p, err := assemble[float32](c.returns(v), Options{})
			if err != nil {
				b.Fatal(err)
			}
			p.SetInput(0, make([]float32, 1<<20))
			p.SetInput(1, make([]float32, 1<<20))
			for b.Loop() {
				p.Run()
			}
			b.ReportMetric(float64(b.N)*(1<<20)/b.Elapsed().Seconds()/1e9, "Gelem/s")
		})
	}
}
