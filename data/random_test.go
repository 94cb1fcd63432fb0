package data

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestGeneratorIsSplitMix64(t *testing.T) {
	// The first outputs for the seed 1234567 as published with the reference implementation.
	r := random{state: 1234567}
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := r.next(); got != want {
			t.Errorf("output %d is %d, want %d", i, got, want)
		}
	}
}

// These values are what runs of the past have seen: a change breaks their resumption.
func TestOrdersStayWhatTheyWere(t *testing.T) {
	order := func(u use, counter uint64) []int {
		p := make([]int, 10)
		for i := range p {
			p[i] = i
		}
		newRandom(1, u, counter).shuffle(p)
		return p
	}
	for _, c := range []struct {
		u       use
		counter uint64
		want    string
	}{
		{useEpoch, 0, "[1 0 5 6 2 3 4 9 8 7]"},
		{useEpoch, 1, "[7 6 9 0 8 2 5 1 4 3]"},
		{useSample, 0, "[0 6 9 3 8 7 1 2 5 4]"},
	} {
		if got := fmt.Sprint(order(c.u, c.counter)); got != c.want {
			t.Errorf("use %d, counter %d: %s, want %s", c.u, c.counter, got, c.want)
		}
	}
	if got, want := fmt.Sprint(must(Sample(5, 100, 1, 0, nil))), "[24 30 35 44 54]"; got != want {
		t.Errorf("sample %s, want %s", got, want)
	}
	if got, want := newRandom(1, useNoise, 0).normal(), -0.6074472845622654; math.Abs(got-want) > 1e-15 {
		t.Errorf("first normal %v, want %v", got, want)
	}
}

func TestBelowIsUniform(t *testing.T) {
	r := newRandom(7, useEpoch, 0)
	for _, n := range []int{1, 2, 3, 7, 10, 100} {
		count := make([]int, n)
		const each = 2000
		for range each * n {
			count[r.below(n)]++
		}
		if x2 := chiSquare(count, each); x2 > chiLimit(n-1) {
			t.Errorf("below(%d): chi-square %v over %d degrees of freedom", n, x2, n-1)
		}
	}
	// Of 2^64 products 8 fall on every 3 numbers below 3·2^61: without drawing again every third one comes up less.
	const huge, each = 3 << 61, 4000
	count := make([]int, 3)
	for range 3 * each {
		v := r.below(huge)
		if v < 0 || v >= huge {
			t.Fatalf("below(%d) is %d", huge, v)
		}
		count[v%3]++
	}
	if x2 := chiSquare(count, each); x2 > chiLimit(2) {
		t.Errorf("below(%d): chi-square %v over 2 degrees of freedom", huge, x2)
	}
}

func TestShuffleGivesEveryOrderEqually(t *testing.T) {
	const each = 1000
	index := map[string]int{}
	count := make([]int, 24)
	for k := range uint64(24 * each) {
		p := []int{0, 1, 2, 3}
		newRandom(3, useEpoch, k).shuffle(p) // one shuffle per stream, as epochs use them
		key := fmt.Sprint(p)
		if _, ok := index[key]; !ok {
			index[key] = len(index)
		}
		count[index[key]]++
	}
	if x2 := chiSquare(count, each); x2 > chiLimit(23) {
		t.Errorf("chi-square %v over 23 degrees of freedom", x2)
	}
}

func TestNormalHasTheMomentsOfTheNormal(t *testing.T) {
	const n = 200000
	r := newRandom(9, useNoise, 0)
	var m [5]float64
	for range n {
		v := r.normal()
		for k, p := 1, v; k < 5; k, p = k+1, p*v {
			m[k] += p / n
		}
	}
	// Four standard errors: the variances of v, v², v³, v⁴ are 1, 2, 15, 96.
	for k, want := range []float64{0, 0, 1, 0, 3} {
		if k > 0 && math.Abs(m[k]-want) > 4*math.Sqrt([]float64{0, 1, 2, 15, 96}[k]/n) {
			t.Errorf("moment %d is %v, want %v", k, m[k], want)
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for seed := range uint64(20) {
		for u := useEpoch; u <= useNoise; u++ {
			for counter := range uint64(20) {
				name := fmt.Sprint(seed, u, counter)
				first := newRandom(seed, u, counter).next()
				if other, ok := seen[first]; ok {
					t.Fatalf("streams %s and %s begin alike", name, other)
				}
				seen[first] = name
			}
		}
	}
}

func TestSampleIsAscendingDistinctAndDetermined(t *testing.T) {
	for size := 1; size < 200; size += 7 {
		for n := 1; n <= size; n += 1 + size/5 {
			s := must(Sample(n, size, 5, uint64(n), nil))
			if len(s) != n || s[0] < 0 || s[n-1] >= size {
				t.Fatalf("sample of %d from %d: %v", n, size, s)
			}
			for i := 1; i < n; i++ {
				if s[i] <= s[i-1] {
					t.Fatalf("sample of %d from %d: %v", n, size, s)
				}
			}
			if !slices.Equal(s, must(Sample(n, size, 5, uint64(n), make([]int, 300)))) {
				t.Fatal("the same draw gives another sample")
			}
		}
	}
}

func TestSampleTakesEverySubsetEqually(t *testing.T) {
	const each = 1000
	index := map[string]int{}
	count := make([]int, 10) // subsets of 2 of 5
	for draw := range uint64(10 * each) {
		key := fmt.Sprint(must(Sample(2, 5, 11, draw, nil)))
		if _, ok := index[key]; !ok {
			index[key] = len(index)
		}
		count[index[key]]++
	}
	if x2 := chiSquare(count, each); x2 > chiLimit(9) {
		t.Errorf("chi-square %v over 9 degrees of freedom", x2)
	}
}

func TestSampleUsesTheRoomGiven(t *testing.T) {
	dst := make([]int, 0, 8)
	s := must(Sample(8, 20, 1, 1, dst))
	if &s[0] != &dst[:1][0] {
		t.Error("the sample was stored elsewhere")
	}
}

func TestSampleErrorsNameBothNumbers(t *testing.T) {
	_, err := Sample(11, 10, 1, 1, nil)
	wantError(t, err, "sample of 11", "from 10")
	_, err = Sample(0, 10, 1, 1, nil)
	wantError(t, err, "sample of 0", "at least 1")
	_, err = Sample(1, 0, 1, 1, nil)
	wantError(t, err, "sample of 1", "from 0")
	_, err = Sample(1, maxNumbers+1, 1, 1, nil)
	wantError(t, err, "more than memory can hold")
}

func chiSquare(count []int, want float64) (x2 float64) {
	for _, c := range count {
		x2 += (float64(c) - want) * (float64(c) - want) / want
	}
	return x2
}

// chiLimit is about the 0.9999 quantile of the chi-square distribution (Wilson and Hilferty).
func chiLimit(k int) float64 {
	f := float64(max(k, 1))
	c := 1 - 2/(9*f) + 3.72*math.Sqrt(2/(9*f))
	return f * c * c * c
}
