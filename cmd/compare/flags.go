package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
)

// settings are what a study is made of: study.json keeps them for -resume.
type settings struct {
	task.Spec          // its seed is the first one
	Opts      []string `json:"opts"` // as they were given
	Schedule  string   `json:"schedule,omitempty"`
	Epochs    int      `json:"epochs"`
	Batch     int      `json:"batch"`
	Seeds     int      `json:"seeds"`
	Points    int      `json:"points"`
	Target    string   `json:"target,omitempty"`
	Seconds   float64  `json:"seconds,omitempty"`
	Suite     string   `json:"suite,omitempty"`
	Tune      int      `json:"tune,omitempty"`
	Sweep     string   `json:"sweep,omitempty"`
	Trials    int      `json:"trials,omitempty"`
	Objective string   `json:"objective,omitempty"`
}

// options are the command line.
type options struct {
	settings
	cli.Values
	threads int
	out     string
	resume  string
	quiet   bool
	list    bool
}

// words are the values of a flag that may be given many times.
type words []string

func (w *words) String() string     { return strings.Join(*w, " ") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

// defaultOpts are compared where no -opt says otherwise.
var defaultOpts = []string{"sgd:momentum=0.9,nesterov=true", "adam", "hf"}

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	o.Spec.Flags(f)
	f.Var((*words)(&o.Opts), "opt", "`optimizer` with settings, as sgd:momentum=0.9; give it once for each; \"list\" shows all (default "+strings.Join(defaultOpts, ", ")+")")
	f.StringVar(&o.Schedule, "schedule", "", "learning rate `schedule` of the methods that have a rate and no schedule of their own (default onecycle)")
	f.IntVar(&o.Epochs, "epochs", 3, "passes over the training set")
	f.IntVar(&o.Batch, "batch", 0, "examples in a minibatch (default: what each optimizer works best with, or 128)")
	f.IntVar(&o.Seeds, "seeds", 3, "runs of each method, from so many `seeds` (1 by default with -sweep, 2 with -suite)")
	f.Uint64Var(&o.Seed, "seed", 0, "the first of the seeds, and that of random trials")
	f.IntVar(&o.Points, "points", 10, "measurements in an epoch")
	f.StringVar(&o.Target, "target", "", "end each run at this `measure`, as test_accuracy=0.98; known are "+strings.Join(study.Measures(), ", "))
	f.Float64Var(&o.Seconds, "seconds", 0, "end each run after so many `seconds` of training")
	f.StringVar(&o.Suite, "suite", "", "time to target on a fixed `set` of tasks: small (see -list)")
	f.IntVar(&o.Tune, "tune", 0, "with -suite: settings by the best of so many random `trials` a method and task (default: the methods' defaults)")
	f.StringVar(&o.Sweep, "sweep", "", "search over `settings`, as lr=1e-4:1e-1:log,momentum=0|0.9 or epochs=2|5: all of a grid, or -trials of them at random")
	f.IntVar(&o.Trials, "trials", 0, "with -sweep: try so many at random")
	f.StringVar(&o.Objective, "objective", "", "with -sweep: the `measure` to search by at the end of a run, or seconds, work or steps to the -target (default: val_accuracy or val_squared_error; seconds with a -target)")
	f.IntVar(&o.threads, "threads", 0, "processors to use (default: all)")
	f.StringVar(&o.out, "out", "", "`directory` of the study; one that is there is taken up (default: a new one in runs)")
	f.StringVar(&o.resume, "resume", "", "go on with the study in this `directory`")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress")
	f.BoolVar(&o.list, "list", false, "list data sets, models, optimizers, schedules and suites")
	return f
}

var about = cli.About{Intro: "Compare trains a task with many optimizers and tells how they did.", Usage: "compare [flags]",
	Status: "0 done, 1 failed, 2 wrong usage, 130 interrupted"}

// besideResume are the flags that do not say what a study is.
var besideResume = []string{"resume", "threads", "quiet"}

// besideSuite are the flags that say nothing about tasks.
var besideSuite = []string{"suite", "opt", "seeds", "seed", "tune", "data-dir", "schedule", "precision", "threads", "out", "quiet"}

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

// The largest counts that the flags take.
const (
	maxEpochs  = 1_000_000_000
	maxSeeds   = 10_000
	maxTrials  = 100_000
	maxThreads = 1024
)

