package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/train"
)

// run is the command: it writes results to stdout, notes and progress to stderr
// and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "compare", command(ctx, args, stdout, stderr), stderr)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, help, err := parse(args, stdout)
	if err != nil || help {
		return err
	}
	if o.threads > 0 {
		runtime.GOMAXPROCS(o.threads)
	}
	switch {
	case o.list:
		return list(stdout)
	case len(o.Opts) == 1 && o.Opts[0] == "list":
		return task.ListOptimizers(stdout)
	}
	if o.resume != "" {
		kind, err := study.Kind(o.resume)
		if err != nil {
			return err
		}
		o.out, o.settings = o.resume, settings{}
		if err := study.Settings(o.resume, kind, &o.settings); err != nil {
			return err
		}
		if o.kind() != kind {
			return fmt.Errorf("%s is of a %s, which is another command's", o.resume, kind)
		}
	}
	b := &bench{settings: o.settings, dir: o.out, stdout: stdout, progress: newProgress(stderr, o.quiet)}
	b.runner.Observers = b.progress.observers
	err = b.study(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) && b.begun {
		fmt.Fprintf(stderr, "saved; go on with: %s -resume %s\n", cli.Invocation("compare"), cli.Quoted(b.dir))
	}
	return err
}

// bench is a study under way.
type bench struct {
	settings
	dir      string
	begun    bool // its directory is there
	made     bool // by this process, with a name of its own
	runner   study.Runner
	progress *progress
	stdout   io.Writer
}

func (b *bench) study(ctx context.Context) error {
	methods, err := b.methods()
	if err != nil {
		return err
	}
	switch b.kind() {
	case "suite":
		s := suiteByName(b.Suite)
		if s == nil {
			return fmt.Errorf("%s is of a suite %q, which is not known", b.dir, b.Suite)
		}
		return b.race(ctx, s, methods)
	case "sweep":
		return b.sweep(ctx, methods)
	}
	return b.compare(ctx, methods)
}

// patience is how long data may take to load without a word.
const patience = 2 * time.Second

// check says why a job could not begin.
func (b *bench) check(ctx context.Context, j study.Job) error {
	waiting := time.AfterFunc(patience, func() {
		b.progress.note("loading %s; what is not on this machine is fetched, once\n", j.Data)
	})
	defer waiting.Stop()
	if _, err := b.runner.Load(ctx, j.Spec); err != nil {
		return err
	}
	if err := b.runner.Check(ctx, j); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return cli.Usage(fmt.Errorf("%s: %w", j.Opt, err))
	}
	return nil
}

// open makes the study's directory, or takes it up.
func (b *bench) open(name string, free ...string) error {
	if b.dir == "" {
		var err error
		if b.dir, err = train.NewDir("runs", name); err != nil {
			return err
		}
		b.made = true
	}
	if err := study.Open(b.dir, b.kind(), b.settings, free...); err != nil {
		if b.made {
			os.Remove(b.dir) // if it is empty
		}
		return err
	}
	b.begun = true
	b.progress.note("in %s\n", b.dir)
	return nil
}

// run is what a job has come to, in a directory below runs.
func (b *bench) run(ctx context.Context, label, part string, j study.Job) (*study.Outcome, error) {
	b.progress.begin(label, j.Seed)
	o, err := b.runner.Run(ctx, filepath.Join(b.dir, part, "runs", j.Name()), j)
	if err != nil {
		b.progress.clear()
		return nil, err
	}
	b.progress.end(o)
	return o, nil
}

// failures is an error where methods could not go on, after all has been told.
func failures(list []*study.Summary) error {
	for _, s := range list {
		for _, o := range s.Outcomes {
			if o.Status == study.Failed {
				return fmt.Errorf("%s failed: %s", s.Label, o.Note)
			}
		}
	}
	return nil
}
