package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var reduceLengths = []int{0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 255, 1000, 2047, 2048, 2049, 5000, 20001}

// TestSums: sums and products are within the error of a pairwise sum in float64,
// and the same bits at every level.
func TestSums(t *testing.T) {
	t.Run("float32", testSums[float32])
	t.Run("float64", testSums[float64])
}

func testSums[T Float](t *testing.T) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range reduceLengths {
		x, y := newFenced[T](r, n), newFenced[T](r, n)
		var sum, dot, sumSize, dotSize float64
		exactSum, exactDot := bigNew(), bigNew()
		for i, v := range x.x {
			a, b := float64(v), float64(y.x[i])
			exactSum.Add(exactSum, bigOf(a))
			exactDot.Add(exactDot, bigNew().Mul(bigOf(a), bigOf(b)))
			sumSize += math.Abs(a)
			dotSize += math.Abs(a * b)
		}
		sum, _ = exactSum.Float64()
		dot, _ = exactDot.Float64()
		var first [2]float64
		for l := Generic; l <= detect(); l++ {
			level = l
			got := [2]float64{Sum64(x.x), Dot64(x.x, y.x)}
			// A lane adds 64 numbers of a block, then come some tens of sums.
			if e := math.Abs(got[0] - sum); !(e <= 100*0x1p-53*sumSize) {
				t.Errorf("%s: sum of %d is off by %g", l, n, e)
			}
			if e := math.Abs(got[1] - dot); !(e <= 100*0x1p-53*dotSize) {
				t.Errorf("%s: dot of %d is off by %g", l, n, e)
			}
			if l == Generic {
				first = got
			} else if got != first {
				t.Errorf("%s: sums of %d are %v, in plain Go %v", l, n, got, first)
			}
			if Sum(x.x) != T(got[0]) || Dot(x.x, y.x) != T(got[1]) {
				t.Errorf("%s: sums of %d are not the rounded ones", l, n)
			}
			if square, apart := Dot64(x.x, x.x), Dot64(x.x, slices.Clone(x.x)); square != apart {
				t.Errorf("%s: the sum of squares of %d is %v, of products with a copy %v", l, n, square, apart)
			}
			x.check(t, "sum")
			y.check(t, "dot")
		}
	}
}

// TestSquaresOfRows: sums of squares of rows are near exact, and the same on all processors.
func TestSquaresOfRows(t *testing.T) {
	t.Run("float32", testSquaresOfRows[float32])
	t.Run("float64", testSquaresOfRows[float64])
}

func testSquaresOfRows[T Float](t *testing.T) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		rows, n := r.IntN(200), r.IntN(140)
		if i%10 == 0 {
			rows, n = r.IntN(4), sumBlock-1+r.IntN(3)
		}
		row := n + r.IntN(9)
		x := newFenced[T](r, max(0, (rows-1)*row+n))
		exact := bigNew()
		for j := range rows {
			for _, v := range x.x[j*row:][:n] {
				exact.Add(exact, bigNew().Mul(bigOf(float64(v)), bigOf(float64(v))))
			}
		}
		want, _ := exact.Float64()
		first := 0.0
		for l := Generic; l <= detect(); l++ {
			level = l
			got := SquaresOfRows(x.x, row, rows, n)
			// A lane adds up to 66 numbers, of some rows, and then come some tens of sums.
			if e := math.Abs(got - want); !(e <= 120*0x1p-53*want) {
				t.Errorf("%s: squares of %d rows of %d are off by %g of %g", l, rows, n, e, want)
			}
			if l == Generic {
				first = got
			} else if got != first {
				t.Errorf("%s: squares of %d rows of %d are %v, in plain Go %v", l, rows, n, got, first)
			}
			x.check(t, "squares of rows")
		}
	}
}

// TestSumOfFloat32DoesNotOverflow on the way to a finite result.
func TestSumOfFloat32DoesNotOverflow(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		x := make([]float32, 300)
		for i := range x {
			x[i] = math.MaxFloat32
			if i >= 150 {
				x[i] = -math.MaxFloat32
			}
		}
		if got := Sum(x); got != 0 {
			t.Errorf("sum is %v", got)
		}
		if got, want := Norm(x), math.MaxFloat32*math.Sqrt(300); math.Abs(got-want) > 1e-15*want {
			t.Errorf("norm is %v, want %v", got, want)
		}
	})
}

