package train

import (
	"bytes"
	"strings"
	"testing"
)

func TestLinesArePlainText(t *testing.T) {
	var b bytes.Buffer
	m, d := small[float32](t)
	mustFit(t, m, d, Config{Epochs: 3, Test: d, Observers: []Observer{Bar(&b)}})
	text := b.String()
	if strings.Count(text, "\n") != 3 || strings.ContainsAny(text, "\r\x1b") {
		t.Errorf("want three lines without control characters, got %q", text)
	}
	for _, want := range []string{"epoch 1/3", "train loss", "test loss", "accuracy", "examples/s"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
}

func TestBarShowsEpochLossAccuracyRateAndTimeLeft(t *testing.T) {
	var b bytes.Buffer
	m, d := small[float32](t)
	mustFit(t, m, d, Config{Epochs: 2, Batch: 10, Test: d, Observers: []Observer{&bar{w: &b, lines: lines{w: &b}}}})
	text := b.String()
	for _, want := range []string{"\r", "epoch 1/2", "epoch 2/2", "loss ", "accuracy ", "examples/s", "%", "0s"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
}
