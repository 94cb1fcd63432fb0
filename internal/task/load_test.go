package task

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

func TestWrongNamesAreErrorsOfUsage(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Data: "minst", Model: "mlp"}, `did you mean "mnist"?`},
		{Spec{Data: "blobs", DataDir: "x", Model: "mlp"}, "needs no files"},
		{Spec{Data: "blobs", Model: "autoencoder"}, "needs them in [0, 1]"},
		{Spec{Data: "blobs", Model: "mpl"}, `did you mean "mlp"?`},
		{Spec{Data: "blobs", Model: "softmax", Val: 1e-9}, "one part empty"},
	} {
		got, err := Load(context.Background(), c.spec)
		if err == nil {
			_, err = Build[float32](got, c.spec)
		}
		var usage cli.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want one of usage with %q", c.spec, err, c.want)
		}
	}
}

func TestSpecsOfFilesAreChecked(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Precision: "float23"}, `did you mean "float32"?`},
		{Spec{Precision: "float32", Val: 1}, "-val is 1"},
		{Spec{Precision: "float32", Limit: -1}, "-limit is -1"},
		{Spec{Precision: "float64", Val: 0.5, Limit: 3}, ""},
	} {
		err := c.spec.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.spec, err, c.want)
		}
	}
}
