package data

import (
	"math"
	"testing"
)

func TestNewRefusesWhatDoesNotFit(t *testing.T) {
	classes := Target{Classes: 3}
	nan := math.NaN()
	for name, c := range map[string]struct {
		x      []float64
		shape  []int
		y      []float64
		target Target
		says   []string
	}{
		"part of an example": {make([]float64, 5), []int{2}, nil, classes, []string{"5 numbers", "[2] (2 numbers each)"}},
		"no examples":        {nil, []int{2}, nil, classes, []string{"0 examples", "at least 1"}},
		"no shape":           {make([]float64, 5), nil, make([]float64, 5), classes, []string{"input shape is empty", "[d]"}},
		"zero dimension":     {make([]float64, 5), []int{5, 0}, nil, classes, []string{"[5 0] has the dimension 0"}},
		"negative dimension": {make([]float64, 5), []int{-5, -1}, nil, classes, []string{"dimension -5"}},
		"overflowing shape":  {make([]float64, 5), []int{1 << 30, 1 << 30, 1 << 30}, nil, classes, []string{"more elements than memory"}},
		"too few targets":    {make([]float64, 4), []int{2}, make([]float64, 1), classes, []string{"y has 1 numbers", "2 targets (3 classes) take 2"}},
		"too many targets":   {make([]float64, 4), []int{2}, make([]float64, 9), Target{Shape: []int{4}}, []string{"y has 9 numbers", "take 8"}},
		"target dimension":   {make([]float64, 4), []int{2}, nil, Target{Shape: []int{0}}, []string{"target shape [0]"}},
		"class too large":    {make([]float64, 4), []int{2}, []float64{0, 3}, classes, []string{"example 1", "label 3", "0 to 2"}},
		"negative class":     {make([]float64, 4), []int{2}, []float64{-1, 0}, classes, []string{"example 0", "label -1"}},
		"half a class":       {make([]float64, 4), []int{2}, []float64{0.5, 0}, classes, []string{"label 0.5"}},
		"class NaN":          {make([]float64, 4), []int{2}, []float64{nan, 0}, classes, []string{"label NaN"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.x, c.shape, c.y, c.target)
			wantError(t, err, c.says...)
		})
	}
}

func TestNewKeepsItsOwnShape(t *testing.T) {
	shape, target := []int{2}, Target{Shape: []int{1}}
	d := must(New(make([]float32, 4), shape, make([]float32, 2), target))
	shape[0], target.Shape[0] = 7, 7
	if d.Shape()[0] != 2 || d.Target().Shape[0] != 1 {
		t.Errorf("shape %v and target %v changed with the caller's slices", d.Shape(), d.Target())
	}
}
