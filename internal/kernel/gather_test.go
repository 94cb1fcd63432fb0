package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// tables are of bytes as package data reads them: b/255, then scaled and shifted
// once or more, rounding each time; and one that no formula gives.
func tables(r *rand.Rand) map[string]*[256]float64 {
	affine := func(t *[256]float64, scale, shift float64) *[256]float64 {
		var u [256]float64
		for i, v := range t {
			u[i] = float64(v*scale) + shift
		}
		return &u
	}
	var unit, odd [256]float64
	for i := range unit {
		unit[i] = float64(i) / 255
		odd[i] = r.NormFloat64()
	}
	return map[string]*[256]float64{
		"unit": &unit, "standard": affine(&unit, 1/0.3081, -0.1307/0.3081),
		"twice": affine(affine(&unit, 2, -1), 0.7, 0.1), "constant": affine(&unit, 0, 3), "odd": &odd,
	}
}

// TestGatherBytes: every level gives the numbers of the table, bit for bit.
func TestGatherBytes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testGatherBytes[float32])
		t.Run("float64", testGatherBytes[float64])
	})
}

func testGatherBytes[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, numbers := range tables(r) {
		table := NewByteTable[T](numbers)
		if sizeof[T]() == 4 && (name == "unit" || name == "standard") && !table.linear {
			t.Errorf("%s: no formula found", name)
		}
		for _, size := range []int{0, 1, 3, 4, 7, 8, 9, 16, 31, 100, 784, 9001} {
			const n = 5
			src := make([]byte, n*size)
			for i := range src {
				src[i] = byte(r.Uint32())
			}
			rows := make([]int, r.IntN(9))
			for i := range rows {
				rows[i] = r.IntN(n)
			}
			dst := newFenced[T](r, len(rows)*size)
			GatherBytes(dst.x, src, size, rows, table)
			what := fmt.Sprintf("%s, %d rows of %d", name, len(rows), size)
			dst.check(t, what)
			for i, got := range dst.x {
				b := src[rows[i/size]*size+i%size]
				if want := T(numbers[b]); got != want || table.At(b) != want {
					t.Fatalf("%s: byte %d is %v, want %v", what, b, got, want)
				}
			}
		}
	}
}

// TestGatherRows: rows are copied, and an index out of range panics before it is
// used.
func TestGatherRows(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, size := range []int{0, 1, 3, 17, 784, 5000} {
			src := newFenced[float32](r, 6*size)
			rows := make([]int, r.IntN(9))
			for i := range rows {
				rows[i] = r.IntN(6)
			}
			dst := newFenced[float32](r, len(rows)*size)
			GatherRows(dst.x, src.x, size, rows)
			dst.check(t, "gather")
			for i, got := range dst.x {
				if want := src.x[rows[i/size]*size+i%size]; got != want {
					t.Fatalf("rows of %d: element %d is %v, want %v", size, i, got, want)
				}
			}
		}
		for _, k := range []int{-1, 2} {
			for _, f := range []func(){
				func() { GatherRows(make([]float32, 12), make([]float32, 8), 4, []int{0, 1, k}) },
				func() {
					GatherBytes(make([]float32, 24), make([]byte, 16), 8, []int{0, 1, k}, NewByteTable[float32](new([256]float64)))
				},
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("row %d of 2 was read", k)
						}
					}()
					f()
				}()
			}
		}
	})
}

// BenchmarkGather: a minibatch of 128 rows of 784 bytes from 47 MB.
func BenchmarkGather(b *testing.B) {
	was := level
	defer func() { level = was }()
	const size, n = 784, 60000
	src := make([]byte, n*size)
	var numbers [256]float64
	for i := range numbers {
		numbers[i] = float64(i) / 255
	}
	linear := NewByteTable[float32](&numbers)
	numbers[7] = math.Pi
	odd := NewByteTable[float32](&numbers)
	dst := make([]float32, 128*size)
	r := rand.New(rand.NewPCG(5, 6))
	rows := r.Perm(n)
	for name, table := range map[string]*ByteTable[float32]{"linear": linear, "table": odd} {
		for l := Generic; l <= detect(); l++ {
			b.Run(name+"/"+l.String(), func(b *testing.B) {
				level = l
				at := 0
				for b.Loop() {
					GatherBytes(dst, src, size, rows[at:at+128], table)
					at = (at + 128) % (n - 128)
				}
			})
		}
	}
}
