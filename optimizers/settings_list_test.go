package optimizers

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

type lists struct {
	Betas      []float64 `set:"betas" default:"0/0.9/0.99" range:"[0,1)" help:"a velocity each"`
	Milestones []int     `set:"milestones" range:"[1,inf)" help:"where it turns"`
	LR         float64   `set:"lr" default:"1" range:"[0,inf)" help:"a number beside them"`
}

func TestListsOfNumbers(t *testing.T) {
	read := func(text string) (lists, error) {
		var l lists
		err := assignText("lists", []reflect.Value{reflect.ValueOf(&l)}, text)
		return l, err
	}
	for text, want := range map[string]lists{
		"":                         {},
		"betas=0.5":                {Betas: []float64{0.5}},
		"betas=0 / 5e-1,lr=2":      {Betas: []float64{0, 0.5}, LR: 2},
		"milestones=5/12,lr=2":     {Milestones: []int{5, 12}, LR: 2},
		"betas=0/0.9/0.99":         {Betas: []float64{0, 0.9, 0.99}},
		"lr=3,milestones=1e+2/2e2": {Milestones: []int{100, 200}, LR: 3},
	} {
		got, err := read(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v: %v", text, got, err)
		}
		written := strings.Join(settingsText([]reflect.Value{reflect.ValueOf(&got)}), ",")
		again, err := read(written)
		if err != nil || strings.Contains(written, "0.99") {
			t.Errorf("%q is written as %q, without the defaults: %v", text, written, err)
		}
		a, _ := resolve("lists", &got)
		b, _ := resolve("lists", &again)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%q is written as %q", text, written)
		}
	}
	for text, want := range map[string]string{
		"betas=":          "lists: betas is ; allowed are lists of numbers, as 0/0.9/0.99, in [0, 1)",
		"betas=0/":        "betas is 0/",
		"betas=0/x":       "betas is 0/x",
		"betas=0/1":       "betas is [0 1]; allowed are lists of numbers",
		"betas=inf":       "betas is [+Inf]",
		"milestones=0/5":  "allowed are lists of whole numbers, as 30/60, in [1, inf)",
		"milestones=1.5":  "milestones is [1.5]",
		"milestones=1e99": "milestones is [1e+99]",
	} {
		if got, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %+v, %v; want %s", text, got, err, want)
		}
	}
}

// TestAListIsCopied has a method change its list after the start.
func TestAListIsCopied(t *testing.T) {
	given := &lists{Betas: []float64{0.1, Zero}}
	set, err := resolve("lists", given)
	if err != nil {
		t.Fatal(err)
	}
	given.Betas[0] = 7
	if want := []float64{0.1, 0}; !slices.Equal(set.Betas, want) {
		t.Errorf("%v, want %v", set.Betas, want)
	}
	for _, bad := range []*lists{{Betas: []float64{1}}, {Betas: []float64{}}, {Milestones: []int{0}}} {
		if _, err := resolve("lists", bad); err == nil || !strings.Contains(err.Error(), "allowed are lists of") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
