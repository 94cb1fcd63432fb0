package nn_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/internal/golden/goldennet"
)

// TestGoldenNetsAreReadStrictly: a layer, loss or setting that is not known is a
// failure, wherever it stands, and never left out.
func TestGoldenNetsAreReadStrictly(t *testing.T) {
	settings := func(text string) golden.Settings {
		var s golden.Settings
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	layer := func(text string) error { _, err := goldennet.Layer(settings(text)); return err }
	loss := func(text string) error { _, err := goldennet.Loss(settings(text)); return err }
	for _, c := range []struct {
		read func(string) error
		text string
		want string // in the error; nothing where it is known
	}{
		{layer, `{"type": "dense", "units": 3, "bias": false}`, ""},
		{layer, `{"type": "selu"}`, `unknown layer "selu"`},
		{layer, `{"units": 3}`, `unknown layer ""`},
		{layer, `{"type": "dense", "units": 3, "init": "he"}`, "unknown settings: init"},
		{layer, `{"type": "dense", "units": "3"}`, `setting "units"`},
		{layer, `{"type": "relu", "slope": 0.1}`, "unknown settings: slope"},
		{layer, `{"type": "avgpool", "kernel": [2, 2], "ceil_mode": true}`, "unknown settings: ceil_mode"},
		{layer, `{"type": "residual", "layers": [{"type": "tanh"}, {"type": "swish"}]}`, `unknown layer "swish"`},
		{layer, `{"type": "residual", "layers": [{"type": "conv2d", "filters": 2, "kernel": [1, 1], "padding_mode": "same"}]}`, "unknown settings: padding_mode"},
		{layer, `{"type": "residual", "layers": [], "scale": 0.5}`, "unknown settings: scale"},
		{loss, `{"type": "huber", "delta": 0.5}`, ""},
		{loss, `{"type": "hinge"}`, `unknown loss "hinge"`},
		{loss, `{"type": "mse", "reduction": "sum"}`, "unknown settings: reduction"},
		{loss, `{"type": "sigmoid_cross_entropy", "smoothing": 0.1}`, "unknown settings: smoothing"},
	} {
		err := c.read(c.text)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v; want one with %q", c.text, err, c.want)
		}
	}
}
