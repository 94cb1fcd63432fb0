package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
)

// A measurement is what a word after the command measures.
type measurement struct {
	name  string
	about string // a sentence
	// flags adds its own flags and gives what they run.
	flags func(f *flag.FlagSet) func(ctx context.Context, e *env) error
}

// measurements lists all, in the order of the help.
func measurements() []measurement {
	return []measurement{spectrumMeasurement, surfaceMeasurement, pathMeasurement, symmetryMeasurement, sharpnessMeasurement, noiseMeasurement, featuresMeasurement, reportMeasurement}
}

// run is the command: it writes results to stdout, notes and progress to stderr
// and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "landscape", command(ctx, args, stdout, stderr), stderr)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	list := measurements()
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		fmt.Fprintf(stdout, "Landscape measures the loss around the weights of a run.\n\nusage: landscape MEASUREMENT RUN [flags]\n\n")
		for _, m := range list {
			fmt.Fprintf(stdout, "  %-10s %s\n", m.name, m.about)
		}
		fmt.Fprintf(stdout, "\nRUN is a directory that cmd/train made. landscape MEASUREMENT -h lists the flags.\n")
		if len(args) == 0 {
			return cli.Usagef("no measurement given")
		}
		return nil
	}
	var names []string
	for _, m := range list {
		names = append(names, m.name)
	}
	at := slices.Index(names, args[0])
	if at < 0 {
		return cli.Usagef("unknown measurement %q; known are %s%s", args[0], strings.Join(names, ", "), spell.Hint(args[0], names))
	}
	m := list[at]
	e := &env{stdout: stdout, stderr: stderr}
	f := flag.NewFlagSet(m.name, flag.ContinueOnError)
	e.flags(f)
	measure := m.flags(f)
	// The run may stand before or behind the flags.
	var dirs []string
	rest := args[1:]
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		dirs, rest = append(dirs, rest[0]), rest[1:]
	}
	about := cli.About{Intro: m.about + ".", Usage: "landscape " + m.name + " RUN [flags]", Status: "0 done, 1 failed, 2 wrong usage, 130 interrupted"}
	given, help, err := cli.Parse(f, rest, about, stdout)
	if err != nil || help {
		return err
	}
	dirs = append(dirs, f.Args()...)
	if len(dirs) != 1 {
		return cli.Usagef("%d runs given (%s); %s measures one", len(dirs), strings.Join(dirs, ", "), m.name)
	}
	e.dir, e.name = dirs[0], m.name
	if err := e.open(cli.Values{Set: f, Given: given}); err != nil {
		return err
	}
	return measure(ctx, e)
}
