package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// exitAccuracy is the status for a test accuracy below -min-acc.
const exitAccuracy = 4

// errAccuracy is for a test accuracy below -min-acc.
var errAccuracy = errors.New("accuracy")

// run is the command: it writes results to stdout, notes and progress to stderr
// and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	if errors.Is(err, errAccuracy) {
		return exitAccuracy
	}
	return cli.Status(ctx, "train", err, stderr)
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
		return task.List(stdout)
	case o.Opt == "list":
		return task.ListOptimizers(stdout)
	}
	if o.resume != "" {
		if err := o.restore(); err != nil {
			return err
		}
	} else if o.Opt, err = o.optimizer(); err != nil {
		return err
	}
	if o.minAcc > 0 && (nn.IsAutoencoder(o.Model) || nn.NumberTargets(o.Model)) {
		return cli.Usagef("-min-acc: model %s has no accuracy", o.Model)
	}
	if o.Precision == "float64" {
		return fit[float64](ctx, o, stdout, stderr)
	}
	return fit[float32](ctx, o, stdout, stderr)
}

// restore takes the settings of the run to resume.
func (o *options) restore() error {
	var s settings
	if _, err := train.ReadConfig(o.resume, &s); err != nil {
		return err
	}
	s.DataDir = cmp.Or(o.DataDir, s.DataDir)
	o.settings = s
	path := filepath.Join(o.resume, "config.json")
	if o.Opt == "" {
		return fmt.Errorf("%s has no settings of this command: the run was begun by another program", path)
	}
	if err := o.Spec.Check(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// patience is how long data may take to load without a word.
const patience = 2 * time.Second

// fit trains in one precision.
func fit[T train.Float](ctx context.Context, o *options, stdout, stderr io.Writer) error {
	method, err := optimizers.Parse(o.Opt)
	if err != nil {
		return err
	}
	waiting := time.AfterFunc(patience, func() {
		if !o.quiet {
			fmt.Fprintf(stderr, "loading %s; what is not on this machine is fetched, once\n", o.Data)
		}
	})
	t, err := task.Load(ctx, o.Spec)
	waiting.Stop()
	if err != nil {
		return err
	}
	m, err := task.Build[T](t, o.Spec)
	if err != nil {
		return err
	}
	if o.lrFind {
		return findRate(ctx, o, method, m, t, stdout, stderr)
	}
	c := train.Config{Optimizer: method, Epochs: o.Epochs, Batch: o.Batch, Seed: o.Seed, Val: t.Val, Test: t.Test,
		Data: t.Name, Model: o.Model, Settings: o.settings, Resume: o.resume != ""}
	switch {
	case c.Resume:
		c.Dir = o.resume
	case o.out != "":
		c.Dir = o.out
	default:
		model, _, _ := strings.Cut(o.Model, ":") // without its settings
		if c.Dir, err = train.NewDir("runs", fmt.Sprintf("%s-%s-%s", t.Name, model, optimizers.Describe(method).Name)); err != nil {
			return err
		}
		defer os.Remove(c.Dir) // it stays unless it is empty: the run did not begin
	}
	if !o.quiet {
		fmt.Fprintf(stderr, "%s: %d examples, %d for the test\n%s\n%s: %s\n", t.Name, t.Train.Len(), t.Test.Len(), m.Summary(), "optimizer", o.Opt)
		c.Observers = append(c.Observers, train.Bar(stderr))
	}
	c.Profile = o.profile
	if c.Snapshots, err = parseSnapshots(o.Snapshots); err != nil {
		return err
	}
	watched, err := watch(o, &c, m, t)
	if err != nil {
		return err
	}
	history, err := train.Fit(ctx, m, t.Train, c)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		fmt.Fprintf(stderr, "saved; resume with: %s -resume %s\n", cli.Invocation("train"), cli.Quoted(c.Dir))
	}
	if err != nil {
		return err
	}
	if history.Profile != nil {
		if _, err := history.Profile.WriteTo(stderr); err != nil {
			return err
		}
	}
	if !o.quiet {
		watched(stderr)
	}
	return o.report(history.Result, c.Dir, stdout, stderr)
}

// report writes the result.
func (o *options) report(r train.Result, dir string, stdout, stderr io.Writer) error {
	accuracy, classes := r.Test.Accuracy()
	var text string
	if classes {
		text = fmt.Sprintf("test accuracy %.2f %%, ", 100*accuracy)
	} else if e, ok := r.Test.Metrics["squared_error"]; ok {
		text = fmt.Sprintf("test squared error %.4f an image, ", e)
	}
	epochs := "1 epoch"
	if r.Epochs != 1 {
		epochs = fmt.Sprintf("%d epochs", r.Epochs)
	}
	if _, err := fmt.Fprintf(stdout, "%sloss %.4f after %s in %.1f s\nsaved in %s\n", text, r.Test.Loss, epochs, r.Seconds, dir); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if classes && accuracy < o.minAcc {
		fmt.Fprintf(stderr, "train: test accuracy %.4f is below the %v of -min-acc\n", accuracy, o.minAcc)
		return errAccuracy
	}
	return nil
}
