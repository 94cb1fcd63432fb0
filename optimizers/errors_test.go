package optimizers

import (
	"math"
	"strings"
	"testing"
)

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"adam", "adam", 0}, {"adm", "adam", 1}, {"adamw", "adam", 1}, {"kitten", "sitting", 3}, {"sgd", "gsd", 2}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	allowed := []string{"sgd", "adam", "adamw", "weight_decay"}
	for name, want := range map[string]string{
		"adm": "adam", "ADAM": "adam", "adamW": "adamw", "weightdecay": "weight_decay", "weight-decay": "weight_decay", "nothing": "", "completely_else": "",
		"": "", "x": "", "mu": "", "gd": "sgd",
	} {
		if got := nearest(name, allowed); got != want {
			t.Errorf("%q is near %q, want %q", name, got, want)
		}
	}
	if text := unknown("thing", "x", nil).Error(); text != `optimizers: unknown thing "x"; there are none` {
		t.Error(text)
	}
	if text := unknown("method", "adm", allowed).Error(); text != `optimizers: unknown method "adm"; allowed are sgd, adam, adamw, weight_decay; did you mean "adam"?` {
		t.Error(text)
	}
}

func TestNonFiniteErrorNamesThePlace(t *testing.T) {
	e := &NonFiniteError{Method: "adam", What: "gradient", Tensor: "conv1.weight", Index: 12, Value: math.NaN()}
	if text := e.Error(); !strings.HasPrefix(text, "optimizers: adam: gradient of conv1.weight is NaN at index 12") {
		t.Error(text)
	}
	e = &NonFiniteError{Method: "adam", What: "loss", Value: math.Inf(1)}
	if text := e.Error(); !strings.HasPrefix(text, "optimizers: adam: loss is +Inf") {
		t.Error(text)
	}
}
