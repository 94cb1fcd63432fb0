package landscape

import (
	"fmt"
	"math"
)

// Assign solves the assignment problem: for gains [n, n], row by row, it gives the
// permutation p that makes the sum of gains[i*n+p[i]] largest, by shortest
// augmenting paths with potentials (Jonker & Volgenant 1987), in n³ steps.
func Assign(gains []float64, n int) ([]int, error) {
	if len(gains) != n*n {
		return nil, fmt.Errorf("landscape: %d gains for an assignment of %d to %d", len(gains), n, n)
	}
	for i, g := range gains {
		if math.IsNaN(g) || math.IsInf(g, 0) {
			return nil, fmt.Errorf("landscape: the gain of %d by %d is %v; allowed are finite numbers", i/n, i%n, g)
		}
	}
	rowOf := make([]int, n+1) // of each column; column n is where a path begins
	for j := range rowOf {
		rowOf[j] = -1
	}
	ofRow, ofCol := make([]float64, n), make([]float64, n+1)
	least, from, done := make([]float64, n), make([]int, n), make([]bool, n+1)
	for i := range n {
		rowOf[n] = i
		at := n
		for j := range n {
			least[j], from[j] = math.Inf(1), n
		}
		clear(done)
		for rowOf[at] >= 0 { // until the column is free
			done[at] = true
			row, next, step := rowOf[at], -1, math.Inf(1)
			for j := range n {
				if done[j] {
					continue
				}
				if d := -gains[row*n+j] - ofRow[row] - ofCol[j]; d < least[j] {
					least[j], from[j] = d, at
				}
				if least[j] < step {
					step, next = least[j], j
				}
			}
			for j := range n {
				if done[j] {
					ofRow[rowOf[j]] += step
					ofCol[j] -= step
				} else {
					least[j] -= step
				}
			}
			ofRow[rowOf[n]] += step
			ofCol[n] -= step
			at = next
		}
		for at != n { // each column of the path takes the row before it
			rowOf[at] = rowOf[from[at]]
			at = from[at]
		}
	}
	p := make([]int, n)
	for j := range n {
		p[rowOf[j]] = j
	}
	return p, nil
}
