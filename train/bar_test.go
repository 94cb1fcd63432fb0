package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
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

// screen is what a terminal shows in the end, and the longest line that was on
// it.
func screen(t *testing.T, text string) (rows []string, widest int) {
	t.Helper()
	var row []rune
	at := 0
	for _, c := range text {
		switch {
		case c == '\r':
			at = 0
		case c == '\n':
			rows, row, at = append(rows, strings.TrimRight(string(row), " ")), nil, 0
		case c < ' ' || c == 0x7f:
			t.Fatalf("control character %q", c)
		default:
			if at == len(row) {
				row = append(row, 0)
			}
			row[at] = c
			at++
			widest = max(widest, at)
		}
	}
	return append(rows, strings.TrimRight(string(row), " ")), widest
}

func newBar(w *bytes.Buffer, columns int) *bar {
	return &bar{lines: lines{w: w}, columns: func() int { return columns }}
}

func TestBarShowsEpochLossAccuracyRateAndTimeLeft(t *testing.T) {
	var b bytes.Buffer
	m, d := small[float32](t)
	mustFit(t, m, d, Config{Epochs: 2, Batch: 10, Test: d, Observers: []Observer{newBar(&b, 120)}})
	text := b.String()
	for _, want := range []string{"\repoch 1/2", "epoch 2/2", "loss ", "accuracy ", "examples/s", "s left", "  0% │", " 100% │━━━━━━━━━━━━━━━━━━━━━━━━│"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	// What stays is what Lines shows.
	rows, _ := screen(t, text)
	if len(rows) != 3 || !strings.HasPrefix(rows[0], "epoch 1/2  train loss") || !strings.HasPrefix(rows[1], "epoch 2/2  train loss") || rows[2] != "" {
		t.Errorf("in the end the terminal shows %q", rows)
	}
}

// The bar never breaks a line, and shows what fits.
func TestBarFitsTheTerminal(t *testing.T) {
	e := &Stepped{Epoch: 2, Batch: 45, Step: 145, Rate: 18765, Scores: Scores{Loss: 0.1234, Metrics: map[string]float64{"accuracy": 0.9712}}}
	for columns := range 140 {
		var b bytes.Buffer
		bar := newBar(&b, columns)
		bar.started = Started{Epochs: 5, StepsEpoch: 100}
		bar.from, bar.begun = 45, time.Now().Add(-10*time.Second) // 0.1 s a step
		bar.epoch, bar.batch = 2, 45
		bar.draw(e)
		line := strings.TrimPrefix(b.String(), "\r")
		if n := utf8.RuneCountInString(line); n >= max(columns, 1) {
			t.Errorf("%d columns: the line has %d", columns, n)
		}
		for least, want := range map[int]string{17: " 45% │", 26: "epoch 2/5", 39: "loss 0.1234", 49: "36s left", 66: "accuracy 97.12 %", 75: "  18765", 84: "18765 examples/s"} {
			if strings.Contains(line, want) != (columns >= least) {
				t.Errorf("%d columns: %q; want %q from %d on", columns, line, want, least)
			}
		}
	}
	// A line that gets shorter leaves nothing behind, one that is cleared neither.
	var b bytes.Buffer
	bar := newBar(&b, 100)
	bar.started = Started{Epochs: 5, StepsEpoch: 100}
	bar.epoch, bar.batch, bar.begun = 1, 45, time.Now()
	bar.draw(e)
	bar.draw(nil)
	if rows, _ := screen(t, b.String()); len(rows) != 1 || rows[0] != "epoch 1/5  45% │━━━━━━━━━╸              │" {
		t.Errorf("the terminal shows %q", rows)
	}
	bar.clear()
	if rows, _ := screen(t, b.String()); len(rows) != 1 || rows[0] != "" {
		t.Errorf("the terminal shows %q", rows)
	}
}

// However a run ends, the bar is gone from the line.
func TestBarGoesWhenTheRunStops(t *testing.T) {
	var b bytes.Buffer
	m, d := small[float32](t)
	own := errors.New("enough")
	_, err := Fit(context.Background(), m, d, Config{Epochs: 2, Batch: 10, Observers: []Observer{newBar(&b, 80), ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok && s.Step == 3 {
			return own
		}
		return nil
	})}})
	if !errors.Is(err, own) {
		t.Fatal(err)
	}
	if rows, _ := screen(t, b.String()); len(rows) != 1 || rows[0] != "" || !strings.Contains(b.String(), "epoch 1/2") {
		t.Errorf("the terminal shows %q", rows)
	}
}

// Progress that cannot be shown is no reason to stop a run.
func TestAClosedTerminalDoesNotStopTheRun(t *testing.T) {
	for _, o := range []Observer{&lines{w: closed{}}, &bar{lines: lines{w: closed{}}, columns: func() int { return 80 }}} {
		m, d := small[float32](t)
		mustFit(t, m, d, Config{Epochs: 2, Observers: []Observer{o}})
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

// A resumed run counts its time from where it goes on.
func TestBarOfAResumedRun(t *testing.T) {
	dir := t.TempDir()
	m, d := small[float32](t)
	c := Config{Epochs: 2, Batch: 10, Dir: dir}
	ctx, cancel := context.WithCancel(context.Background())
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok && s.Step == 18 {
			cancel()
		}
		return nil
	})}
	if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c.Observers, c.Resume = []Observer{newBar(&b, 100)}, true
	mustFit(t, m, d, c)
	rows, widest := screen(t, b.String())
	if len(rows) != 3 || rows[0] != "resumed after step 18 of 30" || !strings.HasPrefix(rows[1], "epoch 2/2  train") || widest < 80 {
		t.Errorf("the terminal shows %q", rows)
	}
	if !strings.Contains(b.String(), "\repoch 2/2  20% │") {
		t.Errorf("the bar does not begin at 20 %%: %q", b.String())
	}
}

func TestDurations(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.6: "1s", 59.4: "59s", 59.6: "1m00s", 187: "3m07s", 3599: "59m59s", 3600: "1h00m", 7512: "2h05m", 360000: "100h00m"} {
		if got := durationText(time.Duration(seconds * float64(time.Second))); got != want {
			t.Errorf("%v s is %s, want %s", seconds, got, want)
		}
	}
}
