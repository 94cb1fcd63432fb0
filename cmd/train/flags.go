package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// settings are what a run is made of: config.json keeps them for -resume.
type settings struct {
	Data        string  `json:"data"`
	DataDir     string  `json:"data_dir,omitempty"`
	Model       string  `json:"model"`
	Opt         string  `json:"opt"` // as the flags together spell it
	Epochs      int     `json:"epochs"`
	Batch       int     `json:"batch"`
	Seed        uint64  `json:"seed"`
	Val         float64 `json:"val"`
	Limit       int     `json:"limit"`
	Precision   string  `json:"precision"`
	lr          float64
	schedule    string
	weightDecay float64
	clip        float64
}

// options are the command line.
type options struct {
	settings
	threads int
	out     string
	resume  string
	minAcc  float64
	quiet   bool
	profile bool
	list    bool
	set     *flag.FlagSet
	given   map[string]bool // flags on the command line
}

// usageError is a mistake of the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	f.StringVar(&o.Data, "data", "mnist", "data `set`: a name (see -list), or a .csv file whose last column is the class")
	f.StringVar(&o.DataDir, "data-dir", "", "`folder` with the files of the data set (default: $SADDLE_DATA, the user's cache, the network)")
	f.StringVar(&o.Model, "model", "mlp", "`model`: a name (see -list), or sizes such as 784-300-100-10")
	f.StringVar(&o.Opt, "opt", "adam", "`optimizer` with settings, as sgd:momentum=0.9,nesterov=true; \"list\" shows all")
	f.Float64Var(&o.lr, "lr", 0, "learning `rate`, the highest one of a schedule (default: the optimizer's own; 5 times that as the peak of onecycle)")
	f.StringVar(&o.schedule, "schedule", "", "learning rate `schedule` with settings: constant, cosine, onecycle (default onecycle)")
	f.IntVar(&o.Epochs, "epochs", 5, "passes over the training set")
	f.IntVar(&o.Batch, "batch", 0, "examples in a minibatch (default: what the optimizer works best with, or 128)")
	f.Float64Var(&o.weightDecay, "weight-decay", 0, "the optimizer's weight_decay")
	f.Float64Var(&o.clip, "clip", 0, "longest `norm` of a gradient (default: no clipping)")
	f.Uint64Var(&o.Seed, "seed", 0, "determines the first weights, the order of the examples and dropout")
	f.Float64Var(&o.Val, "val", 0, "`share` of the training set that is kept for validation")
	f.IntVar(&o.Limit, "limit", 0, "use only the first `N` training examples")
	f.StringVar(&o.Precision, "precision", "float32", "float32 or float64")
	f.IntVar(&o.threads, "threads", 0, "processors to use (default: all); the result does not depend on it")
	f.StringVar(&o.out, "out", "", "run `directory` (default: a new one in runs)")
	f.StringVar(&o.resume, "resume", "", "go on with the run in this `directory`")
	f.Float64Var(&o.minAcc, "min-acc", 0, "end with status 4 if the test accuracy (0 to 1) is lower")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress")
	f.BoolVar(&o.profile, "profile", false, "measure every operation: a table at the end, and profile.txt and trace.json, for ui.perfetto.dev, in the run directory")
	f.BoolVar(&o.list, "list", false, "list data sets, models, optimizers and schedules")
	return f
}

// besideResume are the flags that do not say what a run is.
var besideResume = []string{"resume", "threads", "min-acc", "quiet", "profile", "data-dir"}

// parse reads the command line. help tells that it asked for the flags, which
// are then written to stdout.
func parse(args []string, stdout io.Writer) (o *options, help bool, err error) {
	o = &options{given: map[string]bool{}}
	f := o.flags()
	o.set = f
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stdout, "Train trains a network and saves it.\n\nusage: train [flags]\n\n")
			f.SetOutput(stdout)
			f.PrintDefaults()
			fmt.Fprintf(stdout, "\nexit status: 0 done, 1 failed, 2 wrong usage, 4 test accuracy below -min-acc, 130 interrupted\n")
			return nil, true, nil
		}
		return nil, false, usageError{flagError(err, f)}
	}
	if f.NArg() > 0 {
		return nil, false, usagef("unexpected argument %q; all settings are flags, as in -model lenet", f.Arg(0))
	}
	f.Visit(func(g *flag.Flag) { o.given[g.Name] = true })
	return o, false, o.check()
}

