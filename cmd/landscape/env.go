package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// env is what every measurement knows: the run, where results go, and the flags
// that all have.
type env struct {
	name           string // of the measurement
	dir            string // of the run
	out            string
	checkpoint     string
	examples       int
	seed           uint64
	precision      string
	quiet          bool
	stdout, stderr io.Writer

	spec  task.Spec
	step  int       // of the checkpoint, when it is loaded; -1 where it says none
	shown time.Time // when progress was last
}

func (e *env) flags(f *flag.FlagSet) {
	f.StringVar(&e.out, "out", "", "`folder` for the results (default: RUN/landscape)")
	f.StringVar(&e.checkpoint, "checkpoint", "last", "last, best, or a safetensors `file`")
	f.IntVar(&e.examples, "examples", 0, "use only the first `N` training examples (default: all)")
	f.Uint64Var(&e.seed, "seed", 0, "of random directions")
	f.StringVar(&e.precision, "precision", "", "float32 or float64 (default: the run's)")
	f.BoolVar(&e.quiet, "quiet", false, "show no progress")
}

// open reads what the run was made of.
func (e *env) open(v cli.Values) error {
	if err := errors.Join(v.NotEmpty("out", "checkpoint", "precision", "to", "batchnorm"), v.Count("examples", e.examples, math.MaxInt)); err != nil {
		return err
	}
	if _, err := train.ReadConfig(e.dir, &e.spec); err != nil {
		return err
	}
	if e.spec.Model == "" {
		return fmt.Errorf("%s has no settings of cmd/train: the run was begun by another program, whose model is not known here", filepath.Join(e.dir, "config.json"))
	}
	if e.precision != "" {
		e.spec.Precision = e.precision
	}
	if err := e.spec.Check(); err != nil {
		return cli.Usage(err)
	}
	if e.out == "" {
		e.out = filepath.Join(e.dir, "landscape")
	}
	return os.MkdirAll(e.out, 0o777)
}

// weights is the file of a checkpoint of a run.
func weights(dir, checkpoint string) (string, error) {
	path := checkpoint
	if checkpoint == "last" || checkpoint == "best" {
		path = filepath.Join(dir, checkpoint+".safetensors")
	}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var have []string
		files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
		for _, f := range files {
			if base := filepath.Base(f); !strings.HasPrefix(base, ".") {
				have = append(have, base)
			}
		}
		if len(have) == 0 {
			return "", fmt.Errorf("there is no checkpoint %s, nor another in %s", path, dir)
		}
		return "", fmt.Errorf("there is no checkpoint %s; %s has %s", path, dir, strings.Join(have, ", "))
	}
	return path, err
}

// load is the run's model with the weights of the checkpoint, and its data.
func load[T train.Float](ctx context.Context, e *env) (*nn.Model[T], *task.Task, error) {
	path, err := weights(e.dir, e.checkpoint)
	if err != nil {
		return nil, nil, err
	}
	t, err := task.Load(ctx, e.spec)
	if err != nil {
		return nil, nil, err
	}
	m, err := task.Build[T](t, e.spec)
	if err != nil {
		return nil, nil, err
	}
	notes, err := read(path, m)
	e.step = stepOf(notes)
	return m, t, err
}

// read gives m the weights of a file, which must be finite, and gives the file's notes.
func read[T train.Float](path string, m *nn.Model[T]) (map[string]string, error) {
	notes, err := train.LoadWeights(path, m)
	if err != nil {
		return nil, err
	}
	for _, p := range m.Parameters() {
		for i, v := range m.Params[p.Offset : p.Offset+p.Size()] {
			if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("%s: %s is %v at element %d; there is no landscape around weights that are not finite", path, p.Name, x, i)
			}
		}
	}
	return notes, nil
}

// lossAt is the loss of m on the first n examples of d, or all where n is 0, which must
// be finite at the weights of m.
func lossAt[T train.Float](m *nn.Model[T], d data.Dataset, n int) (*landscape.Model[T], error) {
	p, err := landscape.At(m, d, n)
	if err != nil {
		return nil, err
	}
	if loss, err := p.Loss(p.Params); err != nil || math.IsNaN(loss) || math.IsInf(loss, 0) {
		return nil, errors.Join(err, fmt.Errorf("the loss at the weights is %v; there is no landscape around weights with a loss that is not finite", loss))
	}
	return p, nil
}

// stepOf is the step that the notes of a checkpoint say, or -1.
func stepOf(notes map[string]string) int {
	if step, err := strconv.Atoi(notes["step"]); err == nil {
		return step
	}
	return -1
}

// at is the loss of the run's model at the checkpoint on its training examples.
func at[T train.Float](ctx context.Context, e *env) (*nn.Model[T], *landscape.Model[T], error) {
	m, t, err := load[T](ctx, e)
	if err != nil {
		return nil, nil, err
	}
	if err := e.limited(t); err != nil {
		return nil, nil, err
	}
	p, err := lossAt(m, t.Train, e.examples)
	return m, p, err
}

// limited says whether there are as many examples as -examples asks for.
func (e *env) limited(t *task.Task) error {
	if e.examples > t.Train.Len() {
		return cli.Usagef("-examples is %d; the training set has %d", e.examples, t.Train.Len())
	}
	return nil
}

// progress shows how far a measurement is, at most a few times a second, and always
// where it is done.
func (e *env) progress(done bool, format string, args ...any) {
	if e.quiet || !done && time.Since(e.shown) < 2*time.Second {
		return
	}
	e.shown = time.Now()
	fmt.Fprintf(e.stderr, format+"\n", args...)
}
