package exec

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// images is a program of two convolutions with rectifiers and pooling, a sum over
// the batch between them, a product, dropout, and gradients of all, of n images;
// v is a direction for the first weights.
func images(b *Builder, n int, late bool) *graph {
	x, w1, w2, k, key := b.input(n, 2, 9, 9), b.input(3, 2, 3, 3), b.input(4, 3, 3, 3), b.input(64, 5), b.input(4)
	v := b.add(inputOp{slot: 5, name: "v", late: late}, []int{3, 2, 3, 3})
	same := Window{H: 9, W: 9, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 9, OW: 9}
	half := Window{H: 9, W: 9, R: 2, S: 2, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, OH: 4, OW: 4}
	small := Window{H: 4, W: 4, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 4, OW: 4}

	z := b.Conv(ConvOut, same, n, 2, 3, 1, x, w1)
	// Batch statistics, which mix examples.
	mean := b.Map2(Mul, b.Reduce(SumRed, z, []int{0, 2, 3}), b.Fill(1/float64(81*n), 3))
	z = b.Map2(Sub, z, b.Broadcast(b.Reshape(mean, []int{3, 1, 1}), []int{n, 3, 9, 9}))
	h := b.Map1(Relu, z, 0, 0)
	at := b.MaxIndex(half, h)
	p := b.PoolTake(half, h, at)
	y := b.Map1(Tanh, b.Conv(ConvOut, small, n, 3, 4, 1, p, w2), 0, 0)
	u := b.Uniform(key, 1, n, 4, 4, 4)
	y = b.Map2(Mul, y, b.Map2(Gt, u, b.Fill(0.25, n, 4, 4, 4)))
	flat := b.Reshape(y, []int{n, 64})
	out := b.Gemm(flat, k)

	dy := b.Reshape(b.Gemm(out, b.Permute(k, []int{1, 0})), []int{n, 4, 4, 4})
	dw2 := b.Conv(ConvWeight, small, n, 3, 4, 1, p, dy)
	dp := b.Conv(ConvImage, small, n, 3, 4, 1, dy, w2)
	dh := b.PoolPut(half, dp, at)
	dz := b.Map2(Mul, dh, b.Map2(Gt, h, b.Fill(0, n, 3, 9, 9)))
	dw1 := b.Conv(ConvWeight, same, n, 2, 3, 1, x, dz)
	bias := b.Reduce(SumRed, dz, []int{0, 2, 3})

	jv := b.Map2(Mul, b.Conv(ConvOut, same, n, 2, 3, 1, x, v), b.Map2(Gt, h, b.Fill(0, n, 3, 9, 9)))
	jp := b.PoolTake(half, jv, at)
	gv := b.Conv(ConvWeight, small, n, 3, 4, 1, jp, dy)
	return b.returns(out, dw2, dw1, bias, y, jp, gv, b.Reduce(MaxRed, y, []int{1, 2, 3}))
}