// flagError says what package flag leaves out: the nearest flag to one that does
// not exist, and the values that a flag takes.
func flagError(err error, f *flag.FlagSet) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		var names []string
		f.VisitAll(func(g *flag.Flag) { names = append(names, g.Name) })
		hint := ""
		if near := spell.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("; did you mean -%s?", near)
		}
		return fmt.Errorf("unknown flag -%s%s", name, hint)
	}
	var value, name string
	if _, e := fmt.Sscanf(text, "invalid value %q for flag -%s", &value, &name); e != nil {
		if _, e := fmt.Sscanf(text, "invalid boolean value %q for -%s", &value, &name); e != nil {
			return err
		}
	}
	name = strings.TrimSuffix(name, ":")
	g := f.Lookup(name)
	if g == nil {
		return err
	}
	allowed := "numbers, as 0.1 or 1e-3"
	switch g.Value.(flag.Getter).Get().(type) {
	case int:
		allowed = "whole numbers from 1 on"
	case uint64:
		allowed = fmt.Sprintf("whole numbers from 0 to %d", uint64(math.MaxUint64))
	case bool:
		allowed = "true and false"
	}
	return fmt.Errorf("-%s is %q; allowed are %s", name, value, allowed)
}

// The largest counts that the flags take: more epochs than anyone waits for,
// more threads than any machine has processors.
const (
	maxEpochs  = 1_000_000_000
	maxThreads = 1024
)

func (o *options) check() error {
	if o.resume != "" {
		for name := range o.given {
			if !slices.Contains(besideResume, name) {
				return usagef("-resume goes on with a run as it was; -%s is not allowed beside it (allowed: -%s)", name, strings.Join(besideResume[1:], ", -"))
			}
		}
	}
	count := func(name string, n, most int) error {
		if o.given[name] && (n < 1 || n > most) {
			if most == math.MaxInt {
				return usagef("-%s is %d; allowed are 1 and more", name, n)
			}
			return usagef("-%s is %d; allowed are 1 to %d", name, n, most)
		}
		return nil
	}
	number := func(name string, v float64) error {
		if o.given[name] && (v < 0 || math.IsInf(v, 0) || math.IsNaN(v)) {
			return usagef("-%s is %v; allowed are finite numbers from 0 on", name, v)
		}
		return nil
	}
	for _, name := range []string{"data", "data-dir", "model", "opt", "schedule", "precision", "out", "resume"} {
		if g := o.set.Lookup(name); o.given[name] && g.Value.String() == "" {
			return usagef("-%s is empty; give it a value, or leave it out", name)
		}
	}
	if err := errors.Join(count("epochs", o.Epochs, maxEpochs), count("batch", o.Batch, math.MaxInt), count("limit", o.Limit, math.MaxInt),
		count("threads", o.threads, maxThreads), number("lr", o.lr), number("weight-decay", o.weightDecay), number("clip", o.clip)); err != nil {
		return err
	}
	switch {
	case !(o.minAcc >= 0 && o.minAcc <= 1):
		return usagef("-min-acc is %v; allowed are accuracies from 0 to 1, as 0.97", o.minAcc)
	case o.given["clip"] && o.clip == 0:
		return usagef("-clip is 0; allowed are norms above 0")
	}
	if err := o.settings.check(); err != nil {
		return usageError{err}
	}
	if isCSV(o.Data) && o.DataDir == "" {
		path, err := filepath.Abs(o.Data) // a resumed run may begin elsewhere
		if err != nil {
			return usageError{err}
		}
		o.Data = path
	}
	if o.DataDir != "" {
		dir, err := filepath.Abs(o.DataDir)
		if err != nil {
			return usageError{err}
		}
		o.DataDir = dir
	}
	return nil
}

// check says what is wrong with the settings whose values are few, also those
// from a file.
func (s *settings) check() error {
	switch precisions := []string{"float32", "float64"}; {
	case !(s.Val >= 0 && s.Val < 1):
		return fmt.Errorf("-val is %v; allowed are shares from 0 to below 1", s.Val)
	case !slices.Contains(precisions, s.Precision):
		return fmt.Errorf("-precision is %q; allowed are float32 and float64%s", s.Precision, spell.Hint(s.Precision, precisions))
	}
	return nil
}
