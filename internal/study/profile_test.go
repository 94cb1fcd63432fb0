package study

import (
	"io"
	"math"
	"testing"
)

func TestProfileIsTheShareWithinARatio(t *testing.T) {
	inf := math.Inf(1)
	p := NewProfile([]string{"a", "b", "c"}, [][]float64{{1, 10, 3, inf}, {2, 5, inf, inf}, {4.5, 5, 3.3, inf}})
	for _, c := range []struct {
		method int
		tau    float64
		share  float64
	}{{0, 1, 0.5}, {0, 1.9, 0.5}, {0, 2, 0.75}, {0, 1e9, 0.75}, {1, 1, 0.25}, {1, 2, 0.5}, {2, 1, 0.25}, {2, 1.1, 0.5}, {2, 4, 0.5}, {2, 4.5, 0.75}} {
		if got := p.Share(c.method, c.tau); got != c.share {
			t.Errorf("%s within %v: %v, want %v", p.Methods[c.method], c.tau, got, c.share)
		}
	}
	// The score is the area under that curve.
	for m := range p.Methods {
		const n = 30_000
		area := 0.0
		for i := range n {
			area += p.Share(m, 1+(ProfileEnd-1)*(float64(i)+0.5)/n) / n
		}
		if math.Abs(area-p.Score(m)) > 1e-4 {
			t.Errorf("%s: score %v, area %v", p.Methods[m], p.Score(m), area)
		}
	}
	if err := p.Chart("x").Write(io.Discard, "svg"); err != nil {
		t.Error(err)
	}
	if q := NewProfile([]string{"a", "b"}, [][]float64{{0}, {1}}); q.Score(0) != 1 || q.Score(1) != 0 {
		t.Errorf("a target that is met at once: %v", q.Ratios)
	}
}
