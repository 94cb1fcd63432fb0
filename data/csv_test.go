package data

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const flowers = `length,width,kind
5.1,3.5,setosa
7.0, 3.2,versicolor
6.3,3.3,"virginica"
4.9,3e0,setosa
`

func TestReadCSVOfTextClasses(t *testing.T) {
	for name, content := range map[string]string{
		"plain":         flowers,
		"gzip":          string(gzipped([]byte(flowers))),
		"byte order":    "\ufeff" + flowers,
		"gzip and BOM":  string(gzipped([]byte("\ufeff" + flowers))),
		"CRLF":          strings.ReplaceAll(flowers, "\n", "\r\n"),
		"no last line":  strings.TrimSuffix(flowers, "\n"),
		"blank lines":   strings.ReplaceAll(flowers, "\n", "\n\n"),
		"padded header": strings.Replace(flowers, ",width", " , width", 1),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadCSV(strings.NewReader(content), CSVOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Columns, []string{"length", "width"}) || d.TargetColumn != "kind" {
				t.Errorf("columns %q, target %q", d.Columns, d.TargetColumn)
			}
			if !slices.Equal(d.Classes, []string{"setosa", "versicolor", "virginica"}) || d.Target().Classes != 3 {
				t.Errorf("classes %q, target %v", d.Classes, d.Target())
			}
			if got := inputs[float64](t, d); !slices.Equal(got, []float64{5.1, 3.5, 7, 3.2, 6.3, 3.3, 4.9, 3}) {
				t.Errorf("inputs %v", got)
			}
			if got := targets(t, d); !slices.Equal(got, []float64{0, 1, 2, 0}) {
				t.Errorf("targets %v", got)
			}
		})
	}
}

