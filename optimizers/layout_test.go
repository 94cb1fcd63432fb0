package optimizers_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestLayout(t *testing.T) {
	l := optimizers.Layout{
		{Name: "w", Shape: []int{2, 3}},
		{Name: "scale", Offset: 6, Kind: optimizers.Norm}, // a single number
		{Name: "b", Shape: []int{3}, Offset: 7, Kind: optimizers.Bias},
	}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.Size() != 10 {
		t.Errorf("size %d", l.Size())
	}
	want := strings.Fields("w0 w1 w2 w3 w4 w5 scale0 b0 b1 b2")
	for i, name := range want {
		tensor, at := l.At(i)
		if got := tensor.Name + string(rune('0'+at)); got != name {
			t.Errorf("element %d is %s, want %s", i, got, name)
		}
	}
	for _, i := range []int{-1, 10, 100} {
		if tensor, at := l.At(i); tensor.Name != "" || at != i {
			t.Errorf("element %d is %v %d", i, tensor, at)
		}
	}
	if tensor, _ := (optimizers.Layout{}).At(0); tensor.Name != "" {
		t.Error("an empty layout has an element")
	}
}

func TestLayoutRefusesWhatIsNotContiguous(t *testing.T) {
	for claim, l := range map[string]optimizers.Layout{
		"no name":         {{Shape: []int{1}}},
		"two tensors":     {{Name: "w", Shape: []int{1}}, {Name: "w", Shape: []int{1}, Offset: 1}},
		"kind 7":          {{Name: "w", Shape: []int{1}, Kind: 7}},
		"begins at 1":     {{Name: "w", Shape: []int{1}, Offset: 1}},
		"begins at 5":     {{Name: "w", Shape: []int{2, 3}}, {Name: "b", Shape: []int{1}, Offset: 5}},
		"begins at 7":     {{Name: "w", Shape: []int{2, 3}}, {Name: "b", Shape: []int{1}, Offset: 7}},
		"shape [2 0]":     {{Name: "w", Shape: []int{2, 0}}},
		"shape [-1]":      optimizers.Flat(-1),
		"too many":        {{Name: "w", Shape: []int{math.MaxInt, 2}}},
		"too large":       {{Name: "w", Shape: []int{math.MaxInt}}, {Name: "b", Shape: []int{1}, Offset: math.MaxInt}},
		"kind 7; allowed": {{Name: "w", Kind: 7}},
	} {
		err := l.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), claim) {
			t.Errorf("%s: %v", claim, err)
		}
		if _, err := optimizers.New[float64](&optimizers.SGD{}, l); err == nil {
			t.Errorf("%s: New accepts it", claim)
		}
	}
	if err := optimizers.Flat(0).Validate(); err != nil || optimizers.Flat(0).Size() != 0 || optimizers.Flat(3).Size() != 3 {
		t.Error("Flat is wrong", err)
	}
}

func TestLayoutIsCopiedByNew(t *testing.T) {
	l := optimizers.Layout{{Name: "w", Shape: []int{2}}}
	o, err := optimizers.New[float64](&optimizers.SGD{}, l)
	if err != nil {
		t.Fatal(err)
	}
	l[0].Shape[0], l[0].Name = 100, "changed"
	p := newBowl(1, 1)
	step(t, o, make([]float64, 2), optimizers.Problem[float64](p))
}

func TestKind(t *testing.T) {
	for _, k := range []optimizers.Kind{optimizers.Weight, optimizers.Bias, optimizers.Norm} {
		text, err := json.Marshal(k)
		var back optimizers.Kind
		if err2 := json.Unmarshal(text, &back); err != nil || err2 != nil || back != k || string(text) != `"`+k.String()+`"` {
			t.Errorf("%v becomes %s and %v: %v %v", k, text, back, err, err2)
		}
	}
	if _, err := optimizers.ParseKind("wieght"); err == nil || !strings.Contains(err.Error(), `did you mean "weight"`) {
		t.Error(err)
	}
	if _, err := json.Marshal(optimizers.Kind(9)); err == nil || optimizers.Kind(9).String() != "Kind(9)" {
		t.Error("a kind that does not exist is written")
	}
}
