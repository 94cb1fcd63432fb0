package study

import (
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/train"
)

func TestTargetsAreMetFromTheRightSide(t *testing.T) {
	p := train.Point{Val: &train.Scores{Loss: 0.5, Metrics: map[string]float64{"accuracy": 0.9}}, Test: &train.Scores{Loss: 2, Metrics: map[string]float64{"squared_error": 3}}}
	for text, want := range map[string]bool{
		"val_accuracy=0.9": true, "val_accuracy=0.91": false, "val_loss=0.5": true, "val_loss=0.49": false, "val_squared_error=9": false,
		"test_loss=2.5": true, "test_squared_error=3": true, "test_squared_error=2.9": false, "probe_loss=9": false,
	} {
		g, err := ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		if g.Met(p) != want || g.String() != text {
			t.Errorf("%s: met %v, want %v; it reads %s", text, g.Met(p), want, g)
		}
	}
}

func TestWrongTargetsSayWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"0.98":               "as test_accuracy=0.98",
		"test_acuracy=0.98":  `did you mean "test_accuracy"?`,
		"test_accuracy=98":   "as 0.98",
		"test_accuracy=0":    "above 0",
		"val_loss=low":       "no number",
		"val_loss=NaN":       "no number",
		"train_accuracy=0.5": "probe_accuracy",
	} {
		if _, err := ParseTarget(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