// TestNorm at the ends of float64.
func TestNorm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, c := range []struct {
			x    []float64
			want float64
		}{
			{nil, 0},
			{[]float64{0, 0}, 0},
			{[]float64{3, -4}, 5},
			{[]float64{3e200, 4e200}, 5e200},
			{[]float64{3e-200, 4e-200}, 5e-200},
			{[]float64{-math.MaxFloat64}, math.MaxFloat64},
			{[]float64{5e-324, 0}, 5e-324},
			{[]float64{math.Inf(-1), 1}, math.Inf(1)},
		} {
			if got := Norm(c.x); !(math.Abs(got-c.want) <= 1e-15*c.want) && got != c.want {
				t.Errorf("norm of %v is %v, want %v", c.x, got, c.want)
			}
		}
		if got := Norm([]float64{1, math.NaN()}); got == got {
			t.Errorf("norm with a NaN is %v", got)
		}
		long := make([]float64, 5000)
		for i := range long {
			long[i] = 1e300
		}
		if got, want := Norm(long), 1e300*math.Sqrt(5000); math.Abs(got-want) > 1e-15*want {
			t.Errorf("norm is %v, want %v", got, want)
		}
	})
}

// TestExtremes: maxima, minima and their places, with NaN, infinities and zeros of
// both signs, agree with a loop.
func TestExtremes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testExtremes[float32])
		t.Run("float64", testExtremes[float64])
	})
}

func testExtremes[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 400 {
		n := reduceLengths[r.IntN(len(reduceLengths)-3)]
		x := newFenced[T](r, n)
		switch trial % 4 {
		case 1: // many equal
			for i := range x.x {
				x.x[i] = T(r.IntN(3))
			}
		case 2:
			mixed(r, x.x)
		case 3:
			value := []float64{0, math.Copysign(0, -1), math.Inf(-1), math.Inf(1), math.NaN()}[r.IntN(5)]
			for i := range x.x {
				x.x[i] = T(value)
				if value == 0 && r.IntN(9) == 0 {
					x.x[i] = -x.x[i]
				}
			}
		}
		most, least := T(math.Inf(-1)), T(math.Inf(1))
		at := -1
		for i, v := range x.x {
			most, least = max(most, v), min(least, v)
			if at < 0 || x.x[at] == x.x[at] && (v > x.x[at] || v != v) {
				at = i
			}
		}
		what := fmt.Sprintf("trial %d of %d", trial, n)
		if got := Reduce(MaxRed, x.x); !same(got, most) {
			t.Errorf("%s: maximum is %v, want %v", what, got, most)
		}
		if got := Reduce(MinRed, x.x); !same(got, least) {
			t.Errorf("%s: minimum is %v, want %v", what, got, least)
		}
		if got := ArgMax(x.x); got != at {
			t.Errorf("%s: first maximum is at %d, want %d", what, got, at)
		}
		x.check(t, what)
	}
}

// rowsOf gives shapes of matrices, narrow ones and wide ones.
func rowsOf(r *rand.Rand) (rows, cols int) {
	return []int{0, 1, 2, 3, 7, 64, 65, 200}[r.IntN(8)], []int{1, 2, 3, 5, 8, 9, 10, 15, 16, 17, 31, 33, 64, 70, 100, 300}[r.IntN(16)]
}

// TestRows: the reductions of rows are those of each row.
func TestRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testRows[float32])
		t.Run("float64", testRows[float64])
	})
}

func testRows[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for trial := range 60 {
		rows, cols := rowsOf(r)
		if trial == 0 {
			rows, cols = 3, 5000
		}
		if trial == 1 {
			rows, cols = 3, 0
		}
		x := newFenced[T](r, rows*cols)
		if trial%3 == 0 {
			mixed(r, x.x)
		}
		for _, f := range []struct {
			name string
			all  func(dst, x []T, rows, cols int)
			one  func(x []T) T
		}{
			{"sum", SumRows[T], Sum[T]},
			{"max", MaxRows[T], func(x []T) T { return Reduce(MaxRed, x) }},
			{"logsumexp", LogSumExpRows[T], LogSumExp[T]},
			{"argmax", ArgMaxRows[T], func(x []T) T { return T(ArgMax(x)) }},
		} {
			if cols == 0 && f.name == "argmax" {
				continue
			}
			out := newFenced[T](r, rows)
			f.all(out.x, x.x, rows, cols)
			what := fmt.Sprintf("%s of [%d, %d]", f.name, rows, cols)
			out.check(t, what)
			x.check(t, what)
			for i, got := range out.x {
				if want := f.one(x.x[i*cols : (i+1)*cols]); !same(got, want) {
					t.Fatalf("%s: row %d gives %v, alone %v", what, i, got, want)
				}
			}
		}
		sum := newFenced[T](r, cols)
		want := append([]T{}, sum.x...)
		AddRows(sum.x, x.x, rows, cols)
		sum.check(t, "add rows")
		for i := range rows * cols {
			want[i%cols] += x.x[i]
		}
		for i, got := range sum.x {
			if !same(got, want[i]) {
				t.Fatalf("rows of [%d, %d] add to %v in column %d, want %v", rows, cols, got, i, want[i])
			}
		}
		if cols < 2 {
			continue
		}
		from := r.IntN(cols) // of the columns that are added, of rows that are longer
		part := newFenced[T](r, 1+r.IntN(cols-from))
		want = append([]T{}, part.x...)
		AddRows(part.x, x.x[min(from, len(x.x)):], rows, cols)
		part.check(t, "add parts of rows")
		for i := range part.x {
			for k := range rows {
				want[i] += x.x[k*cols+from+i]
			}
			if !same(part.x[i], want[i]) {
				t.Fatalf("parts of rows of [%d, %d] add to %v in column %d, want %v", rows, cols, part.x[i], i, want[i])
			}
		}
	}
}

