package data

import (
	"math"
	"slices"
	"testing"
)

func TestBlobsLieAroundTheirCentres(t *testing.T) {
	const n, classes, dim, spread = 30000, 3, 4, 0.7
	centres := inputs[float64](t, must(Blobs(classes, classes, dim, 0, 5))) // without spread a point is its centre
	d := must(Blobs(n, classes, dim, spread, 5))
	x := inputs[float64](t, d)
	for c := range classes {
		var mean, m2 [dim]float64
		for i := c; i < n; i += classes {
			for j := range dim {
				v := x[i*dim+j] - centres[c*dim+j]
				mean[j] += v / (n / classes)
				m2[j] += v * v / (n / classes)
			}
		}
		for j := range dim {
			// Four standard errors of a mean and of a variance.
			if math.Abs(mean[j]) > 4*spread/math.Sqrt(n/classes) {
				t.Errorf("class %d, feature %d: mean %v off the centre", c, j, mean[j])
			}
			if math.Abs(m2[j]/(spread*spread)-1) > 4*math.Sqrt(2.0/(n/classes)) {
				t.Errorf("class %d, feature %d: variance %v, want %v", c, j, m2[j], spread*spread)
			}
		}
	}
}

func TestBlobCentresAreStandardNormal(t *testing.T) {
	centres := inputs[float64](t, must(Blobs(2000, 2000, 5, 0, 1)))
	mean, std := plainMoments(centres, 1, 1)
	if math.Abs(mean[0]) > 0.04 || math.Abs(std[0]-1) > 0.03 {
		t.Errorf("centres have mean %v and standard deviation %v", mean[0], std[0])
	}
}

// nearestError is the part of examples in test whose nearest neighbour in train is of another class.
func nearestError(t *testing.T, train, test Dataset) float64 {
	t.Helper()
	a, b, ya, yb := inputs[float64](t, train), inputs[float64](t, test), targets(t, train), targets(t, test)
	size, wrong := product(train.Shape()), 0
	for i := range yb {
		best, least := 0, math.Inf(1)
		for k := range ya {
			var d float64
			for j := range size {
				v := b[i*size+j] - a[k*size+j]
				d += v * v
			}
			if d < least {
				best, least = k, d
			}
		}
		if ya[best] != yb[i] {
			wrong++
		}
	}
	return float64(wrong) / float64(len(yb))
}

func TestSyntheticSetsCanBeLearned(t *testing.T) {
	for name, c := range map[string]struct {
		d    *Arrays[float64]
		most float64
	}{
		"blobs":            {must(Blobs(600, 4, 10, 0.5, 3)), 0.02},
		"spirals":          {must(Spirals(900, 3, 0.01, 3)), 0.02},
		"spirals in noise": {must(Spirals(900, 3, 0.5, 3)), 1},
	} {
		train, test, err := Split(c.d, 0.3, 1)
		if err != nil {
			t.Fatal(err)
		}
		wrong := nearestError(t, train, test)
		if wrong > c.most {
			t.Errorf("%s: nearest neighbours are wrong for %v of the examples", name, wrong)
		}
		if name == "spirals in noise" && wrong < 0.3 {
			t.Errorf("%s: nearest neighbours are wrong for only %v of the examples", name, wrong)
		}
	}
}

func TestSpiralsFollowTheirFormula(t *testing.T) {
	const n, arms = 301, 3
	x, y := inputs[float64](t, must(Spirals(n, arms, 0, 9))), targets(t, must(Spirals(n, arms, 0, 9)))
	count := [arms]int{}
	for i := range n {
		count[int(y[i])]++
	}
	at := [arms]int{}
	for i := range n {
		a := int(y[i])
		at[a]++
		tt := float64(at[a]) / float64(count[a])
		if r := math.Hypot(x[2*i], x[2*i+1]); math.Abs(r-tt) > 1e-12 {
			t.Fatalf("example %d: radius %v, want %v", i, r, tt)
		}
		phi := 2 * math.Pi * (tt + float64(a)/arms)
		if got := math.Atan2(x[2*i+1], x[2*i]); math.Abs(math.Remainder(got-phi, 2*math.Pi)) > 1e-9 {
			t.Fatalf("example %d: angle %v, want %v", i, got, phi)
		}
	}
	noisy := inputs[float64](t, must(Spirals(20000, arms, 0.3, 9)))
	clean := inputs[float64](t, must(Spirals(20000, arms, 0, 9)))
	for i := range noisy {
		noisy[i] -= clean[i]
	}
	if mean, std := plainMoments(noisy, 1, 1); math.Abs(mean[0]) > 0.006 || math.Abs(std[0]-0.3) > 0.005 {
		t.Errorf("noise has mean %v and standard deviation %v, want 0 and 0.3", mean[0], std[0])
	}
}

func TestSyntheticSetsAreBalancedAndDetermined(t *testing.T) {
	for name, generate := range map[string]func(n int, seed uint64) (*Arrays[float64], error){
		"blobs":   func(n int, seed uint64) (*Arrays[float64], error) { return Blobs(n, 3, 2, 1, seed) },
		"spirals": func(n int, seed uint64) (*Arrays[float64], error) { return Spirals(n, 3, 0.1, seed) },
	} {
		for _, n := range []int{3, 4, 100, 101} {
			d := must(generate(n, 4))
			count := [3]int{}
			for _, v := range targets(t, d) {
				count[int(v)]++
			}
			if slices.Max(count[:])-slices.Min(count[:]) > 1 || d.Len() != n {
				t.Errorf("%s: %d examples in classes of %v", name, d.Len(), count)
			}
			x := inputs[float64](t, d)
			if !slices.Equal(x, inputs[float64](t, must(generate(n, 4)))) {
				t.Errorf("%s: the same seed gives other points", name)
			}
			if slices.Equal(x, inputs[float64](t, must(generate(n, 5)))) {
				t.Errorf("%s: another seed gives the same points", name)
			}
		}
	}
}

func TestSyntheticSetsRefuseBadArguments(t *testing.T) {
	for _, c := range []struct {
		n, classes, dim int
		sigma           float64
		says            string
	}{
		{10, 0, 2, 1, "0 classes"}, {10, 2, 0, 1, "0 dimensions"}, {2, 3, 2, 1, "2 examples of 3 classes"}, {-1, 1, 2, 1, "-1 examples"},
		{10, 2, 2, -1, "spread -1"}, {10, 2, 2, math.NaN(), "spread NaN"}, {10, 2, 2, math.Inf(1), "spread +Inf"},
		{1 << 40, 2, 1 << 20, 1, "more elements than memory"},
	} {
		_, err := Blobs(c.n, c.classes, c.dim, c.sigma, 1)
		wantError(t, err, c.says)
	}
	for _, c := range []struct {
		n, arms int
		sigma   float64
		says    string
	}{
		{10, 0, 1, "0 arms"}, {2, 3, 1, "2 examples of 3 classes"}, {10, 2, -1, "noise -1"}, {10, 2, math.NaN(), "noise NaN"},
		{1 << 60, 2, 1, "more elements than memory"},
	} {
		_, err := Spirals(c.n, c.arms, c.sigma, 1)
		wantError(t, err, c.says)
	}
}
