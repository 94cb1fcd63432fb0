package optimizers

import (
	"math"
	"strings"
	"testing"
)

func TestUnknownSaysWhatIsAllowed(t *testing.T) {
	allowed := []string{"sgd", "adam", "adamw", "weight_decay"}
	for name, want := range map[string]string{
		"adm":          `optimizers: unknown thing "adm"; allowed are sgd, adam, adamw, weight_decay; did you mean "adam"?`,
		"weight-decay": `optimizers: unknown thing "weight-decay"; allowed are sgd, adam, adamw, weight_decay; did you mean "weight_decay"?`,
		"mu":           `optimizers: unknown thing "mu"; allowed are sgd, adam, adamw, weight_decay`,
	} {
		if text := unknown("thing", name, allowed).Error(); text != want {
			t.Error(text)
		}
	}
	if text := unknown("thing", "x", nil).Error(); text != `optimizers: unknown thing "x"; there are none` {
		t.Error(text)
	}
}

func TestNonFiniteErrorNamesThePlace(t *testing.T) {
	e := &NonFiniteError{Method: "adam", What: "gradient", Tensor: "conv1.weight", Index: 12, Value: math.NaN()}
	if text := e.Error(); !strings.HasPrefix(text, "optimizers: adam: gradient of conv1.weight is NaN at index 12") {
		t.Error(text)
	}
	e = &NonFiniteError{Method: "hf", What: "curvature product", Tensor: "b", Value: math.NaN()}
	if text := e.Error(); !strings.HasPrefix(text, "optimizers: hf: curvature product of b is NaN at index 0") {
		t.Error(text)
	}
	e = &NonFiniteError{Method: "adam", What: "loss", Value: math.Inf(1)}
	if text := e.Error(); !strings.HasPrefix(text, "optimizers: adam: loss is +Inf") {
		t.Error(text)
	}
}
