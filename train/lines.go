package train

import (
	"fmt"
	"io"
)

// Lines shows a run on w as plain text: a line an epoch. If w cannot be written
// the run goes on without.
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
			l.print("resumed after step %d of %d\n", e.Step, e.Epochs*e.StepsEpoch)
		}
	case *EpochDone:
		l.print("%s\n", l.epoch(e.Row))
	}
	return nil
}

func (l *lines) print(format string, args ...any) { _, _ = fmt.Fprintf(l.w, format, args...) }

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
