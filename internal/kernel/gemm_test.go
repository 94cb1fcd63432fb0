package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// matrix is a fenced matrix of some layout.
type matrix[T Float] struct {
	fenced[T]
	Mat
}

// newMatrix lays a matrix out by rows, by columns, or with gaps.
func newMatrix[T Float](r *rand.Rand, rows, cols int) matrix[T] {
	gap := r.IntN(2) * r.IntN(9)
	var m Mat
	switch r.IntN(5) {
	case 0, 1:
		m = Mat{cols + gap, 1}
	case 2, 3:
		m = Mat{1, rows + gap}
	default:
		m = Mat{2*cols + gap, 2}
	}
	return layMatrix[T](r, rows, cols, m)
}

func layMatrix[T Float](r *rand.Rand, rows, cols int, m Mat) matrix[T] {
	n := 0
	if rows > 0 && cols > 0 {
		n = (rows-1)*m.Row + (cols-1)*m.Col + 1
	}
	return matrix[T]{newFenced[T](r, n), m}
}

// TestGemm: every unit, in any order, writes its block and nothing else, and
// each element has the error of a sum in order.
func TestGemm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testGemm[float32])
		t.Run("float64", testGemm[float64])
	})
}

func testGemm[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eps := 0x1p-24
	if sizeof[T]() == 8 {
		eps = 0x1p-53
	}
	sizes := []int{0, 1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 33, 48, 63, 64, 65, 100, 130}
	for trial := range 400 {
		m, n, k := sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))]
		if trial%40 == 0 { // large enough to be packed
			m, n, k = 200+r.IntN(20), 64+r.IntN(9), 1000+r.IntN(9)
		}
		a, b := newMatrix[T](r, m, k), newMatrix[T](r, k, n)
		if trial%100 == 50 { // few rows, and those of B crowded in a cache
			m, n, k = 60+r.IntN(20), 1+r.IntN(130), 500+r.IntN(20)
			a, b = newMatrix[T](r, m, k), layMatrix[T](r, k, n, Mat{1024, 1})
		}
		crow := n + r.IntN(2)*r.IntN(20)
		c := newFenced[T](r, max(0, (m-1)*crow+n))
		add := r.IntN(2) == 0
		before := slices.Clone(c.x)
		g := NewGemm[T](m, n, k, a.Mat, b.Mat, crow)
		what := fmt.Sprintf("%dx%dx%d, A %v, B %v, rows of C %d apart, add %t", m, k, n, a.Mat, b.Mat, crow, add)
		scratch := newFenced[T](r, g.Scratch())
		held := -1
		for _, u := range r.Perm(g.Units()) {
			if r.IntN(2) == 0 {
				g.Do(u, a.x, b.x, c.x, scratch.x, add, nil)
				held = -1
			} else {
				g.Do(u, a.x, b.x, c.x, scratch.x, add, &held)
			}
		}
		for _, f := range []fenced[T]{a.fenced, b.fenced, c, scratch} {
			f.check(t, what)
		}
		for i := range m {
			for j := range crow {
				if i == m-1 && j >= n {
					break
				}
				at := i*crow + j
				if j >= n {
					if c.x[at] != before[at] {
						t.Fatalf("%s: the gap behind row %d was written", what, i)
					}
					continue
				}
				want, size := 0.0, 0.0
				if add {
					want = float64(before[at])
					size = math.Abs(want)
				}
				for p := range k {
					x := float64(a.x[i*a.Row+p*a.Col]) * float64(b.x[p*b.Row+j*b.Col])
					want += x
					size += math.Abs(x)
				}
				// A sum of k+1 terms has k+1 roundings of a partial sum each.
				if got := float64(c.x[at]); !(math.Abs(got-want) <= float64(k+2)*eps*size) {
					t.Fatalf("%s: C[%d,%d] is %v, want %v", what, i, j, got, want)
				}
			}
		}
	}
}

// TestCrowded: rows of B a power of two apart are packed from where that was found to be
// sooner, on a second-level cache of 16 ways of 128 KB.
func TestCrowded(t *testing.T) {
	for _, c := range []struct {
		m, k, columns int // of a float32 B
		want          bool
	}{
		{128, 784, 512, true}, {128, 512, 512, false}, {128, 1024, 512, true}, {64, 784, 1024, true}, {32, 784, 1024, true},
		{32, 784, 512, false}, {48, 784, 512, false}, {128, 256, 1024, false}, {128, 400, 1024, true}, {128, 1000, 1000, false},
	} {
		if got := crowded(c.m, c.k, 4*c.columns, 4*UnitCols); got != c.want {
			t.Errorf("%dx%dx%d: %v, want %v", c.m, c.k, c.columns, got, c.want)
		}
	}
}

