package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSubsetKeepsOrderAndRepetition(t *testing.T) {
	d := counted[float64](6, 1)
	index := []int{5, 0, 0, 3}
	s := must(Subset(d, index))
	index[0] = 1 // the subset has its own copy
	if got := inputs[float64](t, s); !slices.Equal(got, []float64{5, 0, 0, 3}) {
		t.Errorf("inputs %v", got)
	}
	if got := targets(t, s); !slices.Equal(got, []float64{2, 0, 0, 0}) {
		t.Errorf("targets %v", got)
	}
}

func TestSubsetOfSubsetReadsTheStorageOnce(t *testing.T) {
	d := counted[float64](10, 1)
	s := must(Limit(must(Subset(must(Subset(d, []int{9, 8, 7, 6, 5})), []int{4, 2, 0})), 2)).(*subset)
	if got := inputs[float64](t, s); !slices.Equal(got, []float64{5, 7}) {
		t.Errorf("inputs %v", got)
	}
	if s.base != Dataset(d) {
		t.Errorf("the subset reads through a %T", s.base)
	}
}

func TestLimitIsThePrefixOrAll(t *testing.T) {
	d := counted[float64](4, 1)
	if got := inputs[float64](t, must(Limit(d, 3))); !slices.Equal(got, []float64{0, 1, 2}) {
		t.Errorf("inputs %v", got)
	}
	for _, n := range []int{4, 5, 1 << 40} {
		if got := must(Limit(d, n)); got != Dataset(d) {
			t.Errorf("limit %d of 4 examples is a %T", n, got)
		}
	}
}

func TestSplitPartsAreDisjointAndCoverAll(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 2 + r.IntN(300)
		fraction, seed := r.Float64(), r.Uint64()
		d := counted[float64](n, 1)
		train, val, err := Split(d, fraction, seed)
		k := int(math.Round(fraction * float64(n)))
		if k < 1 || k >= n {
			wantError(t, err, "leaves one part empty")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		a, b := inputs[float64](t, train), inputs[float64](t, val)
		if len(b) != k || !slices.IsSorted(a) || !slices.IsSorted(b) {
			t.Fatalf("n %d, fraction %v: %d examples in val, want %d in order", n, fraction, len(b), k)
		}
		all := slices.Sorted(slices.Values(append(slices.Clone(a), b...)))
		if !slices.Equal(all, inputs[float64](t, d)) {
			t.Fatalf("n %d, fraction %v: the parts do not cover the whole once", n, fraction)
		}
		_, again, _ := Split(d, fraction, seed)
		if !slices.Equal(inputs[float64](t, again), b) {
			t.Fatal("the same seed gives another split")
		}
	}
}

func TestSplitDependsOnTheSeed(t *testing.T) {
	d := counted[float64](100, 1)
	seen := map[string]bool{}
	for seed := range uint64(20) {
		_, val, err := Split(d, 0.1, seed)
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(inputs[float64](t, val))] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 seeds gave %d splits", len(seen))
	}
}

func TestPartsRefuseBadArguments(t *testing.T) {
	d := counted[float64](4, 1)
	_, err := Subset(d, nil)
	wantError(t, err, "no examples")
	_, err = Subset(d, []int{0, 4})
	wantError(t, err, "index[1] is 4", "0 to 3")
	_, err = Subset(nil, []int{0})
	wantError(t, err, "nil")
	_, err = Limit(d, 0)
	wantError(t, err, "limit of 0", "at least 1")
	_, err = Limit(nil, 1)
	wantError(t, err, "nil")
	for _, f := range []float64{0, 1, -0.5, 2, math.NaN(), math.Inf(1)} {
		_, _, err = Split(d, f, 1)
		wantError(t, err, fmt.Sprint("fraction is ", f), "between 0 and 1")
	}
	_, _, err = Split(nil, 0.5, 1)
	wantError(t, err, "nil")
}
