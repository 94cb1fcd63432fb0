package opttest

import (
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// checkSpec has Parse read what Spec writes, and compares a few steps.
func checkSpec(t *testing.T, method func() optimizers.Method) {
	spec := optimizers.Spec(method())
	parsed, err := optimizers.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	if again := optimizers.Spec(parsed); again != spec {
		t.Errorf("%s is parsed and written as %s", spec, again)
	}
	s := &suite[float64]{method}
	one, two := s.begin(t, method()), s.begin(t, parsed)
	one.steps(3)
	two.steps(3)
	if !sameBits(one.x, two.x) {
		t.Errorf("%s is parsed to a method that moves to %v, not %v", spec, two.x, one.x)
	}
}

// checkSettings gives each setting values that it does not allow.
func checkSettings(t *testing.T, method func() optimizers.Method) {
	info := optimizers.Describe(method())
	refused := func(name string, value any) {
		t.Helper()
		m, err := optimizers.ParseSettings(info.Name, map[string]any{name: value})
		if err == nil {
			t.Errorf("%s = %v was accepted", name, value)
		} else if !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), "allowed are") {
			t.Errorf("the error for %s = %v does not say what is allowed: %v", name, value, err)
		}
		if m != nil {
			t.Errorf("%s = %v gives a method beside the error", name, value)
		}
	}
	refused("no_such_setting", 1.0)
	for _, s := range info.Settings {
		for _, value := range []any{nil, "no such word", []any{}, []any{"no number"}, map[string]any{}} {
			refused(s.Name, value)
		}
		switch s.Kind {
		case "numbers", "whole numbers":
			for _, value := range []any{[]any{math.NaN()}, []any{math.Inf(1)}, []any{1.0, true}, 1.0} {
				refused(s.Name, value)
			}
		case "number", "whole number":
			for _, value := range []any{true, math.NaN(), math.Inf(1), math.Inf(-1)} {
				refused(s.Name, value)
			}
			if strings.HasPrefix(s.Allowed, "[0") || strings.HasPrefix(s.Allowed, "(0") || strings.HasPrefix(s.Allowed, "[1") {
				refused(s.Name, -1.0)
			}
		default:
			refused(s.Name, 1.0)
			refused(s.Name, []any{1.0})
		}
		if s.Kind == "whole number" {
			refused(s.Name, 1.5)
		}
	}
}
