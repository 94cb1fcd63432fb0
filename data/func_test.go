package data

import (
	"errors"
	"slices"
	"testing"
)

func TestFuncMakesADatasetOfOneFunction(t *testing.T) {
	d := must(Func(10, []int{2}, Target{Classes: 2}, func(i int, x, y []float64) error {
		x[i%2] = float64(i) // one entry alone: the other must arrive as zero
		y[0] = float64(i % 2)
		return nil
	}))
	x, y := make([]float32, 6), make([]float32, 3)
	if err := Read(d, x, y, []int{3, 4, 3}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(x, []float32{0, 3, 4, 0, 0, 3}) || !slices.Equal(y, []float32{1, 0, 1}) {
		t.Errorf("read %v and %v", x, y)
	}
}

func TestFuncErrorsNameTheExample(t *testing.T) {
	unreadable := errors.New("unreadable")
	d := must(Func(10, []int{1}, Target{Classes: 2}, func(i int, x, y []float64) error {
		y[0] = float64(i)
		if i == 7 {
			return unreadable
		}
		return nil
	}))
	x, y := make([]float64, 2), make([]float64, 2)
	err := Read(d, x, y, []int{0, 7})
	wantError(t, err, "example 7", "unreadable")
	if !errors.Is(err, unreadable) {
		t.Error("the function's own error is lost")
	}
	wantError(t, Read(d, x, y, []int{1, 2}), "example 2", "label 2", "0 to 1")
}

func TestFuncRefusesBadArguments(t *testing.T) {
	f := func(int, []float64, []float64) error { return nil }
	_, err := Func(0, []int{1}, Target{}, f)
	wantError(t, err, "0 examples")
	_, err = Func(1, nil, Target{}, f)
	wantError(t, err, "input shape is empty")
	_, err = Func(1, []int{1}, Target{Shape: []int{-1}}, f)
	wantError(t, err, "target shape [-1]")
	_, err = Func(1, []int{1}, Target{}, nil)
	wantError(t, err, "nil")
	_, err = Func(1<<40, []int{1 << 30}, Target{}, f)
	wantError(t, err, "more numbers than memory can hold")
}
