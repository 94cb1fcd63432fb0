package train

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows a run on w: a progress bar an epoch with loss, accuracy, rate and
// time left where w is a terminal, and otherwise what Lines shows.
func Bar(w io.Writer) Observer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{w: w, lines: lines{w: w}}
	}
	return Lines(w)
}

// Lines shows a run on w as plain text: a line an epoch.
func Lines(w io.Writer) Observer { return &lines{w: w} }

type lines struct {
	w       io.Writer
	started Started
}

// Observe writes what is worth a line.
func (l *lines) Observe(e Event) error {
	switch e := e.(type) {
	case *Started:
		l.started = *e
		if e.Resumed {
			return l.print("resumed after step %d of %d\n", e.Step, e.Epochs*e.StepsEpoch)
		}
	case *EpochDone:
		return l.print("%s\n", l.epoch(e.Row))
	}
	return nil
}

func (l *lines) print(format string, args ...any) error {
	if _, err := fmt.Fprintf(l.w, format, args...); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// epoch is the line of an epoch.
func (l *lines) epoch(r Row) string {
	s := fmt.Sprintf("epoch %*d/%d", len(fmt.Sprint(l.started.Epochs)), r.Epoch, l.started.Epochs)
	s += "  train " + scoresText(r.Train)
	if r.Val != nil {
		s += "  val " + scoresText(r.Val)
	}
	if r.Test != nil {
		s += "  test " + scoresText(r.Test)
	}
	return s + fmt.Sprintf("  %.1f s  %.0f examples/s", r.Seconds, r.Rate)
}

// scoresText is the loss and the metrics, accuracy in percent.
func scoresText(s *Scores) string {
	text := fmt.Sprintf("loss %.4f", s.Loss)
	for _, name := range sortedNames(s.Metrics) {
		text += " " + metricText(name, s.Metrics[name])
	}
	return text
}

func metricText(name string, v float64) string {
	switch name {
	case "accuracy":
		return fmt.Sprintf("accuracy %.2f %%", 100*v)
	case "squared_error":
		return fmt.Sprintf("squared error %.4f", v)
	}
	return fmt.Sprintf("%s %.4f", name, v)
}

// bar is a progress bar on a terminal.
type bar struct {
	w     io.Writer
	lines lines
	now   *progressbar.ProgressBar
	drawn time.Time
}

// redraw is how often the numbers beside the bar change.
const redraw = 100 * time.Millisecond

// Observe moves the bar.
func (b *bar) Observe(e Event) error {
	switch e := e.(type) {
	case *Stepped:
		if b.now == nil {
			b.now = b.newBar(e)
		}
		last := e.Batch == b.lines.started.StepsEpoch
		if now := time.Now(); last || now.Sub(b.drawn) >= redraw {
			b.drawn = now
			b.now.Describe(b.text(e))
			if err := b.now.Set(e.Batch); err != nil {
				return fmt.Errorf("train: progress bar: %w", err)
			}
		}
		return nil
	case *EpochDone, *Saved, *Finished:
		b.clear()
	}
	return b.lines.Observe(e)
}

// clear takes the bar away, so that a line can stand in its place.
func (b *bar) clear() {
	if b.now != nil {
		_ = b.now.Clear() // it only writes to the terminal
		b.now = nil
	}
}

func (b *bar) newBar(e *Stepped) *progressbar.ProgressBar {
	p := progressbar.NewOptions(b.lines.started.StepsEpoch,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionThrottle(0),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerHead: "╸", SaucerPadding: " ", BarStart: "│", BarEnd: "│"}),
	)
	b.drawn = time.Time{}
	_ = p.Set(e.Batch - 1) // where an interrupted epoch goes on
	return p
}

// text stands before the bar.
func (b *bar) text(e *Stepped) string {
	return fmt.Sprintf("epoch %d/%d  %s  %.0f examples/s ", e.Epoch, b.lines.started.Epochs, scoresText(&e.Scores), e.Rate)
}
