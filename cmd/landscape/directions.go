package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/train"
)

// chosen is the plane of a surface.
type chosen struct {
	plane     *landscape.Plane
	names     [2]string
	points    [][]float64 // that it is made of, besides the weights
	explained []number    // shares of their variance
}

// choose makes the plane through the weights, at centre, that -directions asks for.
func choose[T train.Float](ctx context.Context, e *env, s *surfaceSettings, p *landscape.Model[T], t *task.Task, centre []float64, way []waypoint) (c chosen, err error) {
	plane := &landscape.Plane{Centre: centre}
	c.plane, c.names = plane, [2]string{"first random direction", "second random direction"}
	scaling, err := landscape.ParseScaling(s.Scale)
	if err != nil {
		return c, err
	}
	random := func(k uint64) ([]float64, error) {
		return landscape.RandomDirection(centre, p.Layout, scaling, s.Keep, 2*e.seed+k)
	}
	switch s.Directions {
	case "random":
		if plane.A, err = random(0); err == nil {
			plane.B, err = random(1)
		}
	case "gradient":
		c.names[0] = "gradient"
		if plane.A, _, err = p.Gradient(); err == nil {
			// As long as the weights, so that the range means what it does elsewhere.
			landscape.Lengthen(plane.A, landscape.Distance(centre, make([]float64, len(centre))))
			plane.B, err = random(1)
		}
	case "eigen":
		c.names = [2]string{"eigenvector of the largest eigenvalue", "eigenvector of the second"}
		e.progress(false, "looking for the two largest eigenvalues")
		var pairs *landscape.Eigenpairs
		if pairs, err = landscape.Eigen(ctx, p.Hessian(), landscape.EigenOptions{Count: 2, Seed: e.seed, Start: e.saved(len(centre), 2)}); err == nil {
			plane.A, plane.B = pairs.Pairs[0].Vector, pairs.Pairs[1].Vector
		}
	default:
		if c.points, err = parameters[T](e, t, way); err != nil {
			return c, err
		}
		if s.Directions == "runs" {
			c.names = [2]string{"towards " + filepath.Base(s.ends()[0]), "towards " + filepath.Base(s.ends()[1])}
			plane.A, plane.B = landscape.Difference(c.points[0], centre), landscape.Difference(c.points[1], centre)
			return c, nil
		}
		var share [2]float64
		if c.plane, share, err = landscape.Principal(append(slices.Clone(c.points), centre)); err == nil {
			c.names = [2]string{fmt.Sprintf("first principal component (%.1f %%)", 100*share[0]), fmt.Sprintf("second principal component (%.1f %%)", 100*share[1])}
			c.explained = numbers(share[:])
		}
	}
	return c, err
}

// vectorsFile is where spectrum saves the eigenvectors of a matrix.
func (e *env) vectorsFile(matrix string) string {
	return filepath.Join(e.out, "eigenvectors-"+matrix+".safetensors")
}

// saved are some of the Hessian's eigenvectors of n numbers that spectrum has saved, or
// none. A search that begins with them is soon done where they are of the same weights,
// and as right as any where they are not.
func (e *env) saved(n, some int) (list [][]float64) {
	pairs, err := landscape.LoadVectors(e.vectorsFile("hessian"), n)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			e.progress(true, "%v; looking for eigenvectors from the beginning", err)
		}
		return nil
	}
	for _, p := range pairs[:min(some, len(pairs))] {
		list = append(list, p.Vector)
	}
	e.progress(true, "beginning with the eigenvectors that spectrum has saved")
	return list
}
