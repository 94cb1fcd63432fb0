package data

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// plainMoments is the mean and standard deviation of the columns of x by the definition, each group's numbers
// gathered first.
func plainMoments(x []float64, size, groups int) (mean, std []float64) {
	run := size / groups
	for g := range groups {
		var v []float64
		for i := 0; i < len(x); i += size {
			v = append(v, x[i+g*run:i+(g+1)*run]...)
		}
		var sum, m2 float64
		for _, a := range v {
			sum += a
		}
		m := sum / float64(len(v))
		for _, a := range v {
			m2 += (a - m) * (a - m)
		}
		mean, std = append(mean, m), append(std, math.Sqrt(m2/float64(len(v))))
	}
	return mean, std
}

func near(a, b []float64, tol float64) bool {
	return slices.EqualFunc(a, b, func(a, b float64) bool { return math.Abs(a-b) <= tol*(1+math.Abs(b)) })
}

func TestFitScalerMatchesTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, groups := range []Groups{Auto, Global, PerChannel, PerFeature} {
		for _, shape := range [][]int{{4}, {3, 5}, {2, 3, 4}, {2, 1, 2, 2}, {40000}} {
			n := 1 + r.IntN(40)
			x := make([]float64, n*product(shape))
			for i := range x {
				x[i] = r.NormFloat64()*3 + float64(i%4)
			}
			d := must(New(x, shape, make([]float64, n), Target{}))
			s := must(FitScaler(d, groups))
			count := map[Groups]int{Global: 1, PerChannel: shape[0], PerFeature: product(shape)}[groups]
			if groups == Auto {
				count = map[int]int{1: shape[0], 2: 1, 3: shape[0], 4: 1}[len(shape)]
			}
			mean, std := plainMoments(x, product(shape), count)
			for i := range std {
				if std[i] == 0 {
					std[i] = 1
				}
			}
			if !near(s.Mean, mean, 1e-12) || !near(s.Std, std, 1e-12) {
				t.Errorf("groups %d, shape %v, %d examples: mean %.5v std %.5v, want %.5v and %.5v", groups, shape, n, s.Mean, s.Std, mean, std)
			}
		}
	}
}

func TestFitScalerIsStableFarFromZero(t *testing.T) {
	// A variance from the sums of squares would lose all digits at this distance.
	const n, far = 200000, 1e9
	x := make([]float64, n)
	for i := range x {
		x[i] = far + float64(i%3) - 1
	}
	x[0] = far - 1
	s := must(FitScaler(must(New(x, []int{1}, make([]float64, n), Target{})), Global))
	if math.Abs(s.Mean[0]-far) > 1e-4 || math.Abs(s.Std[0]-math.Sqrt(2.0/3)) > 1e-5 {
		t.Errorf("mean %v and standard deviation %v, want %v and %v", s.Mean[0], s.Std[0], far, math.Sqrt(2.0/3))
	}
}

func TestConstantFeaturesKeepTheirScale(t *testing.T) {
	const n = 70000 // several chunks
	x := make([]float64, 2*n)
	for i := range n {
		x[2*i], x[2*i+1] = 0.1, float64(i)
	}
	sets, s, err := Standardize(must(New(x, []int{2}, make([]float64, n), Target{})))
	if err != nil {
		t.Fatal(err)
	}
	if s.Mean[0] != 0.1 || s.Std[0] != 1 {
		t.Errorf("the constant 0.1 has mean %v and standard deviation %v, want exactly 0.1 and 1", s.Mean[0], s.Std[0])
	}
	if got := inputs[float64](t, sets[0]); got[0] != 0 {
		t.Errorf("the constant becomes %v", got[0])
	}
}

func TestStandardizeUsesTheTrainingSetsNumbers(t *testing.T) {
	for _, train := range []Dataset{countedBytes(200, 1, 3, 3), counted[float32](50, 4), counted[float64](9, 3, 2, 2)} {
		other := must(Subset(train, []int{7, 3}))
		sets, s, err := Standardize(train, other)
		if err != nil || len(sets) != 2 {
			t.Fatal(sets, err)
		}
		mean, std := plainMoments(inputs[float64](t, sets[0]), product(train.Shape()), len(s.Mean))
		for g := range mean {
			if math.Abs(mean[g]) > 1e-12 || math.Abs(std[g]-1) > 1e-12 {
				t.Errorf("%T: group %d has mean %v and standard deviation %v after standardising", train, g, mean[g], std[g])
			}
		}
		if want := inputs[float64](t, must(Subset(sets[0], []int{7, 3}))); !near(inputs[float64](t, sets[1]), want, 1e-15) {
			t.Errorf("%T: the other set is scaled by other numbers", train)
		}
	}
}

func TestGlobalStandardizeStaysInByteStorage(t *testing.T) {
	sets, _, err := Standardize(countedBytes(20, 1, 2, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := sets[0].(*Bytes); !ok {
		t.Errorf("the standardised set is a %T", sets[0])
	}
}

func TestScalerSurvivesJSON(t *testing.T) {
	d := counted[float64](10, 3)
	s := must(FitScaler(d, Auto))
	var back Scaler
	if err := json.Unmarshal(must(json.Marshal(s)), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*s, back) {
		t.Errorf("%v became %v", *s, back)
	}
	if !slices.Equal(inputs[float64](t, must(back.Apply(d))), inputs[float64](t, must(s.Apply(d)))) {
		t.Error("the saved scaler gives other numbers")
	}
}

func TestScalerRefusesBadArguments(t *testing.T) {
	d := counted[float64](4, 6, 2)
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		s    Scaler
		says []string
	}{
		{Scaler{}, []string{"0 means", "[1 6 12]"}},
		{Scaler{Mean: make([]float64, 5), Std: make([]float64, 5)}, []string{"5 means", "[6 2]", "[1 6 12]"}},
		{Scaler{Mean: []float64{0}, Std: []float64{1, 1}}, []string{"1 means and 2 standard deviations"}},
		{Scaler{Mean: []float64{0}, Std: []float64{0}}, []string{"standard deviation 0", "group 0"}},
		{Scaler{Mean: []float64{0}, Std: []float64{-1}}, []string{"standard deviation -1"}},
		{Scaler{Mean: []float64{nan}, Std: []float64{1}}, []string{"mean NaN"}},
		{Scaler{Mean: []float64{0}, Std: []float64{inf}}, []string{"standard deviation +Inf"}},
	} {
		_, err := c.s.Apply(d)
		wantError(t, err, c.says...)
	}
	_, err := (&Scaler{Mean: []float64{0}, Std: []float64{1}}).Apply(nil)
	wantError(t, err, "nil")
	_, err = FitScaler(nil, Auto)
	wantError(t, err, "nil")
	_, err = FitScaler(d, Groups(9))
	wantError(t, err, "groups 9", "PerChannel")
	_, _, err = Standardize(d, counted[float64](4, 5))
	if err != nil {
		t.Errorf("one mean for all numbers suits every shape: %v", err)
	}
	_, _, err = Standardize(counted[float64](4, 3), counted[float64](4, 5))
	wantError(t, err, "standardize set 1", "3 means", "[5]")
	for _, v := range []float64{nan, inf, -inf} {
		bad := must(New([]float64{1, v, 2, 3}, []int{2}, []float64{0, 0}, Target{}))
		_, err = FitScaler(bad, PerFeature)
		wantError(t, err, "group 1 of 2", "finite")
	}
	failing := must(Func(3, []int{1}, Target{}, func(i int, _, _ []float64) error { return fmt.Errorf("no example") }))
	_, _, err = Standardize(failing)
	wantError(t, err, "example 0", "no example")
}
