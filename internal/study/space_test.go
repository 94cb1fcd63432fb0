package study

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func parsed(t testing.TB, text string) Space {
	t.Helper()
	s, err := ParseSpace(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGridIsAllChoices(t *testing.T) {
	got, err := parsed(t, "lr=1e-3:1e-1:log:3,momentum=0|0.9, nesterov=true").Grid()
	want := []Choice{{"0.001", "0", "true"}, {"0.001", "0.9", "true"}, {"0.01", "0", "true"}, {"0.01", "0.9", "true"}, {"0.1", "0", "true"}, {"0.1", "0.9", "true"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
	if _, err := parsed(t, "lr=1e-3:1e-1").Grid(); err == nil || !strings.Contains(err.Error(), "lr=0.001:0.1:4") {
		t.Errorf("a grid of a range: %v", err)
	}
	if _, err := parsed(t, "a=0:1:1000,b=0:1:1000").Grid(); err == nil {
		t.Error("a million choices")
	}
}

func TestDrawsFillTheSpace(t *testing.T) {
	s := parsed(t, "lr=1e-4:1:log,beta=0.5:0.9,momentum=0|0.9")
	const n = 400
	list, err := s.Draw(n, 3)
	if err != nil || len(list) != n {
		t.Fatalf("%d choices: %v", len(list), err)
	}
	below, mean, zeros := 0, 0.0, 0
	for _, c := range list {
		lr, err := strconv.ParseFloat(c[0], 64)
		beta, err2 := strconv.ParseFloat(c[1], 64)
		if err != nil || err2 != nil || lr < 1e-4 || lr > 1 || beta < 0.5 || beta > 0.9 {
			t.Fatalf("%v", c)
		}
		if lr < 1e-2 {
			below++
		}
		if c[2] == "0" {
			zeros++
		}
		mean += beta / n
	}
	// Half of a logarithmic range lies below its geometric mean; five standard
	// deviations are allowed.
	if math.Abs(float64(below)-n/2) > 5*math.Sqrt(n)/2 || math.Abs(float64(zeros)-n/2) > 5*math.Sqrt(n)/2 || math.Abs(mean-0.7) > 5*0.4/math.Sqrt(12*n) {
		t.Errorf("%d of %d below 1e-2, %d zeros, mean %v", below, n, zeros, mean)
	}
	more, _ := s.Draw(2*n, 3)
	other, _ := s.Draw(n, 4)
	if !reflect.DeepEqual(more[:n], list) || reflect.DeepEqual(other, list) {
		t.Error("more draws do not begin with the same ones, or the seed does nothing")
	}
}

func TestDrawsOfListsDiffer(t *testing.T) {
	s := parsed(t, "a=1|2|3,b=x|y")
	all, err := s.Draw(100, 1)
	if err != nil || len(all) != 6 {
		t.Fatalf("%v (%v)", all, err)
	}
	seen := map[string]bool{}
	for _, c := range all {
		seen[fmt.Sprint(c)] = true
	}
	some, _ := s.Draw(4, 1)
	if len(seen) != 6 || !reflect.DeepEqual(some, all[:4]) {
		t.Errorf("%v, and 4 of them %v", all, some)
	}
}

func TestWrongSpacesSayWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "name=low:high:log",
		"lr":                  "name=low:high:log",
		"lr=":                 "name=low:high:log",
		"lr=1:2,lr=1|2":       "there twice",
		"m=0|0":               "there twice",
		"m=0||1":              "empty",
		"lr=1e-1:1e-3":        "must rise",
		"lr=0:1:log":          "positive",
		"lr=a:1":              `"a" is no number`,
		"lr=1e-3:1:lg":        "may stand log",
		"lr=1e-3:1:log:1":     "from 2 to",
		"lr=1e-3:1:log:3:4":   "may stand log",
		"lr=1e-3:Inf":         "no number",
		"lr=1e-3:1:log:99999": "from 2 to",
	} {
		if _, err := ParseSpace(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseSpace(f *testing.F) {
	for _, text := range []string{"lr=1e-4:1e-1:log,momentum=0|0.9", "a=1:2:3", "=", "x=1|2,,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpace(text)
		if err != nil {
			return
		}
		list, err := s.Draw(3, 1)
		if err != nil {
			return
		}
		for _, c := range list {
			if len(c) != len(s) {
				t.Fatalf("%q: %v has other dimensions than %v", text, c, s)
			}
		}
	})
}
