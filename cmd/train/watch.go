package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// watches are what -watch asks for; nil is what it does not.
type watches struct {
	curvature *landscape.WatchOptions
	symmetry  int // steps from one measurement to the next; 0 for none
}

// parseWatch reads -watch: words with settings, joined by +, as
// curvature:every=100,examples=1000,layers+symmetry:every=10.
func parseWatch(spec string) (w watches, err error) {
	if spec == "" {
		return w, nil
	}
	words := []string{"curvature", "symmetry"}
	for one := range strings.SplitSeq(spec, "+") {
		name, list, _ := strings.Cut(one, ":")
		switch {
		case !slices.Contains(words, name):
			return w, cli.Usagef("-watch: unknown word %q; allowed are %s, and both joined by +%s", name, strings.Join(words, " and "), spell.Hint(name, words))
		case name == "curvature" && w.curvature != nil || name == "symmetry" && w.symmetry > 0:
			return w, cli.Usagef("-watch: %s is given twice", name)
		case name == "curvature":
			w.curvature, err = parseCurvature(list)
		default:
			w.symmetry = 100
			err = readSettings("watch", list, []string{"every"}, func(_, value string, _ bool) (string, error) {
				var err error
				w.symmetry, err = whole(value, 1)
				return "whole numbers from 1 on", err
			})
		}
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// parseCurvature reads the settings of curvature.
func parseCurvature(list string) (*landscape.WatchOptions, error) {
	o := &landscape.WatchOptions{}
	return o, readSettings("watch", list, []string{"every", "examples", "tol", "layers"}, func(key, value string, given bool) (allowed string, err error) {
		allowed = "whole numbers from 1 on"
		switch key {
		case "every":
			o.Steps, err = whole(value, 1)
		case "examples":
			allowed = "whole numbers from 2 on"
			o.Examples, err = whole(value, 2)
		case "tol":
			allowed = "numbers between 0 and 1"
			if o.Tol, err = strconv.ParseFloat(value, 64); err == nil && !(o.Tol > 0 && o.Tol < 1) {
				err = strconv.ErrRange
			}
		case "layers":
			allowed = "true and false"
			if o.Layers = true; given {
				o.Layers, err = strconv.ParseBool(value)
			}
		}
		return allowed, err
	})
}

// readSettings reads the list of settings of a flag: set gives what a setting
// allows, and an error for what it does not.
func readSettings(name, list string, known []string, set func(key, value string, given bool) (allowed string, err error)) error {
	if list == "" {
		return nil
	}
	for item := range strings.SplitSeq(list, ",") {
		key, value, given := strings.Cut(item, "=")
		if !slices.Contains(known, key) {
			return cli.Usagef("-%s: unknown setting %q; allowed are %s%s", name, key, strings.Join(known, ", "), spell.Hint(key, known))
		}
		if allowed, err := set(key, value, given); err != nil {
			return cli.Usagef("-%s: %s is %q; allowed are %s", name, key, value, allowed)
		}
	}
	return nil
}

// whole reads a number from least on.
func whole(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && (n < least || n > math.MaxInt32) {
		err = strconv.ErrRange
	}
	return n, err
}

// watch adds what -watch asks for to c, and gives what says its cost in the end.
func watch[T train.Float](o *options, c *train.Config, m *nn.Model[T], t *task.Task) (cost func(io.Writer), err error) {
	set, err := parseWatch(o.Watch)
	if err != nil {
		return nil, err
	}
	var costs []func(io.Writer)
	if set.curvature != nil {
		set.curvature.Seed = o.Seed
		w, err := landscape.NewCurvatureWatch(m, t.Train, *set.curvature)
		if err != nil {
			return nil, err
		}
		c.Watch = append(c.Watch, w)
		costs = append(costs, func(out io.Writer) {
			fmt.Fprintf(out, "curvature watched %d times in %.1f s, on %d examples every %d steps\n", w.Count, w.Seconds, w.WatchOptions.Examples, w.Every())
		})
	}
	if set.symmetry > 0 {
		w, err := landscape.NewSymmetryWatch(m, c.Optimizer, set.symmetry)
		if err != nil {
			return nil, fmt.Errorf("-watch symmetry: %w", err)
		}
		c.Watch = append(c.Watch, w)
		costs = append(costs, func(out io.Writer) {
			fmt.Fprintf(out, "symmetries watched %d times in %.1f s: %d conserved quantities, followed at every step\n", w.Count, w.Seconds, len(w.Of))
		})
	}
	return func(out io.Writer) {
		for _, f := range costs {
			f(out)
		}
	}, nil
}
