package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/train"
)

// waypoint is a file of weights that a plane is made of.
type waypoint struct {
	name, path string
	step       int       // -1 where it is not known before the file is read
	buffers    []float64 // of the model, when it has been
}

// maxWaypoints are the snapshots that are held in memory at once.
const maxWaypoints = 200

// waypoints are the runs or checkpoints of -to, or the snapshots of the run.
func (s *surfaceSettings) waypoints(e *env) ([]waypoint, error) {
	var list []waypoint
	for _, end := range s.ends() {
		path := end
		if !strings.HasSuffix(end, ".safetensors") {
			var err error
			if path, err = weights(end, e.checkpoint); err != nil {
				return nil, err
			}
		}
		list = append(list, waypoint{name: filepath.Base(end), path: path, step: -1})
	}
	if !s.ofSnapshots() {
		return list, nil
	}
	snapshots, err := e.snapshots(2)
	if err != nil {
		return nil, err
	}
	kept := thin(snapshots, maxWaypoints)
	if len(kept) < len(snapshots) {
		e.progress(true, "%d of the %d snapshots, as far apart as they get", len(kept), len(snapshots))
	}
	for _, one := range kept {
		list = append(list, waypoint{name: fmt.Sprint("step ", one.Step), path: one.Path, step: one.Step})
	}
	s.Snapshots = len(list)
	return list, nil
}

// ofSnapshots tells whether the plane is that of the run's own way.
func (s *surfaceSettings) ofSnapshots() bool { return s.Directions == "checkpoints" && s.To == "" }

// snapshots are those of the run, which must be so many at least.
func (e *env) snapshots(least int) ([]train.Snapshot, error) {
	list, err := train.ListSnapshots(e.dir)
	if err == nil && len(list) < least {
		err = fmt.Errorf("%s has %d snapshots, %s needs %d and more: train with -snapshots, as -snapshots epoch", e.dir, len(list), e.name, least)
	}
	return list, err
}

// thin is at most so many of a list, the first and the last among them, with as
// many left out between each two.
func thin[E any](list []E, most int) []E {
	if len(list) <= most {
		return list
	}
	out := make([]E, most)
	for i := range out {
		out[i] = list[i*(len(list)-1)/(most-1)]
	}
	return out
}

// parameters are those in the files, whose steps and buffers are noted.
func parameters[T train.Float](e *env, t *task.Task, way []waypoint) (points [][]float64, err error) {
	m, err := task.Build[T](t, e.spec)
	if err != nil {
		return nil, err
	}
	for i := range way {
		notes, err := read(way[i].path, m)
		if err != nil {
			return nil, err
		}
		way[i].step, way[i].buffers = stepOf(notes), wide(m.Buffers)
		points = append(points, wide(m.Params))
	}
	return points, nil
}

// axes are the places of the plane: from -R to R, or what holds the points and the
// weights, at 0, with a fifth more on each side.
func (s *surfaceSettings) axes(plane *landscape.Plane, points [][]float64) (a, b []float64, err error) {
	if reach := cmp.Or(s.Range, 1); s.Range > 0 || len(points) == 0 {
		a = landscape.Linspace(-reach, reach, s.Points)
		return a, a, nil
	}
	at := [2][]float64{{0}, {0}}
	for _, x := range points {
		a, b, _, err := plane.Coordinates(x)
		if err != nil {
			return nil, nil, err
		}
		at[0], at[1] = append(at[0], a), append(at[1], b)
	}
	axis := func(x []float64) []float64 {
		low, high := slices.Min(x), slices.Max(x)
		more := (high - low) / 5
		return landscape.Linspace(low-more, high+more, s.Points)
	}
	return axis(at[0]), axis(at[1]), nil
}

// place is where x lies on the plane, and what the plane's loss is there.
func place[T train.Float](ctx context.Context, p *landscape.Model[T], plane *landscape.Plane, from waypoint, x []float64) (onPlane, error) {
	a, b, away, err := plane.Coordinates(x)
	if err != nil {
		return onPlane{}, err
	}
	there := landscape.NewGrid([]float64{a}, []float64{b})
	if err := p.Fill(ctx, there, plane, nil); err != nil {
		return onPlane{}, err
	}
	return onPlane{Name: from.name, Step: from.step, A: number(a), B: number(b), Away: number(away), Plane: number(there.Loss[0])}, nil
}
