package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// About is what -h says around the flags.
type About struct {
	Intro  string // what the command does, a sentence or more
	Usage  string // as "train [flags]"
	Status string // the exit statuses
}

// Parse parses the arguments; given are the flags among them. help tells that
// they asked for the flags, which are then written to stdout. Errors are of
// usage, say what is allowed and name the nearest flag.
func Parse(f *flag.FlagSet, args []string, about About, stdout io.Writer) (given map[string]bool, help bool, err error) {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stdout, "%s\n\nusage: %s\n\n", about.Intro, about.Usage)
			f.SetOutput(stdout)
			f.PrintDefaults()
			fmt.Fprintf(stdout, "\nexit status: %s\n", about.Status)
			return nil, true, nil
		}
		return nil, false, UsageError{flagError(err, f)}
	}
	given = map[string]bool{}
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	return given, false, nil
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
	getter, ok := g.Value.(flag.Getter)
	if !ok {
		return err // a type of the command's own says what it takes
	}
	allowed := "numbers, as 0.1 or 1e-3"
	switch getter.Get().(type) {
	case int:
		allowed = "whole numbers from 1 on"
	case uint64:
		allowed = fmt.Sprintf("whole numbers from 0 to %d", uint64(math.MaxUint64))
	case bool:
		allowed = "true and false"
	}
	return fmt.Errorf("-%s is %q; allowed are %s", name, value, allowed)
}

// Values checks the values of flags that are on the command line.
type Values struct {
	Set   *flag.FlagSet
	Given map[string]bool
}

// Count checks a whole number from 1 to most.
func (v Values) Count(name string, n, most int) error {
	if v.Given[name] && (n < 1 || n > most) {
		if most == math.MaxInt {
			return Usagef("-%s is %d; allowed are 1 and more", name, n)
		}
		return Usagef("-%s is %d; allowed are 1 to %d", name, n, most)
	}
	return nil
}

// Number checks a finite number from 0 on.
func (v Values) Number(name string, x float64) error {
	if v.Given[name] && (x < 0 || math.IsInf(x, 0) || math.IsNaN(x)) {
		return Usagef("-%s is %v; allowed are finite numbers from 0 on", name, x)
	}
	return nil
}

// NotEmpty checks that each of these flags has a value.
func (v Values) NotEmpty(names ...string) error {
	for _, name := range names {
		if g := v.Set.Lookup(name); v.Given[name] && g.Value.String() == "" {
			return Usagef("-%s is empty; give it a value, or leave it out", name)
		}
	}
	return nil
}
