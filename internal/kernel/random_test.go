package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPhilox against the known answers of Random123, the authors' library.
func TestPhilox(t *testing.T) {
	ones := uint32(0xffffffff)
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(c.ctr, c.key); got != c.want {
			t.Errorf("of %x with %x it is %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
}

// TestUniform: at every level the numbers are those of Philox, wherever a slice
// begins and ends, and a dropout mask is what they say.
func TestUniform(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		t.Run("float32", testUniform[float32])
		t.Run("float64", testUniform[float64])
	})
}

func testUniform[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		key := Mix(r.Uint64())
		stream, row := r.Uint32(), r.Uint32()
		at := r.IntN(100)
		if r.IntN(4) == 0 {
			at = 1<<34 - r.IntN(200) // the first word of the counter turns over
		}
		n := lengths[r.IntN(len(lengths))]
		rate := r.Float64()
		u, mask := newFenced[T](r, n), newFenced[T](r, n)
		Uniform(u.x, key, stream, row, at)
		DropoutMask(mask.x, rate, key, stream, row, at)
		what := fmt.Sprintf("%d numbers from %d", n, at)
		u.check(t, what)
		mask.check(t, what)
		k := [2]uint32{key[0] | key[2]<<24, key[1] | key[2]>>8<<24}
		for i, got := range u.x {
			w := Philox([4]uint32{uint32((at + i) >> 2), row, stream, key[2] >> 16}, k)
			want := T(w[(at+i)&3]>>8) / (1 << 24)
			if got != want {
				t.Fatalf("%s: number %d is %v, want %v", what, i, got, want)
			}
			m := T(0)
			if want >= T(rate) {
				m = T(1 / (1 - rate))
			}
			if mask.x[i] != m {
				t.Fatalf("%s: mask %d is %v for %v at rate %v", what, i, mask.x[i], want, rate)
			}
		}
	}
}

// TestUniformIsUniform: the counts of 64 bins are as a chi-square test allows, at
// a chance of 1e-6 for a right generator.
func TestUniformIsUniform(t *testing.T) {
	x := make([]float32, 1<<16)
	Uniform(x, Mix(1), 2, 3, 0)
	bins := make([]int, 64)
	for _, v := range x {
		bins[int(v*64)]++
	}
	chi := 0.0
	for _, n := range bins {
		d := float64(n) - 1024
		chi += d * d / 1024
	}
	if chi > 127 {
		t.Errorf("chi-square of 63 degrees of freedom is %v", chi)
	}
	if slices.Contains(x, 1) {
		t.Error("1 is no uniform number")
	}
}

func BenchmarkUniform(b *testing.B) {
	was := level
	defer func() { level = was }()
	x := make([]float32, 4096)
	for l := Generic; l <= detect(); l++ {
		b.Run(l.String(), func(b *testing.B) {
			level = l
			for b.Loop() {
				Uniform(x, Mix(1), 2, 3, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/element")
		})
	}
}
