package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// Env is what an experiment runs in.
type Env struct {
	Dir     string                           // for files; it is there
	Full    bool                             // the long form is wanted
	Seed    uint64                           // the first of the seeds
	Data    string                           // folder with the files of data sets; empty for the usual places
	Note    func(format string, args ...any) // tells of progress, a line each
	Observe func(study.Job) []train.Observer // of runs of Train; nil for none

	runner *study.Runner
}

// Path is the path of a file of the experiment.
func (e *Env) Path(name string) string { return filepath.Join(e.Dir, name) }

// Keep is what f gives, from a file if f has given it before: a step of an
// experiment that is not done twice, also after an interrupt. Whatever changes the
// result belongs into the name. T goes through encoding/json, which has no numbers
// that are not finite.
func Keep[T any](ctx context.Context, e *Env, name string, f func() (T, error)) (v T, err error) {
	path := filepath.Join(e.Dir, "steps", name+".json")
	b, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(b, &v); err != nil {
			return v, fmt.Errorf("experiments: %s: %w", path, err)
		}
		return v, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("experiments: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return v, fmt.Errorf("experiments: before %s: %w", name, err)
	}
	if v, err = f(); err != nil {
		return v, err
	}
	if b, err = json.Marshal(v); err != nil {
		return v, fmt.Errorf("experiments: %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return v, fmt.Errorf("experiments: %w", err)
	}
	return v, study.WriteFile(path, b)
}

// Train is what a run of the experiment has come to; one that was interrupted goes
// on where it was. A run that has diverged or failed is no error.
func (e *Env) Train(ctx context.Context, j study.Job) (*study.Outcome, error) {
	if e.runner == nil {
		e.runner = &study.Runner{Observers: e.Observe}
	}
	if j.DataDir == "" {
		j.DataDir = e.Data
	}
	return e.runner.Run(ctx, filepath.Join(e.Dir, "runs", j.Name()), j)
}

// CSV writes a table, whose first row is its header, to a file.
func (e *Env) CSV(name string, rows [][]any) error { return study.WriteCSV(e.Path(name), rows) }

// Plot writes charts to name.png and name.svg.
func (e *Env) Plot(name string, g chart.Grid) error { return g.Save(e.Path(name)) }
