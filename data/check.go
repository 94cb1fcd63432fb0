package data

import (
	"fmt"
	"math"
)

// Check reads all of d and returns the first way in which it breaks the promises of Dataset, or nil: the test of
// a data set of one's own. Numbers that are not finite count as broken.
func Check(d Dataset) (err error) {
	size, tsize, err := checkDataset(d)
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("data: the data set panicked: %v", r)
		}
	}()
	n := d.Len()
	for _, bad := range []int{-1, n} {
		if d.Read64(make([]float64, size), make([]float64, tsize), []int{bad}) == nil {
			return fmt.Errorf("data: the data set reads example %d without an error, it has examples 0 to %d", bad, n-1)
		}
	}
	rows := min(n, 64)
	c := checker{
		d: d, size: size, tsize: tsize,
		x32: make([]float32, rows*size), y32: make([]float32, rows*tsize),
		x64: make([]float64, rows*size), y64: make([]float64, rows*tsize),
		again: make([]float64, rows*max(size, tsize)),
	}
	index := make([]int, rows)
	for from := 0; from < n; from += rows {
		part := index[:min(rows, n-from)]
		for i := range part {
			part[i] = from + len(part) - 1 - i // backwards: the order asked for must be kept
		}
		if err := c.chunk(part); err != nil {
			return err
		}
	}
	return nil
}

type checker struct {
	d               Dataset
	size, tsize     int
	x32, y32        []float32
	x64, y64, again []float64
}

func (c *checker) chunk(index []int) error {
	n := len(index)
	x32, y32, x64, y64 := c.x32[:n*c.size], c.y32[:n*c.tsize], c.x64[:n*c.size], c.y64[:n*c.tsize]
	if err := c.d.Read32(x32, y32, index); err != nil {
		return err
	}
	if err := c.d.Read64(x64, y64, index); err != nil {
		return err
	}
	if err := compare("input", index, x64, x32, 1e-4); err != nil {
		return err
	}
	if err := compare("target", index, y64, y32, 1e-4); err != nil {
		return err
	}
	if classes := c.d.Target().Classes; classes > 0 {
		for i, v := range y64 {
			if err := checkClass(v, classes); err != nil {
				return fmt.Errorf("data: example %d: %w", index[i], err)
			}
		}
	}
	// One example at a time, and each half alone: neither neighbours nor the other half may matter.
	for i := range index {
		x, y := c.again[:c.size], x64[i*c.size:(i+1)*c.size]
		if err := c.d.Read64(x, nil, index[i:i+1]); err != nil {
			return err
		}
		if err := compare("input", index[i:i+1], y, x, 0); err != nil {
			return err
		}
		x, y = c.again[:c.tsize], y64[i*c.tsize:(i+1)*c.tsize]
		if err := c.d.Read64(nil, x, index[i:i+1]); err != nil {
			return err
		}
		if err := compare("target", index[i:i+1], y, x, 0); err != nil {
			return err
		}
	}
	return nil
}

// compare reports the first number of got that differs from want by more than the relative tolerance.
func compare[T Float](what string, index []int, want []float64, got []T, tol float64) error {
	size := len(want) / len(index)
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("data: example %d: %s %d is %v, it must be finite", index[i/size], what, i%size, w)
		}
		if !(math.Abs(g-w) <= tol*(1+math.Abs(w))) {
			return fmt.Errorf("data: example %d: %s %d is %v in one read and %v in another", index[i/size], what, i%size, w, g)
		}
	}
	return nil
}
