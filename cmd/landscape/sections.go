package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/train"
)

// profile is the loss along one direction of a plane, through the weights.
type profile struct {
	At       []number `json:"at"`
	Training []number `json:"training"`
	Test     []number `json:"test"`
}

// fillSections measures the sections that are not there, on the training and the
// test examples.
func fillSections[T train.Float](ctx context.Context, e *env, r *surfaceResult, list []*landscape.Model[T], plane *landscape.Plane) error {
	for k := len(r.Sections); k < 2; k++ {
		direction, at := plane.A, floats(r.A)
		if k == 1 {
			direction, at = plane.B, floats(r.B)
		}
		end := make([]float64, len(plane.Centre))
		for i := range end {
			end[i] = plane.Centre[i] + direction[i]
		}
		s := profile{At: numbers(at)}
		for i, dst := range []*[]number{&s.Training, &s.Test} {
			for j := range at { // a point at a time, so that the wait has an end in sight
				loss, err := list[i].Line(ctx, plane.Centre, end, at[j:j+1])
				if err != nil {
					return err
				}
				*dst = append(*dst, numbers(loss)...)
				e.progress(false, "sections: %d of %d losses", (2*k+i)*len(at)+j+1, 4*len(at))
			}
		}
		r.Sections = append(r.Sections, s)
		if err := e.save("surface.json", r); err != nil {
			return err
		}
	}
	return nil
}

// publishSections writes the table and the picture of the sections.
func (r *surfaceResult) publishSections(e *env, linear bool) error {
	var rows [][]string
	c := chart.Chart{Title: "Loss along the directions of the plane, through the weights", X: chart.Axis{Label: "a or b"}, Y: chart.Axis{Label: "loss"}}
	low := math.Inf(1)
	for k, s := range r.Sections {
		name := []string{"a", "b"}[k]
		for i, at := range s.At {
			rows = append(rows, []string{name, text(float64(at)), text(float64(s.Training[i])), text(float64(s.Test[i]))})
			low = min(low, float64(s.Training[i]), float64(s.Test[i]))
		}
		for dash, y := range [][]number{s.Training, s.Test} {
			c.Series = append(c.Series, chart.Series{Name: fmt.Sprintf("along %s, %s", name, []string{"training", "test"}[dash]), X: floats(s.At), Y: floats(y), Color: 1 + k, Dash: dash})
		}
	}
	c.Y.Log = !linear && low > 0
	if err := e.table("surface-sections.csv", []string{"direction", "at", "training_loss", "test_loss"}, rows); err != nil {
		return err
	}
	return c.Save(filepath.Join(e.out, "surface-sections"))
}
