package exec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestProfileCountsFlopsAndBytes(t *testing.T) {
	p := imagesProgram(t, 32, 2, 2, true)
	if got := p.Profile(); got.Runs != 0 || got.Lines != nil {
		t.Errorf("nothing was measured, but there is %+v", got)
	}
	p.StartProfile()
	const runs = 3
	for range runs {
		if err := p.RunCopies(2); err != nil {
			t.Fatal(err)
		}
	}
	pr := p.Profile()
	if pr.Runs != runs {
		t.Errorf("%d runs, want %d", pr.Runs, runs)
	}
	var sum time.Duration
	inner, conv := 0, false
	for _, l := range pr.Lines {
		if strings.HasPrefix(l.Op, "conv(3x3") && l.Calls > 0 {
			conv = true
			// 32 images of 9x9 with 2 channels to 3, for each of 2 copies.
			if want := 2.0 * 32 * 81 * 9 * 2 * 3 * 2 * runs; l.Flops != want {
				t.Errorf("%s: %v flops, want %v", l.Op, l.Flops, want)
			}
		}
		switch {
		case l.Inner:
			if l.Calls > 0 {
				inner++
			}
		case l.Calls > 0:
			if !l.Late || l.Calls != 2*runs || l.Bytes <= 0 {
				t.Errorf("%+v", l)
			}
			sum += l.Time
		}
	}
	if inner == 0 || !conv {
		t.Error("the instructions of regions are not measured")
	}
	if sum > pr.Time || sum < pr.Time/2 {
		t.Errorf("instructions took %v of %v", sum, pr.Time)
	}
	var b bytes.Buffer
	if err := pr.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GFLOP/s", "GB/s", "region of 32 examples", "· pool_take", "100 %"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := WriteTrace(&b, pr.Trace(time.Second)); err != nil {
		t.Fatal(err)
	}
	var trace struct{ TraceEvents []TraceEvent }
	if err := json.Unmarshal(b.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	if len(trace.TraceEvents) == 0 {
		t.Fatal("no events")
	}
	last := 1e6
	for _, e := range trace.TraceEvents {
		if e.Phase != "X" || e.Start < last-1e-3 || e.Duration < 0 {
			t.Fatalf("event %+v after %v", e, last)
		}
		last = e.Start
	}
	p.StartProfile()
	if got := p.Profile(); got.Runs != 0 || got.Time != 0 {
		t.Error("StartProfile does not begin from zero")
	}
}

func TestMeasuredRunsGiveTheSame(t *testing.T) {
	p, q := imagesProgram(t, 20, 2, 1, false), imagesProgram(t, 20, 2, 1, false)
	q.StartProfile()
	if err := q.Run(); err != nil {
		t.Fatal(err)
	}
	for i := range p.outputs {
		for j, v := range p.Output(i) {
			if q.Output(i)[j] != v {
				t.Fatalf("output %d differs", i)
			}
		}
	}
}
