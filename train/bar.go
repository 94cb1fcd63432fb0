package train

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows a run on w: a progress bar an epoch with loss, accuracy, rate and
// the time left to the end of the run where w is a terminal, and otherwise what
// Lines shows.
func Bar(w io.Writer) Observer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		return &bar{lines: lines{w: w}, columns: func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns < 1 {
				columns = 80
			}
			return columns
		}}
	}
	return Lines(w)
}

// bar is a progress bar on a terminal, one line that is drawn over and over.
type bar struct {
	lines
	columns func() int // of the terminal, which may change
	begun   time.Time  // of this process's training
	from    int        // step it began after
	epoch   int
	batch   int
	drawn   time.Time
	width   int // columns in use
}

// redraw is how often the line changes.
const redraw = 100 * time.Millisecond

// Observe moves the bar.
func (b *bar) Observe(e Event) error {
	switch e := e.(type) {
	case *Started:
		_ = b.lines.Observe(e)
		b.begun, b.from = time.Now(), e.Step
		b.epoch, b.batch = e.Step/e.StepsEpoch+1, e.Step%e.StepsEpoch
		if b.epoch <= e.Epochs {
			b.draw(nil)
		}
	case *Stepped:
		b.epoch, b.batch = e.Epoch, e.Batch
		if time.Since(b.drawn) >= redraw || e.Batch == b.started.StepsEpoch {
			b.draw(e)
		}
	case *EpochDone:
		b.clear()
		_ = b.lines.Observe(e)
		if b.epoch, b.batch = e.Row.Epoch+1, 0; b.epoch <= b.started.Epochs {
			b.draw(nil)
		}
	case *Finished, *Stopped:
		b.clear()
	}
	return nil
}

// draw puts the line on the terminal in one piece; e is nil before an epoch's
// first step.
func (b *bar) draw(e *Stepped) {
	b.drawn = time.Now()
	room := b.columns() - 1 // the last column would break the line
	line := b.line(e, room)
	width := utf8.RuneCountInString(line)
	pad := strings.Repeat(" ", max(0, min(b.width, room)-width))
	b.width = width
	b.print("\r%s%s", line, pad)
}

// clear takes the line away, so that another can stand in its place.
func (b *bar) clear() {
	if b.width > 0 {
		b.print("\r%s\r", strings.Repeat(" ", min(b.width, max(0, b.columns()-1))))
		b.width = 0
	}
}

// The widths of the bar itself, without what stands beside it.
const (
	narrowBar = 8
	wideBar   = 24
)

// line is as much as fits in so many columns: what matters least goes first.
func (b *bar) line(e *Stepped, columns int) string {
	epoch := fmt.Sprintf("epoch %d/%d", b.epoch, b.started.Epochs)
	texts := []string{epoch, ""}
	if e != nil {
		loss, scores := fmt.Sprintf("  loss %.4f", e.Scores.Loss), "  "+scoresText(&e.Scores)
		left := "  " + durationText(b.left(e)) + " left"
		texts = []string{
			epoch + scores + fmt.Sprintf("  %.0f examples/s", e.Rate) + left,
			epoch + scores + fmt.Sprintf("  %.0f/s", e.Rate) + left,
			epoch + scores + left,
			epoch + loss + left,
			epoch + loss,
			epoch,
			"",
		}
	}
	for _, text := range texts {
		const beside = len(" 100% ||")
		if room := columns - len(text) - beside; room >= narrowBar {
			return text + b.saucer(min(room, wideBar))
		}
	}
	return ""
}

// saucer is the bar itself.
func (b *bar) saucer(width int) string {
	p := progressbar.NewOptions(b.started.StepsEpoch,
		progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSetWidth(width),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerHead: "╸", SaucerPadding: " ", BarStart: "│", BarEnd: "│"}),
	)
	_ = p.Set(b.batch) // it is within the epoch
	_ = p.RenderBlank()
	return strings.TrimRight(strings.TrimPrefix(p.String(), "\r"), " ")
}

// left is the time to the end of the run, if it goes on as it did in this
// process, with its measuring.
func (b *bar) left(e *Stepped) time.Duration {
	done := e.Step - b.from
	rest := b.started.Epochs*b.started.StepsEpoch - e.Step
	return time.Duration(float64(time.Since(b.begun)) / float64(done) * float64(rest))
}

// durationText is 7s, 3m07s or 2h05m.
func durationText(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}
