package train

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/saddle-ml/saddle/optimizers"
)

// logger writes log.jsonl: one JSON object an event.
type logger struct {
	f       *os.File
	w       *bufio.Writer
	written int64 // bytes, with those in w
	flushed time.Time
	line    []byte // used again
}

// errLocked is for a log that another run is writing.
var errLocked = errors.New("another process is training this run")

// openLog opens the log for this run alone. It begins where cut says.
func openLog(path string) (*logger, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("train: %s: %w", filepath.Dir(path), err)
	}
	return &logger{f: f, w: bufio.NewWriterSize(f, 1<<16)}, nil
}

// size is how many bytes the log has.
func (l *logger) size() (int64, error) {
	info, err := l.f.Stat()
	if err != nil {
		return 0, fmt.Errorf("train: %w", err)
	}
	return info.Size(), nil
}

// cut leaves the log's first size bytes: what came after the checkpoint will
// come again.
func (l *logger) cut(size int64) error {
	has, err := l.size()
	if err != nil {
		return err
	}
	if has < size {
		return fmt.Errorf("train: %s has %d bytes, it had %d at the checkpoint", l.f.Name(), has, size)
	}
	if err := l.f.Truncate(size); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if _, err := l.f.Seek(size, io.SeekStart); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.written = size
	return nil
}

// Observe writes the event.
func (l *logger) Observe(e Event) error {
	line := l.line[:0]
	var err error
	if s, ok := e.(*Stepped); ok {
		line, err = appendObject(line, stepFields(s))
	} else {
		line, err = json.Marshal(e)
		if err == nil {
			line = append(fmt.Appendf(nil, `{"event":%q,`, e.event()), line[1:]...)
		}
	}
	if err != nil {
		return err
	}
	line = append(line, '\n')
	l.line = line
	if _, err := l.w.Write(line); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.written += int64(len(line))
	// A person may be following; a second is soon enough.
	if now := time.Now(); now.Sub(l.flushed) > time.Second {
		l.flushed = now
		return l.flush()
	}
	return nil
}

func (l *logger) flush() error {
	if err := l.w.Flush(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// sync makes what is written last.
func (l *logger) sync() error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func (l *logger) close() error {
	err := l.sync()
	if e := l.f.Close(); err == nil && e != nil {
		err = fmt.Errorf("train: %w", e)
	}
	return err
}

func stepFields(s *Stepped) []pair {
	list := []pair{{"event", s.event()}, {"epoch", s.Epoch}, {"step", s.Step}}
	return append(list, reportFields(s.Report)...)
}

// reportFields lists what a step has told; what it does not have is left out.
func reportFields(r optimizers.Report) []pair {
	list := []pair{{"loss", r.Loss}, {"grad_norm", r.GradNorm}, {"lr", r.LR}, {"work", r.Work}}
	for _, f := range []pair{{"step_norm", r.StepNorm}, {"damping", r.Damping}, {"radius", r.Radius}, {"cubic", r.Cubic}, {"rho", r.Rho},
		{"model_decrease", r.ModelDecrease}, {"decrease", r.Decrease}, {"min_curvature", r.MinCurvature}} {
		if f.value != 0.0 {
			list = append(list, f)
		}
	}
	if r.CGStop != "" {
		list = append(list, pair{"cg_iterations", r.CGIterations}, pair{"cg_stop", r.CGStop})
	}
	if r.Props != 0 {
		list = append(list, pair{"props", r.Props})
	}
	if r.Trials != 0 {
		list = append(list, pair{"trials", r.Trials})
	}
	if r.Batch != 0 {
		list = append(list, pair{"batch", r.Batch})
	}
	if r.Noise != 0 {
		list = append(list, pair{"noise", r.Noise})
	}
	if r.Rejected {
		list = append(list, pair{"rejected", true})
	}
	return list
}
