package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/train"
)

// Status is how a run has ended.
type Status string

// The ways to end.
const (
	Done      Status = "done"        // all epochs
	Reached   Status = "target"      // at the target
	OutOfTime Status = "out of time" // at the end of its seconds
	Diverged  Status = "diverged"    // a number was not finite
	Failed    Status = "failed"      // the method could not go on
)

// Outcome is what a run has come to.
type Outcome struct {
	Job        Job           `json:"job"`
	Status     Status        `json:"status"`
	Step       int           `json:"step"`           // of the end
	Note       string        `json:"note,omitempty"` // why it diverged or failed
	Optimizer  string        `json:"optimizer"`      // with its settings
	Parameters int           `json:"parameters"`
	Examples   int           `json:"examples"` // of the training set
	Points     []train.Point `json:"points"`
}

// Good tells whether the run has come to an end of its own.
func (o *Outcome) Good() bool { return o.Status != Diverged && o.Status != Failed }

// End is the last point.
func (o *Outcome) End() (p train.Point, ok bool) {
	if len(o.Points) == 0 {
		return p, false
	}
	return o.Points[len(o.Points)-1], true
}

// Hit is the first point at the target.
func (o *Outcome) Hit(t *Target) (p train.Point, ok bool) {
	for _, p := range o.Points {
		if t.Met(p) {
			return p, true
		}
	}
	return p, false
}

// Final is a measure at the end of a run that has come to one.
func (o *Outcome) Final(m Measure) (float64, bool) {
	p, ok := o.End()
	if !ok || !o.Good() {
		return 0, false
	}
	return m.Of(p)
}

const outcomeFile = "outcome.json"

// readOutcome reads what a run came to; nil where it has not ended.
func readOutcome(dir string) (*Outcome, error) {
	path := filepath.Join(dir, outcomeFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	o := &Outcome{}
	if err := json.Unmarshal(b, o); err != nil {
		return nil, fmt.Errorf("study: %s: %w", path, err)
	}
	return o, nil
}

func (o *Outcome) write(dir string) error {
	b, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return WriteFile(filepath.Join(dir, outcomeFile), append(b, '\n'))
}
