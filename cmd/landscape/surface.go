package main

import (
	"context"
	"flag"
	"math"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/train"
)

var surfaceMeasurement = measurement{"surface", "the loss on a plane around the weights: map, surface and a page to turn it",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &surfaceSettings{}
		f.StringVar(&s.Directions, "directions", "random", "random, eigen (of the two largest eigenvalues), gradient (and a random one), runs (towards -to A,B) or checkpoints (the plane that differs least from the run's snapshots, or from -to A,B,...)")
		f.StringVar(&s.Scale, "scale", "filter", "length of random directions, by filter, layer, weight or none")
		f.BoolVar(&s.Keep, "keep-biases", false, "random directions move biases and normalisations too")
		f.StringVar(&s.To, "to", "", "`runs` or checkpoint files, with commas between, of -directions runs and checkpoints")
		f.Float64Var(&s.Range, "range", 0, "the plane goes from -R to R times each direction (default 1; of runs and checkpoints what holds them all)")
		f.IntVar(&s.Points, "points", 31, "points of each side; an odd number has the weights themselves in the middle")
		batchNormFlag(f, &s.BatchNorm)
		f.BoolVar(&s.Linear, "linear", false, "colours by the loss and not by its logarithm")
		return func(ctx context.Context, e *env) error {
			if err := s.check(); err != nil {
				return err
			}
			if e.spec.Precision == "float64" {
				return measureSurface[float64](ctx, e, s)
			}
			return measureSurface[float32](ctx, e, s)
		}
	}}

type surfaceSettings struct {
	Directions string  `json:"directions"`
	Scale      string  `json:"scale"`
	Keep       bool    `json:"keep_biases"`
	To         string  `json:"to"`
	Range      float64 `json:"range"`
	Points     int     `json:"points"`
	Snapshots  int     `json:"snapshots,omitempty"` // that the plane is made of
	BatchNorm  string  `json:"batchnorm,omitempty"`
	Linear     bool    `json:"-"`
}

func (s *surfaceSettings) check() error {
	words := []string{"random", "eigen", "gradient", "runs", "checkpoints"}
	to := len(s.ends())
	switch {
	case !slices.Contains(words, s.Directions):
		return cli.Usagef("-directions is %q; allowed are %s%s", s.Directions, strings.Join(words, ", "), spell.Hint(s.Directions, words))
	case s.Points < 2 || !(s.Range >= 0) || math.IsInf(s.Range, 0):
		return cli.Usagef("-points %d -range %v; allowed are 2 and more, and numbers above 0", s.Points, s.Range)
	case s.Directions == "runs" && to != 2:
		return cli.Usagef("-directions runs needs two runs, as -to runs/a,runs/b")
	case s.Directions == "checkpoints" && to == 1:
		return cli.Usagef("-directions checkpoints needs two checkpoints and more, as -to runs/a,runs/b, or without -to the snapshots of the run")
	case (s.Directions != "runs" && s.Directions != "checkpoints") && to > 0:
		return cli.Usagef("-to is of -directions runs and checkpoints")
	}
	if err := checkBatchNorm(s.BatchNorm); err != nil {
		return err
	}
	_, err := landscape.ParseScaling(s.Scale)
	return cli.Usage(err)
}

func (s *surfaceSettings) ends() []string {
	if s.To == "" {
		return nil
	}
	return strings.Split(s.To, ",")
}

// surfaceResult is surface.json.
type surfaceResult struct {
	Made      made      `json:"made"`
	A         []number  `json:"a"`
	B         []number  `json:"b"`
	Loss      []number  `json:"loss"` // row by row of a; null is to be done
	NameA     string    `json:"name_a"`
	NameB     string    `json:"name_b"`
	LengthA   number    `json:"length_a"` // of the direction
	LengthB   number    `json:"length_b"`
	Explained []number  `json:"explained,omitempty"` // shares of variance, of checkpoints
	Points    []onPlane `json:"points"`
	Sections  []profile `json:"sections"` // through the weights, along a and along b
}