// imagesProgram is that with numbers, without the passes named.
func imagesProgram(t *testing.T, n, workers, copies int, late bool, skip ...string) *Program[float64] {
	t.Helper()
	b := newBuilder()
	g := images(b, n, late)
	if b.err != nil {
		t.Fatal(b.err)
	}
	g.copies = copies
	plain := g.clone()
	g.improve(skip...)
	p, err := link[float64](g, Options{Pool: parallel.New(workers)})
	if err != nil {
		t.Fatal(err)
	}
	p.plain = plain
	r := rand.New(rand.NewPCG(5, uint64(n)))
	prepare(t, p, func(int) float64 { return r.NormFloat64() })
	if err := p.RunCopies(copies); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTileMakesRegionsBetweenSums(t *testing.T) {
	p := imagesProgram(t, 32, 1, 1, false)
	text := p.String()
	// The first convolution; from its rectifier to the second's dropout; back.
	if got := strings.Count(text, "= region of 32 examples"); got != 3 {
		t.Errorf("%d regions, want 3:\n%s", got, text)
	}
	inside := false
	for line := range strings.Lines(text) {
		inside = inside && !strings.HasPrefix(line, "end") || strings.Contains(line, "region of")
		if !inside && strings.Contains(line, "conv") && !strings.Contains(line, "region") {
			t.Errorf("a convolution is in no region: %s", line)
		}
	}
	if text := imagesProgram(t, 8, 1, 1, false).String(); strings.Contains(text, "region of") {
		t.Errorf("a batch of 8 is cut:\n%s", text)
	}
}

// TestTileKeepsValues: sums over slices differ from sums over the batch by
// rounding, all else not at all.
func TestTileKeepsValues(t *testing.T) {
	for _, n := range []int{16, 17, 31, 64, 101} {
		for _, late := range []bool{false, true} {
			copies := 1
			if late {
				copies = 3
			}
			want, got := imagesProgram(t, n, 1, copies, late, "tile"), imagesProgram(t, n, 2, copies, late)
			if !strings.Contains(got.String(), "region of") {
				t.Fatal("nothing is cut")
			}
			for i := range want.outputs {
				for k := range want.outputs[i].copies {
					x, y := want.OutputCopy(i, k), got.OutputCopy(i, k)
					size := 0.0
					for _, v := range x {
						size = max(size, math.Abs(v))
					}
					for j := range x {
						if !(math.Abs(x[j]-y[j]) <= 1e-13*size) {
							t.Fatalf("%d images, late %t: output %d of copy %d, element %d is %v, whole %v", n, late, i, k, j, y[j], x[j])
						}
					}
				}
			}
		}
	}
}

func TestTileGivesTheSameBitsOnAnyNumberOfWorkers(t *testing.T) {
	want := imagesProgram(t, 45, 1, 2, true)
	for _, workers := range []int{2, 16} {
		got := imagesProgram(t, 45, workers, 2, true)
		for round := range 3 {
			for i := range want.outputs {
				for k := range want.outputs[i].copies {
					if !slices.Equal(want.OutputCopy(i, k), got.OutputCopy(i, k)) {
						t.Fatalf("%d workers, round %d: output %d of copy %d differs", workers, round, i, k)
					}
				}
			}
			if err := got.RunCopies(2); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTileAllocatesNothing(t *testing.T) {
	p := imagesProgram(t, 32, 2, 2, true)
	if n := testing.AllocsPerRun(10, func() { p.Prepare(); p.RunCopies(2) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// What stands between two convolutions is held for a slice alone.
func TestTileNeedsLessMemory(t *testing.T) {
	bytes := func(skip string) int {
		b := newBuilder()
		win := Window{H: 12, W: 12, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 12, OW: 12}
		x, w := b.input(256, 8, 12, 12), b.input(8, 8, 3, 3)
		for range 4 {
			x = b.Map1(Relu, b.Conv(ConvOut, win, 256, 8, 8, 1, x, w), 0, 0)
		}
		g := b.returns(b.Reduce(SumRed, x, []int{1, 2, 3}))
		g.improve(skip)
		p, err := link[float64](g, Options{Pool: parallel.New(2)})
		if err != nil {
			t.Fatal(err)
		}
		return p.Bytes()
	}
	if whole, cut := bytes("tile"), bytes(""); cut > whole/2 {
		t.Errorf("%d bytes cut, %d whole", cut, whole)
	}
}

// Winograd's method is for float32 alone, and the same to its error.
func TestWinogradIsUsedInSinglePrecision(t *testing.T) {
	build := func() *graph {
		b := newBuilder()
		win := Window{H: 14, W: 14, R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, OH: 14, OW: 14}
		x, w, d := b.input(32, 32, 14, 14), b.input(64, 32, 3, 3), b.input(32, 64, 14, 14)
		return b.returns(b.Conv(ConvOut, win, 32, 32, 64, 1, x, w), b.Conv(ConvImage, win, 32, 32, 64, 1, d, w))
	}
	o := Options{Pool: parallel.New(2)}
	p, err := assemble[float32](build(), o)
	if err != nil {
		t.Fatal(err)
	}
	q, err := assemble[float64](build(), o)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(q.String(), "winograd") {
		t.Errorf("float64:\n%s", q)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.inputs {
		x, y := make([]float32, p.inputs[i].n), make([]float64, p.inputs[i].n)
		for j := range x {
			x[j] = float32(r.NormFloat64())
			y[j] = float64(x[j])
		}
		p.SetInput(i, x)
		q.SetInput(i, y)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if err := q.Run(); err != nil {
		t.Fatal(err)
	}
	for i := range p.outputs {
		sum, worst := 0.0, 0.0
		for j, v := range q.Output(i) {
			sum += v * v
			worst = max(worst, math.Abs(v-float64(p.Output(i)[j])))
		}
		if rms := math.Sqrt(sum / float64(len(q.Output(i)))); worst > 1e-5*rms {
			t.Errorf("output %d: the largest error is %.2g of the root mean square", i, worst/rms)
		}
	}
}
