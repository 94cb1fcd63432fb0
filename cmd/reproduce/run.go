package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/experiments"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// errMissed is for a tolerance that is missed, which has been told.
var errMissed = errors.New("missed")

// run is the command: it writes results to stdout, notes and progress to stderr
// and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	if errors.Is(err, errMissed) {
		return cli.ExitFailed
	}
	return cli.Status(ctx, "reproduce", err, stderr)
}

var about = cli.About{Intro: "Reproduce runs the experiment of a paper and puts the paper's numbers beside those found.", Usage: "reproduce [flags] experiment",
	Status: "0 all tolerances met, 1 one missed or failed, 2 wrong usage, 130 interrupted"}

// options are the command line.
type options struct {
	cli.Values
	out     string
	dataDir string
	seed    uint64
	threads int
	full    bool
	list    bool
	quiet   bool
}

const maxThreads = 1024

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("reproduce", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "", "`directory`; what is done there is not done again (default: runs/reproduce-NAME, with -full runs/reproduce-NAME-full)")
	f.StringVar(&o.dataDir, "data-dir", "", "`folder` with the files of data sets (default: $SADDLE_DATA, the user's cache, the network)")
	f.Uint64Var(&o.seed, "seed", 0, "the first of the experiment's seeds")
	f.IntVar(&o.threads, "threads", 0, "processors to use (default: all)")
	f.BoolVar(&o.full, "full", false, "the longer form of the experiment, where there is one")
	f.BoolVar(&o.list, "list", false, "list the experiments with what they claim")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress")
	return f
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := &options{}
	o.Set = o.flags()
	names, help, err := o.parse(args, stdout)
	if err != nil || help {
		return err
	}
	if o.list {
		return list(stdout)
	}
	if len(names) != 1 {
		return cli.Usagef("%d experiments are named; name one, as in reproduce sparse-features (-list shows all)", len(names))
	}
	x, err := experiments.ByName(names[0])
	if err != nil {
		return err
	}
	if o.threads > 0 {
		runtime.GOMAXPROCS(o.threads)
	}
	if o.full && x.Full == "" {
		return cli.Usagef("-full: %s has no longer form", x.Name)
	}
	e := &experiments.Env{Dir: o.out, Full: o.full, Seed: o.seed, Data: o.dataDir}
	if e.Dir == "" {
		e.Dir = filepath.Join("runs", "reproduce-"+x.Name)
		if o.full {
			e.Dir += "-full"
		}
	}
	e.Note = func(format string, args ...any) {
		if !o.quiet {
			fmt.Fprintf(stderr, format+"\n", args...)
		}
	}
	e.Observe = func(j study.Job) []train.Observer {
		if o.quiet {
			return nil
		}
		e.Note("%s, seed %d", j.Opt, j.Seed)
		return []train.Observer{train.Bar(stderr)}
	}
	takes := x.Takes
	if o.full {
		takes = x.Full
	}
	e.Note("%s in %s: %s", x.Name, e.Dir, takes)
	r, err := experiments.Run(ctx, x, e, stdout)
	if err != nil {
		if _, begun := os.Stat(filepath.Join(e.Dir, "study.json")); begun == nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			fmt.Fprintf(stderr, "saved; go on with: %s %s\n", cli.Invocation("reproduce"), o.again(x.Name, e.Dir))
		}
		return err
	}
	if _, err := fmt.Fprintf(stdout, "\nsaved in %s\n", e.Dir); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if missed := r.Missed(); len(missed) > 0 {
		for _, row := range missed {
			fmt.Fprintf(stderr, "reproduce: %s: %s is %s; wanted %s\n", x.Name, row.What, row.Want.Number(row.Ours), row.Want)
		}
		return errMissed
	}
	return nil
}

// parse takes flags before and after the experiment's name.
func (o *options) parse(args []string, stdout io.Writer) (names []string, help bool, err error) {
	o.Given = map[string]bool{}
	for {
		given, help, err := cli.Parse(o.Set, args, about, stdout)
		if err != nil || help {
			return nil, help, err
		}
		for name := range given {
			o.Given[name] = true
		}
		if o.Set.NArg() == 0 {
			break
		}
		names, args = append(names, o.Set.Arg(0)), o.Set.Args()[1:]
	}
	if err := o.NotEmpty("out", "data-dir"); err != nil {
		return nil, false, err
	}
	if err := o.Count("threads", o.threads, maxThreads); err != nil {
		return nil, false, err
	}
	if o.dataDir != "" {
		if o.dataDir, err = filepath.Abs(o.dataDir); err != nil {
			return nil, false, err
		}
	}
	return names, false, nil
}

// again are the arguments that go on.
func (o *options) again(name, dir string) string {
	args := []string{"-out", cli.Quoted(dir)}
	if o.full {
		args = append(args, "-full")
	}
	if o.Given["seed"] {
		args = append(args, fmt.Sprintf("-seed %d", o.seed))
	}
	if o.dataDir != "" {
		args = append(args, "-data-dir", cli.Quoted(o.dataDir))
	}
	return strings.Join(append(args, name), " ")
}

// list writes all experiments with what they claim.
func list(w io.Writer) error {
	for _, x := range experiments.All() {
		full := ""
		if x.Full != "" {
			full = "\n  -full:  " + x.Full
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n  paper:  %s\n  claim:  %s\n  takes:  %s%s\n\n", x.Name, x.About, x.Paper, x.Claim, x.Takes, full); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
	return nil
}
