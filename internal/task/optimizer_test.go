package task

import (
	"strings"
	"testing"
)

func TestWithAddsASetting(t *testing.T) {
	for _, c := range []struct{ spec, name, value, want string }{
		{"adam", "lr", "0.1", "adam:lr=0.1"},
		{"adam:beta1=0.8", "lr", "1e-3", "adam:beta1=0.8,lr=1e-3"},
		{"adam+clip+onecycle", "lr", "1", "adam:lr=1+clip+onecycle"},
		{"adam+clip+onecycle", "clip.norm", "1", "adam+clip:norm=1+onecycle"},
		{"sgd:lr=1e+3+onecycle:max_lr=1", "onecycle.pct_start", "0.2", "sgd:lr=1e+3+onecycle:max_lr=1,pct_start=0.2"},
	} {
		if got, err := With(c.spec, c.name, c.value); err != nil || got != c.want {
			t.Errorf("%s with %s=%s: %q (%v), want %q", c.spec, c.name, c.value, got, err, c.want)
		}
	}
	for _, c := range []struct{ spec, name, want string }{
		{"adam:lr=1", "lr", "sets it already"},
		{"adam+onecycle", "onecyle.max_lr", `did you mean "onecycle"?`},
		{"adam", "clip.norm", "there are: none"},
	} {
		if _, err := With(c.spec, c.name, "1"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v, want %q", c.spec, c.name, err, c.want)
		}
	}
}
