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

// parseWatch reads -watch: curvature and its settings, as
// curvature:every=100,examples=1000,layers. It gives nil for nothing.
func parseWatch(spec string) (*landscape.WatchOptions, error) {
	if spec == "" {
		return nil, nil
	}
	name, list, _ := strings.Cut(spec, ":")
	if name != "curvature" {
		return nil, cli.Usagef("-watch: unknown word %q; allowed is curvature%s", name, spell.Hint(name, []string{"curvature"}))
	}
	o := &landscape.WatchOptions{}
	known := []string{"every", "examples", "tol", "layers"}
	for item := range strings.SplitSeq(list, ",") {
		if list == "" {
			break
		}
		key, value, given := strings.Cut(item, "=")
		if !slices.Contains(known, key) {
			return nil, cli.Usagef("-watch: unknown setting %q; allowed are %s%s", key, strings.Join(known, ", "), spell.Hint(key, known))
		}
		var err error
		allowed := "whole numbers from 1 on"
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
		if err != nil {
			return nil, cli.Usagef("-watch: %s is %q; allowed are %s", key, value, allowed)
		}
	}
	return o, nil
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
	if err != nil || set == nil {
		return func(io.Writer) {}, err
	}
	set.Seed = o.Seed
	w, err := landscape.NewCurvatureWatch(m, t.Train, *set)
	if err != nil {
		return nil, err
	}
	c.Watch = append(c.Watch, w)
	return func(out io.Writer) {
		fmt.Fprintf(out, "curvature watched %d times in %.1f s, on %d examples every %d steps\n", w.Count, w.Seconds, w.WatchOptions.Examples, w.Every())
	}, nil
}
