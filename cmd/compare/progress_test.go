package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// On a terminal the run that is being trained has one line, which fits and is gone
// when the run has ended.
func TestProgressOnATerminal(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &progress{w: out, tty: out, total: 12} // a pipe has no size: 80 columns
	p.begin("adam:"+strings.Repeat("beta1=0.95,", 5)+"ü", 3)
	observers := p.observers(study.Job{})
	if len(observers) != 1 {
		t.Fatalf("%d observers", len(observers))
	}
	for _, e := range []train.Event{&train.Started{Epochs: 2, StepsEpoch: 10}, &train.Stepped{Step: 3, Scores: train.Scores{Loss: 0.5}}, &train.Stepped{Step: 4}, &train.Finished{}} {
		if err := observers[0].Observe(e); err != nil {
			t.Fatal(err)
		}
	}
	p.drawn = time.Time{}
	if err := p.observe(&train.Stepped{Step: 20}); err != nil {
		t.Fatal(err)
	}
	p.end(&study.Outcome{Status: study.Reached, Points: []train.Point{{Seconds: 1.5, Probe: &train.Scores{Loss: 0.25}, Test: &train.Scores{Metrics: map[string]float64{"accuracy": 0.98}}}}})
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if !strings.HasSuffix(text, ", seed 3: train loss 0.25, test loss 0 accuracy 98.00 % in 1.50 s (target)\n") {
		t.Errorf("it ends with %q", text)
	}
	drawn := strings.Split(text, "\r")
	for _, line := range drawn[:len(drawn)-1] {
		if n := utf8.RuneCountInString(line); n > 79 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	// What was drawn last before the line of the end is blank.
	if blank := drawn[len(drawn)-2]; strings.TrimSpace(blank) != "" || len(blank) == 0 {
		t.Errorf("before the end there is %q", blank)
	}
	if strings.Count(text, "step 3/20") != 1 || strings.Contains(text, "step 4/20") {
		t.Errorf("a tenth of a second shows more than one line: %q", text)
	}
}
