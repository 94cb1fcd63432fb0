package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// guarded makes slices that lie flush against pages that must not be touched:
// whoever reads or writes beyond an end of one is caught.
type guarded struct {
	t    *testing.T
	r    *rand.Rand
	maps [][]byte
}

func newGuarded(t *testing.T, r *rand.Rand) *guarded {
	g := &guarded{t: t, r: r}
	t.Cleanup(func() { g.free() })
	return g
}

// free gives the pages back.
func (g *guarded) free() {
	for _, m := range g.maps {
		if err := syscall.Munmap(m); err != nil {
			g.t.Error(err)
		}
	}
	g.maps = nil
}

// bytes is n bytes, at the end of their pages or at the beginning.
func (g *guarded) bytes(n int) []byte {
	page := os.Getpagesize()
	inner := max(1, (n+page-1)/page) * page
	m, err := syscall.Mmap(-1, 0, inner+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		g.t.Fatal(err)
	}
	g.maps = append(g.maps, m)
	for _, edge := range [][]byte{m[:page], m[page+inner:]} {
		if err := syscall.Mprotect(edge, syscall.PROT_NONE); err != nil {
			g.t.Fatal(err)
		}
	}
	at := page
	if g.r.IntN(4) > 0 {
		at = page + inner - n
	}
	return m[at : at+n : at+n]
}

// guardedSlice is n normal numbers in guarded memory.
func guardedSlice[T Float](g *guarded, n int) []T {
	if n == 0 {
		return []T{}
	}
	b := g.bytes(n * sizeof[T]())
	x := unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	for i := range x {
		x[i] = T(g.r.NormFloat64())
	}
	return x
}

// try runs f and reports a fault as an error.
func (g *guarded) try(what string, f func()) {
	g.t.Helper()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if e := recover(); e != nil {
			g.t.Errorf("%s: %v", what, e)
		}
		g.free()
	}()
	f()
}

// TestGuardPages: no kernel touches memory beyond its slices, whatever their
// lengths.
func TestGuardPages(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testGuardPages[float32])
		t.Run("float64", testGuardPages[float64])
	})
}

func testGuardPages[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := newGuarded(t, r)
	slice := func(n int) []T { return guardedSlice[T](g, n) }
	sizes := []int{1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 23, 31, 32, 33, 63, 64, 65, 127, 129}
	size := func() int { return sizes[r.IntN(len(sizes))] }
	for f := range NumFn {
		for _, n := range sizes {
			g.try(fmt.Sprintf("%s of %d", f, n), func() {
				ops := make([][]T, f.Arity())
				for k := range ops {
					ops[k] = slice(n)
					if r.IntN(4) == 0 && f.Arity() > 1 {
						ops[k] = slice(1)
					}
				}
				applyFn(f, slice(n), ops, 0.25, 0.75)
			})
		}
	}
	for _, u := range updatesOf[T]() {
		for _, n := range sizes {
			g.try(fmt.Sprintf("%s of %d", u.name, n), func() {
				s := make([][]T, u.slices)
				for k := range s {
					s[k] = slice(n)
				}
				u.run(s, [maxNumbers]T{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7})
			})
		}
	}
	for _, cols := range sizes {
		rows := 1 + r.IntN(5)
		g.try(fmt.Sprintf("reductions of [%d, %d]", rows, cols), func() {
			x, labels := slice(rows*cols), slice(rows)
			for i := range labels {
				labels[i] = T(r.IntN(cols))
			}
			Sum(x)
			Dot(x, slice(rows*cols))
			Reduce(MaxRed, x)
			Reduce(MinRed, x)
			ArgMax(x)
			LogSumExp(x)
			SumRows(slice(rows), x, rows, cols)
			MaxRows(slice(rows), x, rows, cols)
			ArgMaxRows(slice(rows), x, rows, cols)
			LogSumExpRows(slice(rows), x, rows, cols)
			AddRows(slice(cols), x, rows, cols)
			AddRows(slice((cols+1)/2), x[:(rows-1)*cols+(cols+1)/2], rows, cols)
			half := (cols + 1) / 2
			SquaresOfRows(x[:(rows-1)*cols+half], cols, rows, half)
			part := Rows[T]{slice((rows-1)*cols + half), cols}
			MapRows(Mul, part, Rows[T]{slice((rows-1)*cols + half), cols}, Rows[T]{slice(half), 0}, Rows[T]{}, rows, half, 0, 0)
			MapRows(Tanh, part, part, Rows[T]{}, Rows[T]{}, rows, half, 0, 0)
			SoftmaxRows(slice(rows*cols), x, rows, cols)
			SoftmaxCrossEntropyRows(slice(rows), slice(rows*cols), x, labels, rows, cols, 0.5)
		})
		g.try(fmt.Sprintf("%d random numbers", cols), func() {
			Uniform(slice(cols), Mix(1), 2, 3, r.IntN(4))
			DropoutMask(slice(cols), 0.5, Mix(1), 2, 3, r.IntN(4))
		})
		g.try(fmt.Sprintf("gather of rows of %d", cols), func() {
			GatherBytes(slice(3*cols), g.bytes(2*cols), cols, []int{1, 0, 1}, NewByteTable[T](new([256]float64)))
			GatherRows(slice(3*cols), slice(2*cols), cols, []int{1, 0, 1})
		})
	}
	for range 300 {
		m, n, k := size(), size(), size()
		a, b := Mat{k, 1}, Mat{n, 1}
		if r.IntN(2) == 0 {
			a = Mat{1, m}
		}
		if r.IntN(3) == 0 {
			b = Mat{1, k}
		}
		g.try(fmt.Sprintf("gemm %dx%dx%d, A %v, B %v", m, k, n, a, b), func() {
			p := NewGemm[T](m, n, k, a, b, n)
			p.Whole(slice(m*k), slice(k*n), slice(m*n), slice(p.Scratch()), r.IntN(2) == 0)
		})
		d := depthwise{n: 1 + r.IntN(9), xStep: m + 2*n, yStep: m + 1, r: 1 + r.IntN(3), s: 1 + r.IntN(3), row: 9 * m, tap: m, c: m}
		g.try(fmt.Sprintf("%+v", d), func() {
			convolve(&d, slice((d.n-1)*d.yStep+m), slice((d.n-1)*d.xStep+(d.r-1)*d.row+(d.s-1)*d.tap+m), slice(d.r*d.s*m), r.IntN(2) == 0)
		})
		g.try(fmt.Sprintf("transpose of %dx%d", m, n), func() {
			Transpose(slice(m*n), m, slice(m*n), n, m, n)
		})
		g.try(fmt.Sprintf("copy of %dx%d", m, n), func() {
			copyRows(slice(m*n), slice(m*n), n, n, m)
		})
	}
}
