package data

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// broken is a data set whose parts can be replaced by wrong ones.
type broken struct {
	Dataset
	n      int
	shape  []int
	target *Target
	read   func(x, y []float64, index []int) error
	read32 func(x, y []float32, index []int) error
}

func (b broken) Len() int {
	if b.n != 0 {
		return b.n
	}
	return b.Dataset.Len()
}

func (b broken) Shape() []int {
	if b.shape != nil {
		return b.shape
	}
	return b.Dataset.Shape()
}

func (b broken) Target() Target {
	if b.target != nil {
		return *b.target
	}
	return b.Dataset.Target()
}

func (b broken) Read64(x, y []float64, index []int) error {
	if b.read != nil {
		return b.read(x, y, index)
	}
	return b.Dataset.Read64(x, y, index)
}

func (b broken) Read32(x, y []float32, index []int) error {
	if b.read32 != nil {
		return b.read32(x, y, index)
	}
	return b.Dataset.Read32(x, y, index)
}

func TestCheckFindsEveryBrokenPromise(t *testing.T) {
	good := counted[float64](100, 2)
	with := func(change func(x, y []float64, index []int)) func(x, y []float64, index []int) error {
		return func(x, y []float64, index []int) error {
			err := good.Read64(x, y, index)
			if err == nil {
				change(x, y, index)
			}
			return err
		}
	}
	reads := 0
	for name, c := range map[string]struct {
		d    Dataset
		says []string
	}{
		"nil":              {nil, []string{"nil"}},
		"no examples":      {broken{Dataset: good, n: -1}, []string{"-1 examples"}},
		"no shape":         {broken{Dataset: good, shape: []int{}}, []string{"input shape is empty"}},
		"zero dimension":   {broken{Dataset: good, shape: []int{2, 0}}, []string{"[2 0]", "at least 1"}},
		"negative classes": {broken{Dataset: good, target: &Target{Classes: -2}}, []string{"-2 classes"}},
		"two targets":      {broken{Dataset: good, target: &Target{Classes: 2, Shape: []int{1}}}, []string{"both 2 classes and the shape [1]"}},
		"class too large":  {broken{Dataset: good, target: &Target{Classes: 2}}, []string{"label 2", "classes 0 to 1"}},
		"not finite": {broken{Dataset: good, read: with(func(x, _ []float64, index []int) {
			if x != nil && index[0] > 70 {
				x[1] = math.NaN()
			}
		})}, []string{"input 1 is NaN", "finite"}},
		"accepts bad indices": {broken{Dataset: good, read: func(x, y []float64, index []int) error { return nil }}, []string{"example -1 without an error"}},
		"panics":              {broken{Dataset: good, read: func(x, y []float64, index []int) error { return []error{}[index[0]] }}, []string{"panicked", "index out of range"}},
		"needs both halves": {broken{Dataset: good, read: func(x, y []float64, index []int) error {
			err := good.Read64(x, y, index)
			if err == nil {
				y[0] += 0
			}
			return err
		}}, []string{"panicked"}},
		"reads differ": {broken{Dataset: good, read: with(func(x, _ []float64, _ []int) {
			reads++
			if x != nil {
				x[0] += float64(reads) * 1e-9
			}
		})}, []string{"in one read and", "in another"}},
		"float32 differs": {broken{Dataset: good, read32: func(x, y []float32, index []int) error {
			err := good.Read32(x, y, index)
			y[0]++
			return err
		}}, []string{"target 0 is"}},
		"float32 ignores the order": {broken{Dataset: good, read32: func(x, y []float32, index []int) error {
			return good.Read32(x, y, slices.Sorted(slices.Values(index)))
		}}, []string{"input 0 is"}},
		"fails": {broken{Dataset: good, read32: func(x, y []float32, index []int) error {
			return errors.New("data: no luck")
		}}, []string{"no luck"}},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, Check(c.d), c.says...) })
	}
	if err := Check(broken{Dataset: good}); err != nil {
		t.Errorf("a sound data set fails: %v", err)
	}
}