func (o *options) check() error {
	for _, rule := range []struct {
		flag   string
		beside []string
		why    string
	}{
		{"resume", besideResume, "-resume goes on with a study as it was"},
		{"suite", besideSuite, "-suite has its own tasks"},
	} {
		for name := range o.Given {
			if o.Given[rule.flag] && !slices.Contains(rule.beside, name) {
				return cli.Usagef("%s; -%s is not allowed beside it (allowed: -%s)", rule.why, name, strings.Join(rule.beside[1:], ", -"))
			}
		}
	}
	if err := o.NotEmpty("data", "data-dir", "model", "opt", "schedule", "precision", "out", "resume", "target", "suite", "sweep", "objective"); err != nil {
		return err
	}
	if err := errors.Join(o.Count("epochs", o.Epochs, maxEpochs), o.Count("batch", o.Batch, math.MaxInt), o.Count("limit", o.Limit, math.MaxInt),
		o.Count("seeds", o.Seeds, maxSeeds), o.Count("points", o.Points, math.MaxInt), o.Count("tune", o.Tune, maxTrials), o.Count("trials", o.Trials, maxTrials),
		o.Count("threads", o.threads, maxThreads), o.Number("seconds", o.Seconds)); err != nil {
		return err
	}
	switch {
	case o.Given["tune"] && !o.Given["suite"]:
		return cli.Usagef("-tune is for -suite; -sweep searches over the settings of one task")
	case (o.Given["trials"] || o.Given["objective"]) && !o.Given["sweep"]:
		return cli.Usagef("-trials and -objective are for -sweep, as in -sweep lr=1e-4:1e-1:log -trials 20")
	case o.Given["seconds"] && o.Seconds == 0:
		return cli.Usagef("-seconds is 0; allowed are numbers above 0")
	case o.Suite != "" && suiteByName(o.Suite) == nil:
		return cli.Usagef("there is no suite %q; known are %s%s", o.Suite, strings.Join(suiteNames(), ", "), spell.Hint(o.Suite, suiteNames()))
	}
	if len(o.Opts) == 0 {
		o.Opts = defaultOpts
	}
	if !o.Given["seeds"] {
		switch {
		case o.Sweep != "":
			o.Seeds = 1
		case o.Suite != "":
			o.Seeds = 2
		}
	}
	if err := o.Spec.Check(); err != nil {
		return cli.Usage(err)
	}
	if o.Target != "" {
		if _, err := study.ParseTarget(o.Target); err != nil {
			return cli.Usagef("-target: %w", err)
		}
	}
	return o.Absolute()
}

// method is an optimizer to compare.
type method struct {
	label string // as it was given
	spec  string // complete
}

// methods spells the optimizers out.
func (s *settings) methods() ([]method, error) {
	var list []method
	for _, opt := range s.Opts {
		spec, err := s.spelled(opt)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if m.spec == spec {
				return nil, cli.Usagef("-opt %s and -opt %s are the same: %s", m.label, opt, spec)
			}
		}
		list = append(list, method{opt, spec})
	}
	return list, nil
}

// spelled is an optimizer with its schedule; one without a learning rate has none.
func (s *settings) spelled(opt string) (string, error) {
	spec, err := task.Optimizer(opt, task.Tuning{Epochs: s.Epochs})
	if err != nil || s.Schedule == "" || spec == opt { // it has a schedule already, or no rate
		return spec, err
	}
	return task.Optimizer(opt, task.Tuning{Schedule: s.Schedule, Epochs: s.Epochs})
}

// job is a run of a method on the task of the settings.
func (s *settings) job(m method, seed int) study.Job {
	j := study.Job{Spec: s.Spec, Opt: m.spec, Epochs: s.Epochs, Batch: s.Batch, Points: s.Points, Target: s.Target, Seconds: s.Seconds}
	j.Seed += uint64(seed)
	return j
}

// kind is what the study is called.
func (s *settings) kind() string {
	switch {
	case s.Suite != "":
		return "suite"
	case s.Sweep != "":
		return "sweep"
	}
	return "comparison"
}

// name is the beginning of the name of the study's directory.
func (s *settings) name(data string) string {
	switch s.kind() {
	case "suite":
		return "suite-" + s.Suite
	case "sweep":
		return fmt.Sprintf("sweep-%s-%s", data, plain(s.Model))
	}
	return fmt.Sprintf("compare-%s-%s", data, plain(s.Model))
}

// plain is a word that is a name of a file everywhere.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:/\*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, s)
}
