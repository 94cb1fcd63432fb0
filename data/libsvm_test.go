package data

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

const vectors = "+1 1:0.5 3:-2 # the first\n-1 2:1e-3\n# a line of its own\n\n+1\n"

func TestReadLIBSVM(t *testing.T) {
	long := "-1 1:0.5" + strings.Repeat(" ", 1<<17) + "2:7\n+1 2:1\n"
	for name, c := range map[string]struct {
		content string
		opt     LIBSVMOptions
		classes []string
		d       int
		x, y    []float64
	}{
		"plain":                {vectors, LIBSVMOptions{}, []string{"-1", "1"}, 3, []float64{0.5, 0, -2, 0, 1e-3, 0, 0, 0, 0}, []float64{1, 0, 1}},
		"gzip":                 {string(gzipped([]byte(vectors))), LIBSVMOptions{}, []string{"-1", "1"}, 3, []float64{0.5, 0, -2, 0, 1e-3, 0, 0, 0, 0}, []float64{1, 0, 1}},
		"CRLF and tabs":        {"1\t1:2\r\n0 \t 1:3 \r\n", LIBSVMOptions{}, []string{"0", "1"}, 1, []float64{2, 3}, []float64{1, 0}},
		"no last line":         {"1 1:2\n2 1:3", LIBSVMOptions{}, []string{"1", "2"}, 1, []float64{2, 3}, []float64{0, 1}},
		"several classes":      {"10 1:1\n9 1:2\n-3.0 1:3\n+9 1:4\n", LIBSVMOptions{}, []string{"-3", "9", "10"}, 1, []float64{1, 2, 3, 4}, []float64{2, 1, 0, 1}},
		"real labels":          {"0.25 1:1\n-1e2 1:2\n", LIBSVMOptions{Real: true}, nil, 1, []float64{1, 2}, []float64{0.25, -100}},
		"whole numbers, real":  {"7 1:1\n9 1:2\n", LIBSVMOptions{Real: true}, nil, 1, []float64{1, 2}, []float64{7, 9}},
		"given classes":        {"1 1:1\n1 1:2\n", LIBSVMOptions{Classes: []string{"-1", "1"}}, []string{"-1", "1"}, 1, []float64{1, 2}, []float64{1, 1}},
		"given features":       {"1 1:1\n2 2:2\n", LIBSVMOptions{Features: 4}, []string{"1", "2"}, 4, []float64{1, 0, 0, 0, 0, 2, 0, 0}, []float64{0, 1}},
		"a zero is written":    {"1 1:1 3:0\n2 2:2\n", LIBSVMOptions{}, []string{"1", "2"}, 3, []float64{1, 0, 0, 0, 2, 0}, []float64{0, 1}},
		"only zeros":           {"1 2:0\n", LIBSVMOptions{}, []string{"1"}, 2, []float64{0, 0}, []float64{0}},
		"larger than a buffer": {long, LIBSVMOptions{}, []string{"-1", "1"}, 2, []float64{0.5, 7, 0, 1}, []float64{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadLIBSVM(strings.NewReader(c.content), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Classes, c.classes) || d.Target().Classes != len(c.classes) {
				t.Errorf("classes %q, target %v, want %q", d.Classes, d.Target(), c.classes)
			}
			if !slices.Equal(d.Shape(), []int{c.d}) {
				t.Errorf("shape %v, want %d features", d.Shape(), c.d)
			}
			if got := inputs[float64](t, d); !slices.Equal(got, c.x) {
				t.Errorf("inputs %v, want %v", got, c.x)
			}
			if got := targets(t, d); !slices.Equal(got, c.y) {
				t.Errorf("targets %v, want %v", got, c.y)
			}
			if err := Check(d); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReadLIBSVMErrorsSayWhereAndWhat(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		opt     LIBSVMOptions
		says    []string
	}{
		"empty":                {"", LIBSVMOptions{}, []string{"no examples"}},
		"comments alone":       {"# 1 1:1\n\n", LIBSVMOptions{}, []string{"no examples"}},
		"labels alone":         {"1\n2\n", LIBSVMOptions{}, []string{"no example has a feature"}},
		"no label":             {"1 1:1\n1:1 2:2\n", LIBSVMOptions{}, []string{"line 2, column 1", `"1:1" is no label`}},
		"a word":               {"spam 1:1\n", LIBSVMOptions{}, []string{"line 1, column 1", `label "spam" is not a number`}},
		"several labels":       {"1,2 1:1\n", LIBSVMOptions{}, []string{"line 1, column 1", "several labels"}},
		"fraction":             {"  1.5 1:1\n", LIBSVMOptions{}, []string{"line 1, column 3", `"1.5" is no class`, "Real"}},
		"NaN label":            {"nan 1:1\n", LIBSVMOptions{Real: true}, []string{"line 1, column 1", `label "nan" is not a finite number`}},
		"unknown class":        {"1 1:1\n3 1:1\n", LIBSVMOptions{Classes: []string{"1", "2"}}, []string{"line 2, column 1", `"3" is not one of the classes 1, 2`}},
		"real and classes":     {vectors, LIBSVMOptions{Real: true, Classes: []string{"1"}}, []string{"both Real and Classes"}},
		"no colon":             {"1 1:1 7\n", LIBSVMOptions{}, []string{"line 1, column 7", `"7" is no feature`}},
		"index 0":              {"1 1:1\n\n1 0:1\n", LIBSVMOptions{}, []string{"line 3, column 3", "index 0", "begin at 1"}},
		"negative index":       {"1 -1:1\n", LIBSVMOptions{}, []string{"line 1, column 3", `"-1" is no index`}},
		"fraction as index":    {"1 1.5:1\n", LIBSVMOptions{}, []string{`"1.5" is no index`}},
		"empty index":          {"1 :1\n", LIBSVMOptions{}, []string{`"" is no index`}},
		"a query":              {"1 qid:3 1:1\n", LIBSVMOptions{}, []string{"line 1, column 3", "qid:3", "ranking"}},
		"the same index twice": {"1 2:1 2:1\n", LIBSVMOptions{}, []string{"line 1, column 7", "index 2 after index 2", "ascend"}},
		"descending":           {"1 3:1 2:1\n", LIBSVMOptions{}, []string{"index 2 after index 3"}},
		"too large":            {"1 5:1\n", LIBSVMOptions{Features: 4}, []string{"line 1, column 3", "index 5 is larger than 4"}},
		"much too large":       {"1 99999999999999999999:1\n", LIBSVMOptions{}, []string{"larger than 2147483647"}},
		"empty value":          {"1 1:\n", LIBSVMOptions{}, []string{"line 1, column 3", `value "" is not a number`}},
		"two colons":           {"1 1:2:3\n", LIBSVMOptions{}, []string{`value "2:3" is not a number`}},
		"Inf":                  {"1 1:1 2:-inf\n", LIBSVMOptions{}, []string{"line 1, column 7", `"-inf" is not a finite number`}},
		"too large a value":    {"1 1:1e999\n", LIBSVMOptions{}, []string{`"1e999" is too large`}},
		"hexadecimal":          {"1 1:0x10\n", LIBSVMOptions{}, []string{`"0x10" is not a number`}},
		"negative features":    {vectors, LIBSVMOptions{Features: -1}, []string{"-1 features"}},
		"cut gzip":             {string(gzipped([]byte(vectors))[:30]), LIBSVMOptions{}, []string{"unexpected EOF"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadLIBSVM(strings.NewReader(c.content), c.opt)
			wantError(t, err, append(c.says, "data: libsvm: ")...)
			if d != nil {
				t.Errorf("a data set %v beside the error", d)
			}
		})
	}
	_, err := ReadLIBSVM(iotest.ErrReader(errors.New("disk on fire")), LIBSVMOptions{})
	wantError(t, err, "disk on fire")
}

func FuzzReadLIBSVM(f *testing.F) {
	f.Add([]byte(vectors), false, 0)
	f.Add(gzipped([]byte("1 1:1\n")), true, 7)
	f.Add([]byte("-0 1:-0 2:1e-320\n0 99:1e300\n"), false, 0)
	f.Add([]byte("1.5 1:0.1 2147483647:1\n"), true, 0)
	f.Fuzz(func(t *testing.T, raw []byte, isReal bool, features int) {
		d, err := ReadLIBSVM(bytes.NewReader(raw), LIBSVMOptions{Real: isReal, Features: features})
		if err != nil {
			wantError(t, err)
			return
		}
		if isReal != (d.Classes == nil) || features > 0 && d.Shape()[0] != features {
			t.Fatalf("classes %q, shape %v", d.Classes, d.Shape())
		}
		used := make([]bool, len(d.Classes))
		for _, v := range targets(t, d) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("target %v", v)
			}
			if !isReal {
				used[int(v)] = true
			}
		}
		if slices.Contains(used, false) {
			t.Fatalf("not every class of %q occurs", d.Classes)
		}
		// What is kept says the same when it is written and read.
		var again strings.Builder
		y := targets(t, d)
		for i := range d.Len() {
			if isReal {
				again.WriteString(strconv.FormatFloat(y[i], 'g', -1, 64))
			} else {
				again.WriteString(d.Classes[int(y[i])])
			}
			index, value := d.Row(i)
			for e, j := range index {
				again.WriteString(" " + strconv.Itoa(int(j)+1) + ":" + strconv.FormatFloat(value[e], 'g', -1, 64))
			}
			again.WriteByte('\n')
		}
		e, err := ReadLIBSVM(strings.NewReader(again.String()), LIBSVMOptions{Real: isReal, Features: d.Shape()[0]})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(targets(t, e), y) || !slices.Equal(e.index, d.index) || !slices.Equal(e.value, d.value) || !slices.Equal(e.start, d.start) {
			t.Fatalf("read %q differently the second time", again.String())
		}
	})
}

// TestPublishedSets counts what the descriptions of the sets tell.
func TestPublishedSets(t *testing.T) {
	for _, c := range []struct {
		name              string
		open              func() (*LIBSVM, error)
		n, d, kept, ofOne int
		classes           []string
	}{
		{"a9a", A9A, 32561, 123, 451592, 7841, []string{"-1", "1"}},
		{"w8a", W8A, 49749, 300, 579586, 1479, []string{"-1", "1"}},
		{"mushrooms", Mushrooms, 8124, 112, 170604, 4208, []string{"1", "2"}},
	} {
		s, err := c.open()
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != c.n || s.Shape()[0] != c.d || len(s.value) != c.kept || !slices.Equal(s.Classes, c.classes) {
			t.Errorf("%s: %d examples, shape %v, %d kept, classes %q", c.name, s.Len(), s.Shape(), len(s.value), s.Classes)
		}
		if want := float64(c.kept) / float64(c.n*c.d); s.Share() != want {
			t.Errorf("%s: share %v, want %v", c.name, s.Share(), want)
		}
		ones := 0
		for _, v := range s.y {
			ones += int(v)
		}
		if ones != c.ofOne {
			t.Errorf("%s: %d of class 1, want %d", c.name, ones, c.ofOne)
		}
		for i, v := range s.value {
			if v != 1 {
				t.Fatalf("%s: number %d is %v, all are 1 or 0", c.name, i, v)
			}
		}
		p, err := Open(t.Context(), c.name, "")
		if err != nil {
			t.Fatal(err)
		}
		if !p.AsIs || p.Train.Len()+p.Test.Len() != c.n || p.Test.Len() != (c.n+2)/5 || !slices.Equal(p.Classes, c.classes) {
			t.Errorf("%s opens as %d and %d examples, classes %q, as they are: %v", c.name, p.Train.Len(), p.Test.Len(), p.Classes, p.AsIs)
		}
	}
}

func TestNewSparseRefusesWhatDoesNotFit(t *testing.T) {
	two := Target{Classes: 2}
	for name, c := range map[string]struct {
		start    []int
		index    []int32
		features int
		y        []float64
		says     string
	}{
		"nothing":       {nil, nil, 3, nil, "examples"},
		"no example":    {[]int{0}, nil, 3, nil, "0 examples"},
		"no features":   {[]int{0, 0}, nil, 0, []float64{0}, "shape [0]"},
		"the end":       {[]int{0, 1}, []int32{0, 1}, 3, []float64{0}, "end at 1"},
		"the beginning": {[]int{1, 2}, []int32{0, 1}, 3, []float64{0}, "begin at 1"},
		"backwards":     {[]int{0, 2, 1, 2}, []int32{0, 1}, 3, []float64{0, 1, 0}, "example 1"},
		"outside":       {[]int{0, 9, 2}, []int32{0, 1}, 3, []float64{0, 1}, "from 0 to 9"},
		"order":         {[]int{0, 2}, []int32{1, 1}, 3, []float64{0}, "feature 1 after feature 1"},
		"negative":      {[]int{0, 1}, []int32{-1}, 3, []float64{0}, "feature -1"},
		"too large":     {[]int{0, 1}, []int32{3}, 3, []float64{0}, "from 0 to 2"},
		"few targets":   {[]int{0, 1}, []int32{2}, 3, nil, "y has 0 numbers"},
		"no class":      {[]int{0, 1}, []int32{2}, 3, []float64{2}, "label 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSparse(c.start, c.index, make([]float64, len(c.index)), c.features, c.y, two)
			wantError(t, err, c.says)
		})
	}
}
