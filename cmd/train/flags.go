package main

import (
	"errors"
	"flag"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
)

// settings are what a run is made of: config.json keeps them for -resume.
type settings struct {
	task.Spec
	Opt         string `json:"opt"` // as the flags together spell it
	Epochs      int    `json:"epochs"`
	Batch       int    `json:"batch"`
	Watch       string `json:"watch,omitempty"`
	Snapshots   string `json:"snapshots,omitempty"`
	lr          float64
	schedule    string
	weightDecay float64
	clip        float64
	groups      words
}

// options are the command line.
type options struct {
	settings
	cli.Values
	threads int
	out     string
	resume  string
	minAcc  float64
	quiet   bool
	profile bool
	lrFind  bool
	list    bool
}

// words are the values of a flag that may be given several times.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(word string) error {
	*w = append(*w, word)
	return nil
}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	o.Spec.Flags(f)
	f.StringVar(&o.Opt, "opt", "adam", "`optimizer` with settings, as sgd:momentum=0.9,nesterov=true; \"list\" shows all")
	f.Float64Var(&o.lr, "lr", 0, "learning `rate`, the highest one of a schedule (default: the optimizer's own; 5 times that as the peak of onecycle)")
	f.StringVar(&o.schedule, "schedule", "", "learning rate `schedule` with settings, as cosine:warmup=500,final=0.01 (default onecycle); -opt list shows all")
	f.IntVar(&o.Epochs, "epochs", 5, "passes over the training set")
	f.IntVar(&o.Batch, "batch", 0, "examples in a minibatch (default: what the optimizer works best with, or 128)")
	f.Float64Var(&o.weightDecay, "weight-decay", 0, "the optimizer's weight_decay")
	f.Var(&o.groups, "group", "`rule` for some tensors: what belongs to it (weight, bias, norm, names with *) and what is different, as bias,norm:weight_decay=0, dense1:lr=0.1x or conv*:freeze; once for each rule, of which the first that names a tensor counts")
	f.Float64Var(&o.clip, "clip", 0, "longest `norm` of a gradient (default: no clipping)")
	f.Uint64Var(&o.Seed, "seed", 0, "determines the first weights, the order of the examples and dropout")
	f.StringVar(&o.Watch, "watch", "", "`what` to measure while it trains: curvature:every=100,examples=1000,layers (extreme eigenvalues and trace of the Hessian, 2/lr, gradient noise scale, sizes of updates), symmetry:every=100 (what gradient flow would conserve, beside three theories of SGD, and the learning rates that normalisations make, beside their law), or both joined by +")
	f.StringVar(&o.Snapshots, "snapshots", "", "`when` to keep the weights, in the folder snapshots of the run, for cmd/landscape: every=100 (steps), epoch, log=20 (20 steps, denser at the beginning), or some of them with commas between")
	f.IntVar(&o.threads, "threads", 0, "processors to use (default: all); the result does not depend on it")
	f.StringVar(&o.out, "out", "", "run `directory` (default: a new one in runs)")
	f.StringVar(&o.resume, "resume", "", "go on with the run in this `directory`")
	f.Float64Var(&o.minAcc, "min-acc", 0, "end with status 4 if the test accuracy (0 to 1) is lower")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress")
	f.BoolVar(&o.profile, "profile", false, "measure every operation: a table at the end, and profile.txt and trace.json, for ui.perfetto.dev, in the run directory")
	f.BoolVar(&o.lrFind, "lr-find", false, "try learning rates from 1e-7 to 10 in 100 steps and suggest one: lr-find.csv, .png and .svg in the directory of -out, or here")
	f.BoolVar(&o.list, "list", false, "list data sets, models, optimizers and schedules")
	return f
}

// besideResume are the flags that do not say what a run is.
var besideResume = []string{"resume", "threads", "min-acc", "quiet", "profile", "data-dir"}

var about = cli.About{Intro: "Train trains a network and saves it.", Usage: "train [flags]",
	Status: "0 done, 1 failed, 2 wrong usage, 4 test accuracy below -min-acc, 130 interrupted"}

// parse reads the command line. help tells that it asked for the flags, which
// are then written to stdout.
func parse(args []string, stdout io.Writer) (o *options, help bool, err error) {
	o = &options{}
	f := o.flags()
	o.Set = f
	if o.Given, help, err = cli.Parse(f, args, about, stdout); err != nil || help {
		return nil, help, err
	}
	if f.NArg() > 0 {
		return nil, false, cli.Usagef("unexpected argument %q; all settings are flags, as in -model lenet", f.Arg(0))
	}
	return o, false, o.check()
}

// The largest counts that the flags take: more epochs than anyone waits for,
// more threads than any machine has processors.
const (
	maxEpochs  = 1_000_000_000
	maxThreads = 1024
)

func (o *options) check() error {
	if o.resume != "" {
		for name := range o.Given {
			if !slices.Contains(besideResume, name) {
				return cli.Usagef("-resume goes on with a run as it was; -%s is not allowed beside it (allowed: -%s)", name, strings.Join(besideResume[1:], ", -"))
			}
		}
	}
	if err := o.NotEmpty("data", "data-dir", "model", "opt", "group", "schedule", "precision", "out", "resume", "watch", "snapshots"); err != nil {
		return err
	}
	if err := errors.Join(o.Count("epochs", o.Epochs, maxEpochs), o.Count("batch", o.Batch, math.MaxInt), o.Count("limit", o.Limit, math.MaxInt),
		o.Count("threads", o.threads, maxThreads), o.Number("lr", o.lr), o.Number("weight-decay", o.weightDecay), o.Number("clip", o.clip)); err != nil {
		return err
	}
	if o.lrFind {
		if err := o.findable(); err != nil {
			return err
		}
	}
	switch {
	case !(o.minAcc >= 0 && o.minAcc <= 1):
		return cli.Usagef("-min-acc is %v; allowed are accuracies from 0 to 1, as 0.97", o.minAcc)
	case o.Given["clip"] && o.clip == 0:
		return cli.Usagef("-clip is 0; allowed are norms above 0")
	}
	if err := o.Spec.Check(); err != nil {
		return cli.Usage(err)
	}
	if _, err := parseWatch(o.Watch); err != nil {
		return err
	}
	if _, err := parseSnapshots(o.Snapshots); err != nil {
		return err
	}
	return o.Absolute()
}

// optimizer spells the optimizer of the flags as one specification.
func (o *options) optimizer() (string, error) {
	given := func(name string, v *float64) *float64 {
		if o.Given[name] {
			return v
		}
		return nil
	}
	return task.Optimizer(o.Opt, task.Tuning{LR: given("lr", &o.lr), WeightDecay: given("weight-decay", &o.weightDecay),
		Clip: given("clip", &o.clip), Groups: o.groups, Schedule: o.schedule, Epochs: o.Epochs})
}