// TestGemmBitsDoNotDependOnUnits: a block is the same however the product around
// it is cut.
func TestGemmBitsDoNotDependOnUnits(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		shapes := [][3]int{{70, 50, 33}}
		if level != Generic {
			shapes = append(shapes, [3]int{2100, 300, 1000}, [3]int{30, 300, 70_000}) // A from far
		}
		for _, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			a, b := newFenced[float32](r, m*k), newFenced[float32](r, k*n)
			whole, row := make([]float32, m*n), make([]float32, n)
			g := NewGemm[float32](m, n, k, Mat{k, 1}, Mat{n, 1}, n)
			g.Whole(a.x, b.x, whole, make([]float32, g.Scratch()), false)
			one := NewGemm[float32](1, n, k, Mat{k, 1}, Mat{n, 1}, n)
			for i := 0; i < m; i += 1 + m/100 {
				one.Whole(a.x[i*k:][:k], b.x, row, make([]float32, one.Scratch()), false)
				if !slices.Equal(whole[i*n:][:n], row) {
					t.Errorf("%dx%dx%d: row %d computed alone differs from those computed together", m, k, n, i)
				}
			}
		}
	})
}

// TestGemmVectorsAddUp: products whose result is one column or row are added to one
// another unit by unit, whichever way their operands lie.
func TestGemmVectorsAddUp(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for range 200 {
			m, n := 1+r.IntN(2000), 1
			if r.IntN(3) == 0 {
				m, n = n, m
			}
			first, second := 1+r.IntN(600), 1+r.IntN(600)
			c := newFenced[float64](r, m*n)
			want, size := make([]float64, m*n), make([]float64, m*n)
			var like *Gemm[float64]
			what := fmt.Sprintf("[%d, %d] of", m, n)
			type term struct {
				a, b matrix[float64]
				g    *Gemm[float64]
			}
			var terms []term
			for _, k := range []int{first, second} {
				a, b := newMatrix[float64](r, m, k), newMatrix[float64](r, k, n)
				g := NewGemm[float64](m, n, k, a.Mat, b.Mat, n)
				if like != nil {
					g.CutLike(like)
				}
				like = g
				terms = append(terms, term{a, b, g})
				what += fmt.Sprintf(" %d: A %v, B %v;", k, a.Mat, b.Mat)
				for i := range want {
					for p := range k {
						v := a.x[i/n*a.Row+p*a.Col] * b.x[p*b.Row+i%n*b.Col]
						want[i] += v
						size[i] += math.Abs(v)
					}
				}
			}
			seen := 0
			for u := range terms[0].g.Units() {
				r0, r1, c0, c1 := terms[1].g.Block(u)
				seen += (r1 - r0) * (c1 - c0)
				for i, x := range terms {
					x.g.Do(u, x.a.x, x.b.x, c.x, make([]float64, x.g.Scratch()), i > 0, nil)
				}
			}
			c.check(t, what)
			if seen != m*n {
				t.Fatalf("%s: units cover %d elements", what, seen)
			}
			for i, got := range c.x {
				if !(math.Abs(got-want[i]) <= float64(first+second+2)*0x1p-53*size[i]) {
					t.Fatalf("%s: element %d is %v, want %v", what, i, got, want[i])
				}
			}
		}
	})
}

// TestGemmBlocksCover: units are disjoint and leave nothing out.
func TestGemmBlocksCover(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		m, n, k := 1+r.IntN(3000), 1+r.IntN(3000), 1+r.IntN(2000)
		g := NewGemm[float32](m, n, k, Mat{k, 1}, Mat{n, 1}, n)
		area := 0
		for u := range g.Units() {
			r0, r1, c0, c1 := g.Block(u)
			if r0 >= r1 || c0 >= c1 || r1 > m || c1 > n || c1-c0 > wideCols || n <= UnitCols && c1-c0 < n {
				t.Fatalf("%dx%dx%d: unit %d is [%d,%d) x [%d,%d)", m, k, n, u, r0, r1, c0, c1)
			}
			area += (r1 - r0) * (c1 - c0)
		}
		if area != m*n {
			t.Fatalf("%dx%dx%d: %d units cover %d of %d elements", m, k, n, g.Units(), area, m*n)
		}
	}
}

