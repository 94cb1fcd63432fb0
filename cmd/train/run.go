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
	if err := o.settings.check(); err != nil {
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
	t, err := o.load(ctx)
	waiting.Stop()
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
		Data: t.name, Model: o.Model, Settings: o.settings, Resume: o.resume != ""}
	switch {
	case c.Resume:
		c.Dir = o.resume
	case o.out != "":
		c.Dir = o.out
	default:
		if c.Dir, err = train.NewDir("runs", fmt.Sprintf("%s-%s-%s", t.name, o.Model, optimizers.Describe(method).Name)); err != nil {
			return err
		}
		defer os.Remove(c.Dir) // it stays unless it is empty: the run did not begin
	}
	if !o.quiet {
		fmt.Fprintf(stderr, "%s: %d examples, %d for the test\n%s\n%s: %s\n", t.name, t.train.Len(), t.test.Len(), m.Summary(), "optimizer", o.Opt)
		c.Observers = append(c.Observers, train.Bar(stderr))
	}
	c.Profile = o.profile
	history, err := train.Fit(ctx, m, t.train, c)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		fmt.Fprintf(stderr, "saved; resume with: %s -resume %s\n", invocation(), quoted(c.Dir))
	}
	if err != nil {
		return err
	}
	if history.Profile != nil {
		if _, err := history.Profile.WriteTo(stderr); err != nil {
			return err
		}
	}
	return o.report(history.Result, c.Dir, stdout, stderr)
}

// report writes the result.
func (o *options) report(r train.Result, dir string, stdout, stderr io.Writer) error {
	accuracy, classes := r.Test.Accuracy()
	text := fmt.Sprintf("test squared error %.4f an image", r.Test.Metrics["squared_error"])
	if classes {
		text = fmt.Sprintf("test accuracy %.2f %%", 100*accuracy)
	}
	epochs := "1 epoch"
	if r.Epochs != 1 {
		epochs = fmt.Sprintf("%d epochs", r.Epochs)
	}
	if _, err := fmt.Fprintf(stdout, "%s, loss %.4f after %s in %.1f s\nsaved in %s\n", text, r.Test.Loss, epochs, r.Seconds, dir); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
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

// quoted is a path as a shell takes it.
func quoted(path string) string {
	plain := func(r rune) bool {
		return r > 127 || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(`-_./:,+=@%\`, r)
	}
	if strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	if runtime.GOOS == "windows" {
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
