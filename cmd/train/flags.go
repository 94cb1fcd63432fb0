package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
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
	list    bool
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
	f.Float64Var(&o.lr, "lr", 0, "learning `rate`, the highest one of a schedule (default: the optimizer's own; 5 times that as the peak of the default schedule)")
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
	f.BoolVar(&o.list, "list", false, "list data sets, models, optimizers and schedules")
	return f
}

// besideResume are the flags that do not say what a run is.
var besideResume = []string{"resume", "threads", "min-acc", "quiet", "data-dir"}

// parse reads the command line. help tells that it asked for the flags, which
// are then written to stdout.
func parse(args []string, stdout io.Writer) (o *options, help bool, err error) {
	o = &options{given: map[string]bool{}}
	f := o.flags()
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stdout, "Train trains a network and saves it.\n\nusage: train [flags]\n\n")
			f.SetOutput(stdout)
			f.PrintDefaults()
			return nil, true, nil
		}
		return nil, false, usageError{unknownFlag(err, f)}
	}
	if f.NArg() > 0 {
		return nil, false, usagef("unexpected argument %q; all settings are flags, as in -model lenet", f.Arg(0))
	}
	f.Visit(func(g *flag.Flag) { o.given[g.Name] = true })
	return o, false, o.check()
}

// unknownFlag adds the nearest flag to the error for one that does not exist.
func unknownFlag(err error, f *flag.FlagSet) error {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var names []string
	f.VisitAll(func(g *flag.Flag) { names = append(names, g.Name) })
	return fmt.Errorf("unknown flag -%s%s", name, strings.ReplaceAll(spell.Hint(name, names), `"`, ""))
}

func (o *options) check() error {
	if o.resume != "" {
		for name := range o.given {
			if !slices.Contains(besideResume, name) {
				return usagef("-resume goes on with a run as it was; -%s is not allowed beside it (allowed: -%s)", name, strings.Join(besideResume[1:], ", -"))
			}
		}
	}
	positive := func(name string, n int) error {
		if o.given[name] && n < 1 {
			return usagef("-%s is %d; allowed are 1 and more", name, n)
		}
		return nil
	}
	if err := errors.Join(positive("epochs", o.Epochs), positive("batch", o.Batch), positive("limit", o.Limit), positive("threads", o.threads)); err != nil {
		return err
	}
	switch {
	case !(o.Val >= 0 && o.Val < 1):
		return usagef("-val is %v; allowed are shares from 0 to below 1", o.Val)
	case !(o.minAcc >= 0 && o.minAcc <= 1):
		return usagef("-min-acc is %v; allowed are accuracies from 0 to 1, as 0.97", o.minAcc)
	case o.given["clip"] && !(o.clip > 0):
		return usagef("-clip is %v; allowed are norms above 0", o.clip)
	case o.Precision != "float32" && o.Precision != "float64":
		return usagef("-precision is %q; allowed are float32 and float64%s", o.Precision, spell.Hint(o.Precision, []string{"float32", "float64"}))
	case o.given["out"] && o.out == "":
		return usagef("-out is empty; give the run a directory")
	}
	if o.DataDir != "" {
		dir, err := filepath.Abs(o.DataDir) // a resumed run may begin elsewhere
		if err != nil {
			return usageError{err}
		}
		o.DataDir = dir
	}
	return nil
}