// TestLogSumExp against exact sums, with what float64 or float32 can hold.
func TestLogSumExp(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, n := range reduceLengths[:len(reduceLengths)-2] {
			x := newFenced[float64](r, n)
			s, single := bigNew(), make([]float32, n)
			for i := range x.x {
				x.x[i] = float64(float32(x.x[i]*20 + 300))
				single[i] = float32(x.x[i])
				s.Add(s, bigExp(bigOf(x.x[i])))
			}
			want := math.Inf(-1)
			if n > 0 {
				want, _ = bigLog(s).Float64()
			}
			if got := LogSumExp(x.x); got != want && !(math.Abs(got-want) <= 4*0x1p-52*math.Abs(want)) {
				t.Errorf("of %d it is %v, want %v", n, got, want)
			}
			if got := LogSumExp(single); float64(got) != want && !(math.Abs(float64(got)-want) <= 0x1p-23*math.Abs(want)) {
				t.Errorf("of %d float32 it is %v, want %v", n, got, want)
			}
		}
		inf := math.Inf(1)
		for _, c := range []struct {
			x    []float64
			want float64
		}{{[]float64{-inf, -inf}, -inf}, {[]float64{1, inf}, inf}, {[]float64{-inf, 2}, 2}, {[]float64{1, math.NaN()}, math.NaN()}} {
			if got := LogSumExp(c.x); !same(got, c.want) {
				t.Errorf("of %v it is %v, want %v", c.x, got, c.want)
			}
		}
	})
}

// TestSoftmaxCrossEntropyRows against the formula in float64.
func TestSoftmaxCrossEntropyRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testSoftmaxCrossEntropyRows[float32])
		t.Run("float64", testSoftmaxCrossEntropyRows[float64])
	})
}

func testSoftmaxCrossEntropyRows[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	eps := 0x1p-23
	if sizeof[T]() == 8 {
		eps = 0x1p-52
	}
	for trial := range 60 {
		rows, cols := rowsOf(r)
		if trial == 0 {
			rows, cols = 3, 5000
		}
		x := newFenced[T](r, rows*cols)
		for i := range x.x {
			x.x[i] *= T([]float64{1, 10, 100}[trial%3])
		}
		labels := newFenced[T](r, rows)
		for i := range labels.x {
			labels.x[i] = T(r.IntN(cols))
		}
		loss, grad, soft := newFenced[T](r, rows), newFenced[T](r, rows*cols), newFenced[T](r, rows*cols)
		scale := 0.125 + r.Float64()
		what := fmt.Sprintf("[%d, %d]", rows, cols)
		SoftmaxCrossEntropyRows(loss.x, grad.x, x.x, labels.x, rows, cols, scale)
		SoftmaxRows(soft.x, x.x, rows, cols)
		for _, f := range []fenced[T]{x, labels, loss, grad, soft} {
			f.check(t, what)
		}
		for i := range rows {
			row, label := x.x[i*cols:(i+1)*cols], int(labels.x[i])
			m := float64(Reduce(MaxRed, row))
			sum, others := 0.0, 0.0
			for j, v := range row {
				e := math.Exp(float64(v) - m)
				sum += e
				if j != label {
					others += e
				}
			}
			tolerance := 4*eps + float64(cols)*0x1p-53 // the second for the sum here, in order
			// The loss is a difference of numbers up to the size of the logits, in float64.
			want := math.Log(sum) + m - float64(row[label])
			if got := float64(loss.x[i]); !(math.Abs(got-want) <= 2*eps*math.Abs(want)+1e-14*(1+math.Abs(m))) {
				t.Fatalf("%s: loss of row %d is %v, want %v", what, i, got, want)
			}
			for j, v := range row {
				p := math.Exp(float64(v)-m) / sum
				g := p
				size := g
				if j == label {
					g = -others / sum
					size = -g
					if sizeof[T]() == 4 {
						size += 1e-9 * p // e is within 5e-9 in sums
					} else {
						size += p
					}
				}
				g *= scale
				if got := float64(grad.x[i*cols+j]); !(math.Abs(got-g) <= tolerance*size*scale+1e-38) {
					t.Fatalf("%s: gradient [%d, %d] is %v, want %v", what, i, j, got, g)
				}
				if got := float64(soft.x[i*cols+j]); !(math.Abs(got-p) <= tolerance*p+1e-38) {
					t.Fatalf("%s: softmax [%d, %d] is %v, want %v", what, i, j, got, p)
				}
			}
		}
		// Each output alone, and the gradient in the place of the logits.
		only := newFenced[T](r, rows)
		SoftmaxCrossEntropyRows(only.x, nil, x.x, labels.x, rows, cols, scale)
		SoftmaxCrossEntropyRows(nil, x.x, x.x, labels.x, rows, cols, scale)
		for i := range rows {
			if !same(only.x[i], loss.x[i]) {
				t.Fatalf("%s: loss alone is %v, with the gradient %v", what, only.x[i], loss.x[i])
			}
		}
		for i := range x.x {
			if !same(x.x[i], grad.x[i]) {
				t.Fatalf("%s: gradient in place is %v, want %v", what, x.x[i], grad.x[i])
			}
		}
	}
}