// onPlane is a point of parameters and its place on the plane.
type onPlane struct {
	Name  string `json:"name"`
	Step  int    `json:"step"` // -1 where it is not known
	A     number `json:"a"`
	B     number `json:"b"`
	Away  number `json:"distance_from_plane"`
	Loss  number `json:"loss"`
	Plane number `json:"loss_of_the_plane_there"`
}

func measureSurface[T train.Float](ctx context.Context, e *env, s *surfaceSettings) error {
	points, err := s.waypoints(e)
	if err != nil {
		return err
	}
	about, err := e.made(s)
	if err != nil {
		return err
	}
	r := &surfaceResult{}
	known, err := e.recall("surface.json", about, r)
	if err != nil {
		return err
	}
	if !known || len(r.Sections) < 2 || slices.ContainsFunc(r.Loss, func(v number) bool { return math.IsNaN(float64(v)) }) {
		if err := fillSurface[T](ctx, e, s, r, points, about, known); err != nil {
			return err
		}
	}
	return r.publish(e, s)
}

func fillSurface[T train.Float](ctx context.Context, e *env, s *surfaceSettings, r *surfaceResult, way []waypoint, about made, known bool) error {
	m, t, err := load[T](ctx, e)
	if err != nil {
		return err
	}
	if err := e.limited(t); err != nil {
		return err
	}
	list, _, err := sides(e, m, t)
	if err != nil {
		return err
	}
	p := list[0]
	stats, err := statistics(e, m, s.BatchNorm)
	if err != nil {
		return err
	}
	centre, buffers := wide(m.Params), wide(m.Buffers)
	if err := withStatistics(list, stats, buffers, buffers); err != nil {
		return err
	}
	c, err := choose(ctx, e, s, p, t, centre, way)
	if err != nil {
		return err
	}
	plane := c.plane
	if !known {
		a, b, err := s.axes(plane, c.points)
		if err != nil {
			return err
		}
		zero := make([]float64, len(centre))
		*r = surfaceResult{Made: about, A: numbers(a), B: numbers(b), Loss: numbers(landscape.NewGrid(make([]float64, s.Points), make([]float64, s.Points)).Loss),
			NameA: c.names[0], NameB: c.names[1], LengthA: number(landscape.Distance(plane.A, zero)), LengthB: number(landscape.Distance(plane.B, zero)), Explained: c.explained}
		way = append([]waypoint{{name: "the weights", step: e.step, buffers: buffers}}, way...)
		for i, x := range append([][]float64{centre}, c.points...) {
			e.progress(false, "surface: %d of %d points beside it", i+1, len(way))
			one, err := place(ctx, p, plane, way[i], x)
			if err != nil {
				return err
			}
			if stats == landscape.Frozen { // with the statistics that are its own
				if err := p.Freeze(way[i].buffers, way[i].buffers); err != nil {
					return err
				}
			}
			own, err := p.Line(ctx, x, x, []float64{0})
			if err != nil {
				return err
			}
			one.Loss = number(own[0])
			if err := withStatistics(list, stats, buffers, buffers); err != nil {
				return err
			}
			r.Points = append(r.Points, one)
		}
	}
	grid := &landscape.Grid{A: floats(r.A), B: floats(r.B), Loss: floats(r.Loss)}
	unsaved := 0
	err = p.Fill(ctx, grid, plane, func(i int) error {
		r.Loss[i] = number(min(grid.Loss[i], math.MaxFloat64))
		e.progress(false, "surface: %d of %d losses", i+1, len(grid.Loss))
		if unsaved++; unsaved%100 == 0 {
			return e.save("surface.json", r)
		}
		return nil
	})
	if saved := e.save("surface.json", r); err == nil {
		err = saved
	}
	if err != nil {
		return err
	}
	return fillSections(ctx, e, r, list, plane)
}
