package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestUnitsOfAStripFollowEachOther: each unit comes once; those of a strip and band one
// after the other; and all rows of the first band before those of the second.
func TestUnitsOfAStripFollowEachOther(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		u := units{rows: 1 + r.IntN(9), cols: 1 + r.IntN(9), down: 1 + r.IntN(7), across: 1 + r.IntN(5)}
		u.banded = u.down > 1 && r.IntN(2) == 0
		m, n := u.rows*u.down-r.IntN(u.rows), u.cols*u.across-r.IntN(u.cols)
		seen := make([]int, m*n)
		strip, highest, runs := -1, 0, 0
		for unit := range u.Units() {
			r0, r1, c0, c1 := u.block(unit, m, n)
			if r0 >= r1 || c0 >= c1 || r1 > m || c1 > n || u.Row(unit)*u.rows != r0 {
				t.Fatalf("%+v: unit %d of a %dx%d matrix has rows [%d, %d) and columns [%d, %d)", u, unit, m, n, r0, r1, c0, c1)
			}
			for i := r0; i < r1; i++ {
				for j := c0; j < c1; j++ {
					seen[i*n+j]++
				}
			}
			if c0/u.cols != strip {
				strip = c0 / u.cols
				runs++
			}
			if u.banded && unit >= (u.down+1)/2*u.across && r0 < highest {
				t.Fatalf("%+v: unit %d of the second band begins at row %d, the first ends at %d", u, unit, r0, highest)
			}
			if u.banded && unit < (u.down+1)/2*u.across {
				highest = max(highest, r1)
			}
		}
		want := u.across
		if u.banded && u.across > 1 {
			want *= 2
		}
		if runs != want {
			t.Errorf("%+v: strips change %d times, want %d", u, runs, want)
		}
		for i, k := range seen {
			if k != 1 {
				t.Fatalf("%+v: element %d is computed %d times", u, i, k)
			}
		}
	}
}

// TestBandsAreOfTallProducts: a weight gradient of a small batch has bands, a layer none.
func TestBandsAreOfTallProducts(t *testing.T) {
	for _, c := range []struct {
		m, k, n int
		want    bool
	}{{784, 128, 512, true}, {512, 128, 512, true}, {128, 784, 512, false}, {1000, 1000, 784, false}, {784, 128, 16, false}, {1000, 300, 1000, false}} {
		if g := NewGemm[float32](c.m, c.n, c.k, Mat{1, c.m}, Mat{c.n, 1}, c.n); g.banded != c.want {
			t.Errorf("%dx%dx%d: bands %t, want %t", c.m, c.k, c.n, g.banded, c.want)
		}
		if g := NewSparseGemm(NewSparse[float32](c.m, c.k), c.n, c.n, c.n); g.banded != c.want {
			t.Errorf("sparse %dx%dx%d: bands %t, want %t", c.m, c.k, c.n, g.banded, c.want)
		}
	}
}
