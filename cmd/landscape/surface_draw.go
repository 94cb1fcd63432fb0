package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/saddle-ml/saddle/internal/chart"
)

// publish writes tables, pictures and the page, and prints.
func (r *surfaceResult) publish(e *env, s *surfaceSettings) error {
	var rows [][]string
	low, high, beyond := math.Inf(1), math.Inf(-1), 0
	shown := *r
	shown.Loss = slices.Clone(r.Loss)
	for i, v := range r.Loss {
		if v == math.MaxFloat64 { // as an overflow is saved
			shown.Loss[i] = number(math.Inf(1))
			beyond++
		} else {
			low, high = min(low, float64(v)), max(high, float64(v))
		}
		rows = append(rows, []string{text(float64(r.A[i/len(r.B)])), text(float64(r.B[i%len(r.B)])), text(float64(shown.Loss[i]))})
	}
	if err := e.table("surface.csv", []string{"a", "b", "loss"}, rows); err != nil {
		return err
	}
	c := chart.Surface{Title: "Training loss around the weights", X: chart.Axis{Label: r.NameA}, Y: chart.Axis{Label: r.NameB}, Label: "loss",
		XS: floats(r.A), YS: floats(r.B), Z: floats(shown.Loss), Log: !s.Linear && low > 0}
	if s.ofSnapshots() {
		way := r.way()
		line := chart.Series{Name: fmt.Sprintf("the way, steps %d to %d", way[0].Step, way[len(way)-1].Step), Markers: true, Color: 2}
		for _, p := range way {
			line.X, line.Y = append(line.X, float64(p.A)), append(line.Y, float64(p.B))
		}
		c.Series = append(c.Series, line)
	}
	for _, p := range r.Points {
		if s.ofSnapshots() && p.Name != r.Points[0].Name {
			continue
		}
		mark := chart.Series{Name: p.Name, X: []float64{float64(p.A)}, Y: []float64{float64(p.B)}, Markers: true, NoLine: true}
		if p.Name == r.Points[0].Name {
			mark.Color = 6 // pale: it stands where the map is darkest
		}
		c.Series = append(c.Series, mark)
	}
	if err := c.SaveMap(filepath.Join(e.out, "surface-map")); err != nil {
		return err
	}
	if err := c.Save3D(filepath.Join(e.out, "surface-3d")); err != nil {
		return err
	}
	if err := r.publishSections(e, s.Linear); err != nil {
		return err
	}
	page, err := surfacePage(&shown)
	if err != nil {
		return err
	}
	if err := e.write("surface.html", page); err != nil {
		return err
	}
	note := ""
	if beyond > 0 {
		note = fmt.Sprintf("; %d are not finite and not drawn", beyond)
	}
	fmt.Fprintf(e.stdout, "%d x %d losses from %.4g to %.4g%s\n", len(r.A), len(r.B), low, high, note)
	fmt.Fprintf(e.stdout, "a: %s, length %.4g\nb: %s, length %.4g\n", r.NameA, float64(r.LengthA), r.NameB, float64(r.LengthB))
	if err := r.publishWay(e, s); err != nil {
		return err
	}
	for _, p := range r.Points {
		if s.ofSnapshots() && p.Name != r.Points[0].Name {
			continue
		}
		fmt.Fprintf(e.stdout, "%s: loss %.4g at a = %.3g, b = %.3g; the plane, %.3g away, has %.4g there\n", p.Name, float64(p.Loss), float64(p.A), float64(p.B), float64(p.Away), float64(p.Plane))
	}
	_, err = fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}

// way is the points in the order of training.
func (r *surfaceResult) way() []onPlane {
	list := slices.Clone(r.Points[1:])
	if r.Points[0].Step > list[len(list)-1].Step {
		list = append(list, r.Points[0])
	}
	return list
}

// wayFile is what the files of the way are called, before their endings.
const wayFile = "surface-way"

// publishWay writes the run's own way beside the plane: a table, and the loss of
// the weights with that of the nearest point of the plane. Of another plane there
// is none, also none of an earlier call.
func (r *surfaceResult) publishWay(e *env, s *surfaceSettings) error {
	if !s.ofSnapshots() {
		return e.drop(wayFile+".csv", wayFile+".png", wayFile+".svg")
	}
	way := r.way()
	var rows [][]string
	own, plane := chart.Series{Name: "the weights"}, chart.Series{Name: "the plane nearby", Dash: 1}
	farthest, low := way[0], math.Inf(1)
	for _, p := range way {
		rows = append(rows, []string{strconv.Itoa(p.Step), text(float64(p.A)), text(float64(p.B)), text(float64(p.Away)), text(float64(p.Loss)), text(float64(p.Plane))})
		own.X, own.Y = append(own.X, float64(p.Step)), append(own.Y, float64(p.Loss))
		plane.X, plane.Y = append(plane.X, float64(p.Step)), append(plane.Y, float64(p.Plane))
		low = min(low, float64(p.Loss), float64(p.Plane))
		if p.Away > farthest.Away {
			farthest = p
		}
	}
	if err := e.table(wayFile+".csv", []string{"step", "a", "b", "distance_from_plane", "loss", "loss_of_the_plane"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d snapshots: the plane explains %.1f %% of their variance about the weights; at step %d they are farthest from it, %.3g, with loss %.4g where the plane has %.4g\n",
		len(r.Points)-1, 100*float64(r.Explained[0]+r.Explained[1]), farthest.Step, float64(farthest.Away), float64(farthest.Loss), float64(farthest.Plane))
	c := chart.Chart{Title: "Training loss on the way, and on the plane beside it", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "loss", Log: !s.Linear && low > 0},
		Series: []chart.Series{own, plane}}
	return c.Save(filepath.Join(e.out, wayFile))
}