// TestNoAllocations: kernels work without the heap.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		return // the detector allocates
	}
	eachLevel(t, func(t *testing.T) {
		x, y, z, d := make([]float32, 640), make([]float32, 640), make([]float32, 640), make([]float32, 640)
		for name, f := range map[string]func(){
			"map": func() { Map1(Exp, d, x, 0, 0); Map2(Add, d, x, y[:1]); Map3(MulAdd, d, x, y, z[:1]) },
			"reduce": func() {
				Sum(x)
				Dot(x, y)
				Reduce(MaxRed, x)
				LogSumExp(x)
				ArgMax(x)
				Norm(x)
			},
			"rows": func() {
				SumRows(d, x, 64, 10)
				LogSumExpRows(d, x, 64, 10)
				ArgMaxRows(d, x, 64, 10)
				AddRows(d, x, 1, 640)
			},
			"random":  func() { Uniform(d, [3]uint32{1, 2, 3}, 4, 5, 6); DropoutMask(d, 0.5, [3]uint32{1, 2, 3}, 4, 5, 6) },
			"update":  func() { Axpy(d, 2, x); AdamUpdate(d, x, y, z, AdamCoefficients[float32]{}); Scale(d, 2, x) },
			"softmax": func() { SoftmaxRows(d, x, 64, 10); SoftmaxCrossEntropyRows(y, d, x, z, 64, 10, 1) },
		} {
			if n := testing.AllocsPerRun(10, f); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

func BenchmarkReduce(b *testing.B) {
	was := level
	defer func() { level = was }()
	r := rand.New(rand.NewPCG(1, 2))
	const n = 10240
	x, y, d, labels := newFenced[float32](r, n).x, newFenced[float32](r, n).x, make([]float32, n), make([]float32, n)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"sum", func() { Sum(x) }},
		{"dot", func() { Dot(x, y) }},
		{"max", func() { Reduce(MaxRed, x) }},
		{"argmax", func() { ArgMax(x) }},
		{"logsumexp", func() { LogSumExp(x) }},
		{"sumRows10", func() { SumRows(d, x, n/10, 10) }},
		{"maxRows10", func() { MaxRows(d, x, n/10, 10) }},
		{"argmaxRows10", func() { ArgMaxRows(d, x, n/10, 10) }},
		{"logsumexpRows10", func() { LogSumExpRows(d, x, n/10, 10) }},
		{"softmaxCrossEntropyRows10", func() { SoftmaxCrossEntropyRows(d[:n/10], y, x, labels, n/10, 10, 1) }},
		{"softmaxCrossEntropyRows1024", func() { SoftmaxCrossEntropyRows(d[:10], y, x, labels, 10, 1024, 1) }},
		{"squaresOfRows64", func() { SquaresOfRows(x, 64, n/64, 64) }},
		{"addRows512", func() { AddRows(d[:512], x, n/512, 512) }},
	} {
		for l := Generic; l <= detect(); l++ {
			b.Run(f.name+"/"+l.String(), func(b *testing.B) {
				level = l
				for b.Loop() {
					f.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