func TestTranspose(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testTranspose[float32])
		t.Run("float64", testTranspose[float64])
	})
}

func testTranspose[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 200 {
		rows, cols := r.IntN(40), r.IntN(40)
		if i%10 == 0 {
			cols += 150 * (1 + r.IntN(3)) // more than are made at a time
		}
		srow, drow := cols+r.IntN(5), rows+r.IntN(5)
		src, dst := newFenced[T](r, max(0, (rows-1)*srow+cols)), newFenced[T](r, max(0, (cols-1)*drow+rows))
		before := slices.Clone(dst.x)
		Transpose(dst.x, drow, src.x, srow, rows, cols)
		dst.check(t, fmt.Sprintf("%dx%d", rows, cols))
		for j := range cols {
			for i := range drow {
				if at := j*drow + i; i < rows && dst.x[at] != src.x[i*srow+j] || i >= rows && at < len(before) && dst.x[at] != before[at] {
					t.Fatalf("%dx%d: element %d of column %d", rows, cols, i, j)
				}
			}
		}
	}
}

// TestSpread: rows come apart into tiles, and nothing else is read or written.
func TestSpread(t *testing.T) {
	if detect() < AVX2 { // which alone packs so
		return
	}
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		step := 8 << r.IntN(2)
		tiles, steps := 1+r.IntN(9), 1+r.IntN(20)
		width := tiles + r.IntN(tiles*(step-1)+1)
		srow, tile := width+r.IntN(5), steps*step+r.IntN(5)
		src, dst := newFenced[float32](r, (steps-1)*srow+width), newFenced[float32](r, (tiles-1)*tile+steps*step)
		spread(dst.x, tile, step, src.x, srow, width, tiles, steps)
		what := fmt.Sprintf("%d steps of %d into %d tiles", steps, width, tiles)
		src.check(t, what)
		dst.check(t, what)
		for p := range steps {
			for i, at := 0, 0; i < tiles; i++ {
				w := (width - at + tiles - i - 1) / (tiles - i)
				if !slices.Equal(dst.x[i*tile+p*step:][:w], src.x[p*srow+at:][:w]) {
					t.Fatalf("%s: step %d of tile %d", what, p, i)
				}
				at += w
			}
		}
	}
}

// TestCopyRows: rows are copied, and nothing else is read or written.
func TestCopyRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testCopyRows[float32])
		t.Run("float64", testCopyRows[float64])
	})
}

func testCopyRows[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 200 {
		rows, cols := r.IntN(40), r.IntN(140)
		switch i % 4 {
		case 0:
			cols = 16 * r.IntN(9) // whole lines
		case 1:
			rows, cols = 300+r.IntN(99), 64 // in several calls
		}
		row := cols + r.IntN(5)
		src, dst := newFenced[T](r, max(0, (rows-1)*row+cols)), newFenced[T](r, rows*cols)
		copyRows(dst.x, src.x, row, cols, rows)
		what := fmt.Sprintf("%d rows of %d, %d apart", rows, cols, row)
		src.check(t, what)
		dst.check(t, what)
		for j := range rows {
			if !slices.Equal(dst.x[j*cols:][:cols], src.x[j*row:][:cols]) {
				t.Fatalf("%s: row %d", what, j)
			}
		}
	}
}

// Products by the shapes of networks, one core: with -cpu 1 the metric is the
// rate of the kernels alone.
func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{128, 784, 512}, {512, 512, 512}, {1000, 784, 1000}, {128, 512, 10}, {1000, 250, 30}, {25088, 288, 64}, {1, 784, 512}} {
		m, k, n := s[0], s[1], s[2]
		for _, c := range []struct {
			name string
			a, b Mat
		}{
			{"NN", Mat{k, 1}, Mat{n, 1}},
			{"TN", Mat{1, m}, Mat{n, 1}},
			{"NT", Mat{k, 1}, Mat{1, k}},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", m, k, n, c.name), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				x, y, z := newFenced[float32](r, m*k), newFenced[float32](r, k*n), make([]float32, m*n)
				g := NewGemm[float32](m, n, k, c.a, c.b, n)
				scratch := make([]float32, g.Scratch())
				for b.Loop() {
					g.Whole(x.x, y.x, z, scratch, false)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