func TestReadCSVTargets(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		opt     CSVOptions
		classes []string
		x, y    []float64
	}{
		"integers sort by value":       {"x,c\n1,10\n2,9\n3,10.0\n4,-1\n", CSVOptions{}, []string{"-1", "9", "10"}, []float64{1, 2, 3, 4}, []float64{2, 1, 2, 0}},
		"text sorts as text":           {"x,c\n1,b10\n2,b9\n3,a\n", CSVOptions{}, []string{"a", "b10", "b9"}, []float64{1, 2, 3}, []float64{1, 2, 0}},
		"a mixture sorts as text":      {"x,c\n1,10\n2,9\n3,none\n", CSVOptions{}, []string{"10", "9", "none"}, []float64{1, 2, 3}, []float64{0, 1, 2}},
		"one spelling of a number":     {"x,c\n1,7\n2,007\n3,7.0\n4,-0\n5,0\n", CSVOptions{}, []string{"0", "7"}, []float64{1, 2, 3, 4, 5}, []float64{1, 1, 1, 0, 0}},
		"target by name":               {"c,x\n1,5\n0,6\n", CSVOptions{Target: "c"}, []string{"0", "1"}, []float64{5, 6}, []float64{1, 0}},
		"target in the middle":         {"a,c,b\n1,u,2\n3,v,4\n", CSVOptions{Target: "c"}, []string{"u", "v"}, []float64{1, 2, 3, 4}, []float64{0, 1}},
		"real target":                  {"x,price\n1,2.5\n2,-3\n", CSVOptions{Real: true}, nil, []float64{1, 2}, []float64{2.5, -3}},
		"real target of integers":      {"x,price\n1,2\n2,3\n", CSVOptions{Real: true}, nil, []float64{1, 2}, []float64{2, 3}},
		"given classes keep the order": {"x,c\n1,b\n2,a\n", CSVOptions{Classes: []string{"b", "never", "a"}}, []string{"b", "never", "a"}, []float64{1, 2}, []float64{0, 2}},
		"given numbers in any spelling": {"x,c\n1,2.0\n2,1\n", CSVOptions{Classes: []string{"1.0", "2"}}, []string{"1", "2"},
			[]float64{1, 2}, []float64{1, 0}},
		"semicolons":      {"x;c\n1;u\n", CSVOptions{Comma: ';'}, []string{"u"}, []float64{1}, []float64{0}},
		"tabs":            {"x\tc\n1\tu\n", CSVOptions{Comma: '\t'}, []string{"u"}, []float64{1}, []float64{0}},
		"quoted newlines": {"x,\"a\nb\"\n1,\"u\nv\"\n", CSVOptions{}, []string{"u\nv"}, []float64{1}, []float64{0}},
		"numeric names":   {"0,1,2\n5,6,1\n7,8,0\n", CSVOptions{}, []string{"0", "1"}, []float64{5, 6, 7, 8}, []float64{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadCSV(strings.NewReader(c.content), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Classes, c.classes) || d.Target().Classes != len(c.classes) {
				t.Errorf("classes %q, target %v, want %q", d.Classes, d.Target(), c.classes)
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

func TestReadCSVDoesNotDependOnTheOrderOfLines(t *testing.T) {
	a := must(ReadCSV(strings.NewReader("x,c\n1,u\n2,v\n3,w\n"), CSVOptions{}))
	b := must(ReadCSV(strings.NewReader("x,c\n3,w\n2,v\n1,u\n"), CSVOptions{}))
	if !slices.Equal(a.Classes, b.Classes) || !slices.Equal(targets(t, b), []float64{2, 1, 0}) {
		t.Errorf("classes %q and %q, targets %v", a.Classes, b.Classes, targets(t, b))
	}
}

func TestReadCSVErrorsSayWhereAndWhat(t *testing.T) {
	wide := make([]string, 30)
	for i := range wide {
		wide[i] = fmt.Sprint("c", i)
	}
	for name, c := range map[string]struct {
		content string
		opt     CSVOptions
		says    []string
	}{
		"empty":               {"", CSVOptions{}, []string{"empty", "name the columns"}},
		"blank":               {"\n\n", CSVOptions{}, []string{"empty"}},
		"header alone":        {"x,c\n", CSVOptions{}, []string{"no examples"}},
		"no header":           {"5.1,3.5,0\n4.9,3,1\n", CSVOptions{}, []string{"header", "all cells are numbers (5.1, 3.5, 0)"}},
		"one column":          {"x\n1\n", CSVOptions{}, []string{"only column is \"x\"", "separator"}},
		"nameless column":     {"x,,c\n", CSVOptions{}, []string{"column 2 has no name"}},
		"twice the same":      {"x,c,x\n", CSVOptions{}, []string{"columns 1 and 3", "\"x\""}},
		"unknown target":      {"width,height,kind\n1,2,3\n", CSVOptions{Target: "knid"}, []string{"no column \"knid\"", "width, height, kind", "did you mean \"kind\"?"}},
		"nothing near":        {"width,height,kind\n1,2,3\n", CSVOptions{Target: "temperature"}, []string{"no column \"temperature\"", "width, height, kind"}},
		"many columns":        {strings.Join(wide, ","), CSVOptions{Target: "c_29"}, []string{"c19 and 10 more", "\"c29\""}},
		"short line":          {"x,y,c\n1,2,3\n1,2\n", CSVOptions{}, []string{"line 3", "2 cells", "3 columns"}},
		"long line":           {"x,c\n1,2,3\n", CSVOptions{}, []string{"line 2", "3 cells", "2 columns"}},
		"text feature":        {"x,y,c\n1,2,3\n4,abc,3\n", CSVOptions{}, []string{"line 3, column 2 (y)", "\"abc\" is not a number"}},
		"line after newlines": {"x,c\n1,\"u\nv\"\nbad,u\n", CSVOptions{}, []string{"line 4, column 1 (x)", "\"bad\""}},
		"empty cell":          {"x,c\n,3\n", CSVOptions{}, []string{"line 2, column 1 (x)", "empty"}},
		"empty target":        {"x,c\n3, \n", CSVOptions{}, []string{"line 2, column 2 (c)", "empty"}},
		"NaN":                 {"x,c\nNaN,3\n", CSVOptions{}, []string{"line 2, column 1 (x)", "\"NaN\" is not a finite"}},
		"Inf":                 {"x,c\n1,3\n-inf,3\n", CSVOptions{}, []string{"line 3, column 1 (x)", "\"-inf\" is not a finite"}},
		"too large":           {"x,c\n1e999,3\n", CSVOptions{}, []string{"line 2", "\"1e999\" is too large"}},
		"NaN target":          {"x,c\n1,nan\n", CSVOptions{Real: true}, []string{"line 2, column 2 (c)", "not a finite"}},
		"NaN class":           {"x,c\n1,nan\n", CSVOptions{}, []string{"line 2, column 2 (c)", "\"nan\" is no class"}},
		"real as a class":     {"x,c\n1,2.5\n", CSVOptions{}, []string{"line 2, column 2 (c)", "\"2.5\" is no class", "Real"}},
		"text as a number":    {"x,c\n1,two\n", CSVOptions{Real: true}, []string{"line 2, column 2 (c)", "\"two\" is not a number"}},
		"unknown class":       {"x,c\n1,setosq\n", CSVOptions{Classes: []string{"setosa", "virginica"}}, []string{"line 2", "\"setosq\" is not one of the classes setosa, virginica", "did you mean \"setosa\"?"}},
		"class given twice":   {"x,c\n1,u\n", CSVOptions{Classes: []string{"1", "1.0"}}, []string{"\"1.0\" stands twice"}},
		"fraction given":      {"x,c\n1,u\n", CSVOptions{Classes: []string{"1.5"}}, []string{"\"1.5\" in the options is no class"}},
		"real and classes":    {"x,c\n1,u\n", CSVOptions{Real: true, Classes: []string{"u"}}, []string{"both Real and Classes"}},
		"bad quote":           {"x,c\n1,a\"b\n", CSVOptions{}, []string{"line 2", "\""}},
		"bad quote in header": {"x,c\"d\n", CSVOptions{}, []string{"line 1"}},
		"bad separator":       {"x,c\n", CSVOptions{Comma: '"'}, []string{"invalid field"}},
		"cut gzip":            {string(gzipped([]byte(flowers))[:30]), CSVOptions{}, []string{"unexpected EOF"}},
		"gzip magic alone":    {"\x1f\x8b", CSVOptions{}, []string{"EOF"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ReadCSV(strings.NewReader(c.content), c.opt)
			wantError(t, err, append(c.says, "data: csv: ")...)
			if d != nil {
				t.Error("a table comes with the error")
			}
		})
	}
	_, err := ReadCSV(iotest.ErrReader(errors.New("disk on fire")), CSVOptions{})
	wantError(t, err, "disk on fire")
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte(flowers), "", false)
	f.Add([]byte("x,y\n1,2\n3,4\n"), "x", true)
	f.Add(gzipped([]byte("a,b\n1,-0\n2,0x10\n3,1_0\n")), "b", false)
	f.Add([]byte("\ufeffa,b\n\"1\",\"u\nv\"\n"), "b", false)
	f.Add([]byte("a,b\n1,1e300\n2,-1e300\n"), "", false)
	f.Fuzz(func(t *testing.T, raw []byte, target string, isReal bool) {
		d, err := ReadCSV(bytes.NewReader(raw), CSVOptions{Target: target, Real: isReal})
		if err != nil {
			wantError(t, err)
			return
		}
		if err := Check(d); err != nil && !strings.Contains(err.Error(), "in another") { // float32 holds less
			t.Fatal(err)
		}
		if isReal != (d.Classes == nil) || len(d.Columns) != d.Shape()[0] {
			t.Fatalf("classes %q, columns %q", d.Classes, d.Columns)
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
	})
}
