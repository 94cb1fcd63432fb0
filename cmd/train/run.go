package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// The exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitAccuracy    = 4
	exitInterrupted = 130
)

// errAccuracy is for a test accuracy below -min-acc.
var errAccuracy = errors.New("accuracy")

// run is the command: it writes results to stdout, notes and progress to stderr
// and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintf(stderr, "train: interrupted\n")
		return exitInterrupted
	case errors.Is(err, errAccuracy):
		return exitAccuracy
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "train: %s\nrun with -h for the flags, with -list for what they know\n", message(err))
		return exitUsage
	}
	fmt.Fprintf(stderr, "train: %s\n", message(err))
	return exitFailed
}

// message is an error without the name of the package train at its beginning,
// which is this command's too.
func message(err error) string { return strings.TrimPrefix(err.Error(), "train: ") }

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
	case o.Opt == "list":
		return listOptimizers(stdout)
	}
	if o.resume != "" {
		if err := o.restore(); err != nil {
			return err
		}
	} else if o.Opt, err = o.optimizer(); err != nil {
		return err
	}
	if o.minAcc > 0 && nn.IsAutoencoder(o.Model) {
		return usagef("-min-acc: an autoencoder has no accuracy")
	}
	if o.Precision == "float64" {
		return fit[float64](ctx, o, stdout, stderr)
	}
	return fit[float32](ctx, o, stdout, stderr)
}

// restore takes the settings of the run to resume.
func (o *options) restore() error {
	dir := o.DataDir
	if _, err := train.ReadConfig(o.resume, &o.settings); err != nil {
		return err
	}
	if dir != "" {
		o.DataDir = dir
	}
	return nil
}

// fit trains in one precision.
func fit[T train.Float](ctx context.Context, o *options, stdout, stderr io.Writer) error {
	method, err := optimizers.Parse(o.Opt)
	if err != nil {
		return err
	}
	t, err := o.load(ctx)
	if err != nil {
		return err
	}
	net, loss, err := nn.ByName(o.Model, t.train.Shape(), t.classes)
	if err != nil {
		return usageError{err}
	}
	m, err := nn.Build[T](net, loss, t.train.Shape(), nn.Seed(o.Seed))
	if err != nil {
		return err
	}
	c := train.Config{Optimizer: method, Epochs: o.Epochs, Batch: o.Batch, Seed: o.Seed, Val: t.val, Test: t.test,
		Data: t.name, Model: o.Model, Settings: o.settings}
	if c.Dir, err = o.dir(t.name, optimizers.Describe(method).Name); err != nil {
		return err
	}
	c.Resume = o.resume != ""
	if !o.quiet {
		fmt.Fprintf(stderr, "%s: %d examples, %d for the test\n%s\n%s: %s\n", t.name, t.train.Len(), t.test.Len(), m.Summary(), "optimizer", o.Opt)
		c.Observers = append(c.Observers, train.Bar(stderr))
	}
	history, err := train.Fit(ctx, m, t.train, c)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		fmt.Fprintf(stderr, "saved; resume with: %s -resume %s\n", invocation(), c.Dir)
	}
	if err != nil {
		os.Remove(c.Dir) // only if it is empty: the run did not begin
		return err
	}
	return o.report(history.Result, c.Dir, stdout, stderr)
}

// dir is the run directory.
func (o *options) dir(data, opt string) (string, error) {
	switch {
	case o.resume != "":
		return o.resume, nil
	case o.out != "":
		return o.out, nil
	}
	return train.NewDir("runs", fmt.Sprintf("%s-%s-%s", data, o.Model, opt))
}

// report writes the result.
func (o *options) report(r train.Result, dir string, stdout, stderr io.Writer) error {
	accuracy, classes := r.Test.Accuracy()
	if classes {
		fmt.Fprintf(stdout, "test accuracy %.2f %%, loss %.4f", 100*accuracy, r.Test.Loss)
	} else {
		fmt.Fprintf(stdout, "test squared error %.4f an image, loss %.4f", r.Test.Metrics["squared_error"], r.Test.Loss)
	}
	fmt.Fprintf(stdout, " after %d epochs in %.1f s\nsaved in %s\n", r.Epochs, r.Seconds, dir)
	if classes && accuracy < o.minAcc {
		fmt.Fprintf(stderr, "train: test accuracy %.4f is below the %v of -min-acc\n", accuracy, o.minAcc)
		return errAccuracy
	}
	return nil
}

// invocation is how this command was begun.
func invocation() string {
	path, err := os.Executable()
	if err != nil || strings.Contains(path, "go-build") {
		return "go run ./cmd/train"
	}
	if rel, err := filepath.Rel(".", path); err == nil && !strings.HasPrefix(rel, "..") {
		return "./" + filepath.ToSlash(rel)
	}
	return path
}
