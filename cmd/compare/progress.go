package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// progress shows what is under way: a line a run, and on a terminal also the run
// that is being trained.
type progress struct {
	w     io.Writer
	quiet bool
	tty   *os.File // nil where there is no terminal
	done  int
	total int
	label string
	kept  bool // the run was there already: nothing was trained
	width int  // of the line that is drawn over
	drawn time.Time
	began train.Started
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.tty = f
	}
	return p
}

// note writes a text.
func (p *progress) note(format string, args ...any) {
	if !p.quiet {
		p.clear()
		fmt.Fprintf(p.w, format, args...)
	}
}

func (p *progress) begin(label string, seed uint64) {
	p.done++
	p.label = fmt.Sprintf("[%*d/%d] %s, seed %d", len(fmt.Sprint(p.total)), p.done, p.total, label, seed)
	p.kept = true
}

// end writes the line of a run.
func (p *progress) end(o *study.Outcome) {
	if p.quiet {
		return
	}
	p.clear()
	text := p.label + ": "
	switch end, ok := o.End(); {
	case !o.Good():
		text += fmt.Sprintf("%s at step %d: %s", o.Status, o.Step, o.Note)
	case ok:
		text += pointText(end) + fmt.Sprintf(" in %.2f s", end.Seconds)
		if o.Status != study.Done {
			text += fmt.Sprintf(" (%s)", o.Status)
		}
	}
	if p.kept {
		text += " (kept)"
	}
	fmt.Fprintln(p.w, text)
}

// pointText is what has been measured, in words.
func pointText(p train.Point) string {
	var list []string
	for _, set := range []struct {
		name string
		s    *train.Scores
	}{{"train", p.Probe}, {"val", p.Val}, {"test", p.Test}} {
		if set.s == nil {
			continue
		}
		text := fmt.Sprintf("%s loss %.4g", set.name, set.s.Loss)
		if v, ok := set.s.Accuracy(); ok {
			text += fmt.Sprintf(" accuracy %.2f %%", 100*v)
		}
		if v, ok := set.s.Metrics["squared_error"]; ok {
			text += fmt.Sprintf(" squared error %.4g", v)
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// observers are those of a run.
func (p *progress) observers(study.Job) []train.Observer {
	p.kept = false
	if p.quiet || p.tty == nil {
		return nil
	}
	return []train.Observer{train.ObserverFunc(p.observe)}
}

// redraw is how often the line of the run changes.
const redraw = 100 * time.Millisecond

func (p *progress) observe(e train.Event) error {
	switch e := e.(type) {
	case *train.Started:
		p.began = *e
	case *train.Stepped:
		if time.Since(p.drawn) < redraw {
			return nil
		}
		p.drawn = time.Now()
		steps := p.began.Epochs * p.began.StepsEpoch
		p.draw(fmt.Sprintf(": step %d/%d, loss %.4f, %.1f s", e.Step, steps, e.Scores.Loss, e.Seconds))
	case *train.Finished, *train.Stopped:
		p.clear()
	}
	return nil
}

// draw draws over the line on the terminal: as much of the label as fits, and the
// status.
func (p *progress) draw(status string) {
	columns, _, err := term.GetSize(int(p.tty.Fd()))
	if err != nil || columns < 2 {
		columns = 80
	}
	text := []rune(p.label)
	if room := max(0, columns-1-len(status)); len(text) > room {
		text = append(text[:max(0, room-1)], '…')
	}
	text = append(text, []rune(status)...)
	text = text[:min(len(text), columns-1)]
	fmt.Fprintf(p.w, "\r%s%s", string(text), strings.Repeat(" ", max(0, min(p.width, columns-1)-len(text))))
	p.width = len(text)
}

// clear takes the line away.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}
