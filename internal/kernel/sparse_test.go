package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sparseMatrix makes most numbers 0.
func sparseMatrix[T Float](r *rand.Rand, rows, cols int, share float64) matrix[T] {
	m := newMatrix[T](r, rows, cols)
	for i := range m.x {
		if r.Float64() >= share {
			m.x[i] = 0
		}
	}
	return m
}

func TestSparse(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testSparse[float32])
		t.Run("float64", testSparse[float64])
	})
}

func testSparse[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eps := 0x1p-24
	if sizeof[T]() == 8 {
		eps = 0x1p-53
	}
	sizes := []int{0, 1, 2, 5, 15, 16, 17, 33, 64, 100, 130, 200}
	blocked := 0
	for trial := range 200 {
		m, n, k := sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))], sizes[r.IntN(len(sizes))]
		large := trial%40 == 0 // rows enough for packing, and columns for blocks
		if large {
			m, n, k = 600+r.IntN(200), 65+r.IntN(100), 130+r.IntN(200)
		}
		share := []float64{0, 0.05, 0.2, 1}[r.IntN(4)]
		a := sparseMatrix[T](r, m, k, share)
		brow, crow := n+r.IntN(5), n+r.IntN(5)
		b, c := newFenced[T](r, max(0, (k-1)*brow+n)), newFenced[T](r, max(0, (m-1)*crow+n))
		add := r.IntN(2) == 0
		before := slices.Clone(c.x)
		what := fmt.Sprintf("%dx%dx%d, A %v, share %v, rows of B %d and of C %d apart, add %t", m, k, n, a.Mat, share, brow, crow, add)

		s := NewSparse[T](m, k)
		mem, scratch := newFenced[T](r, s.Size()), newFenced[T](r, s.Scratch())
		cut := r.IntN(m + 1)
		s.Compress(mem.x, a.x, a.Mat, scratch.x, cut, m)
		s.Compress(mem.x, a.x, a.Mat, scratch.x, 0, cut)
		entries := 0
		for i := range m {
			for p := range k {
				if a.x[i*a.Row+p*a.Col] != 0 {
					entries++
				}
			}
		}
		if got := s.Share(mem.x); math.Abs(got-float64(entries)/float64(max(1, m*k))) > 1e-12 {
			t.Fatalf("%s: share %v with %d entries", what, got, entries)
		}
		g := NewSparseGemm(s, n, brow, crow)
		if g.step(g.cols) < s.blocks {
			blocked++
		}
		packed, held := newFenced[T](r, g.Scratch()), -1
		for _, u := range r.Perm(g.Units()) {
			g.Do(u, mem.x, b.x, c.x, packed.x, add, &held)
		}
		for _, f := range []fenced[T]{a.fenced, b, c, mem, scratch, packed} {
			f.check(t, what)
		}
		if large && !add {
			// A row by itself goes through all columns at once.
			one, alone := NewSparse[T](1, k), make([]T, n)
			list := make([]T, one.Size())
			g := NewSparseGemm(one, n, brow, n)
			for i := range m {
				one.Compress(list, a.x[i*a.Row:], Mat{k, a.Col}, make([]T, one.Scratch()), 0, 1)
				for u := range g.Units() {
					g.Do(u, list, b.x, alone, nil, false, &held)
				}
				if !slices.Equal(alone, c.x[i*crow:][:n]) {
					t.Fatalf("%s: row %d differs from itself alone", what, i)
				}
			}
		}
		for i := range m {
			for j := range crow {
				at := i*crow + j
				if i == m-1 && j >= n {
					break
				}
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
					x := float64(a.x[i*a.Row+p*a.Col]) * float64(b.x[p*brow+j])
					want += x
					size += math.Abs(x)
				}
				if got := float64(c.x[at]); !(math.Abs(got-want) <= float64(k+2)*eps*size) {
					t.Fatalf("%s: C[%d,%d] is %v, want %v", what, i, j, got, want)
				}
			}
		}
	}
	if blocked == 0 {
		t.Error("no product went from block to block")
	}
}

// What is no number is kept.
func TestCompressKeepsNaN(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		row := make([]float32, 40)
		row[3], row[17], row[39] = float32(math.NaN()), float32(math.Inf(1)), 1e-45
		row[5] = float32(math.Copysign(0, -1))
		s := NewSparse[float32](1, len(row))
		mem := make([]float32, s.Size())
		s.Compress(mem, row, Mat{40, 1}, make([]float32, s.Scratch()), 0, 1)
		mark, index, value := s.parts(mem)
		if !slices.Equal(mark, []int32{0, 3}) || !slices.Equal(index[:3], []int32{3, 17, 39}) || value[0] == value[0] || !math.IsInf(float64(value[1]), 1) || value[2] != 1e-45 {
			t.Errorf("marks %v of entries %v %v", mark, index[:3], value[:3])
		}
	})
}

// The products of a first layer with digits, beside the dense ones. The metric is
// that of the dense product.
func BenchmarkSparse(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{64, 784, 128}, {128, 784, 512}, {512, 784, 512}, {1000, 784, 1000}} {
		m, k, n := s[0], s[1], s[2]
		x := make([]float32, m*k)
		for i := range x {
			if r.Float32() < 0.2 {
				x[i] = r.Float32()
			}
		}
		for _, transposed := range []bool{false, true} {
			rows, cols, from := m, k, Mat{k, 1}
			name := "XW"
			if transposed {
				rows, cols, from = k, m, Mat{1, k}
				name = "XtD"
			}
			y, z := make([]float32, cols*n), make([]float32, rows*n)
			for i := range y {
				y[i] = float32(r.NormFloat64())
			}
			report := func(b *testing.B) {
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
			a := NewSparse[float32](rows, cols)
			mem, scratch := make([]float32, a.Size()), make([]float32, a.Scratch())
			b.Run(fmt.Sprintf("%dx%dx%d/%s/compress", m, k, n, name), func(b *testing.B) {
				for b.Loop() {
					a.Compress(mem, x, from, scratch, 0, rows)
				}
			})
			b.Run(fmt.Sprintf("%dx%dx%d/%s/sparse", m, k, n, name), func(b *testing.B) {
				g := NewSparseGemm(a, n, n, n)
				scratch := make([]float32, g.Scratch())
				for b.Loop() {
					held := -1
					for u := range g.Units() {
						g.Do(u, mem, y, z, scratch, false, &held)
					}
				}
				report(b)
			})
			b.Run(fmt.Sprintf("%dx%dx%d/%s/dense", m, k, n, name), func(b *testing.B) {
				g := NewGemm[float32](rows, n, cols, from, Mat{n, 1}, n)
				scratch := make([]float32, g.Scratch())
				for b.Loop() {
					g.Whole(x, y, z, scratch, false)
				}
				report(b)
			})
		}
	}
}
