package optimizers_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestScalarsSurviveJSON(t *testing.T) {
	s := optimizers.Scalars{
		"a": 0.1, "b": 1.0 / 3, "c": 1<<53 - 1, "d": math.SmallestNonzeroFloat64, "e": math.MaxFloat64, "f": math.Copysign(0, -1),
		"g": math.NaN(), "h": math.Inf(1), "i": math.Inf(-1), "": 7,
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back optimizers.Scalars
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if len(back) != len(s) {
		t.Errorf("%d scalars become %d", len(s), len(back))
	}
	for name, v := range s {
		if w := back[name]; math.Float64bits(v) != math.Float64bits(w) && !(v != v && w != w) {
			t.Errorf("%s: %v becomes %v", name, v, w)
		}
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("written as %s, then %s: %v", text, again, err)
	}
}

func TestScalarsRefuseWhatIsNoNumber(t *testing.T) {
	for _, text := range []string{`{"a":"nan"}`, `{"a":true}`, `{"a":null}`, `{"a":[1]}`, `[1]`, `{`, `{"a":1e999}`} {
		before := optimizers.Scalars{"kept": 1}
		if err := json.Unmarshal([]byte(text), &before); err == nil || before["kept"] != 1 {
			t.Errorf("%s is read as %v: %v", text, before, err)
		}
	}
}

func FuzzScalars(f *testing.F) {
	for _, seed := range []string{`{}`, `{"step":12,"lr":0.1}`, `{"best":"Inf","x":"NaN"}`, `null`, `{"a":-0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s optimizers.Scalars
		if json.Unmarshal(data, &s) != nil {
			return
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back optimizers.Scalars
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		for name, v := range s {
			if w, ok := back[name]; !ok || math.Float64bits(v) != math.Float64bits(w) {
				t.Errorf("%q: %v becomes %v", name, v, w)
			}
		}
	})
}
