package data

import (
	"fmt"
	"math"
	"slices"
)

// Groups says which numbers of an example share one mean and one standard deviation.
type Groups int

const (
	// Auto is PerFeature for vectors [d], PerChannel for images [c h w], Global for every other shape.
	Auto Groups = iota
	// Global is one mean and one standard deviation for all numbers.
	Global
	// PerChannel is one pair for each entry of the first axis.
	PerChannel
	// PerFeature is one pair for each number of an example.
	PerFeature
)

func (g Groups) count(shape []int) (int, error) {
	switch {
	case g == Global, g == Auto && len(shape) != 1 && len(shape) != 3:
		return 1, nil
	case g == PerChannel, g == Auto:
		return shape[0], nil
	case g == PerFeature:
		return product(shape), nil
	}
	return 0, fmt.Errorf("data: groups %d is unknown, use Auto, Global, PerChannel or PerFeature", int(g))
}

// Scaler is a fitted standardisation: v becomes (v - Mean)/Std. Mean and Std have one entry for all numbers, one
// per channel (entry of the first axis) or one per feature. Its fields are all there is to save and re-apply.
type Scaler struct {
	Mean []float64 `json:"mean"`
	Std  []float64 `json:"std"`
}

// Standardize scales the inputs of train to mean 0 and standard deviation 1, over the groups that Auto chooses,
// and the others by the same numbers. It returns the scaled sets in the order given and the fitted Scaler.
func Standardize(train Dataset, others ...Dataset) ([]Dataset, *Scaler, error) {
	s, err := FitScaler(train, Auto)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Dataset, 0, 1+len(others))
	for i, d := range append([]Dataset{train}, others...) {
		scaled, err := s.Apply(d)
		if err != nil {
			return nil, nil, fmt.Errorf("data: standardize set %d: %w", i, err)
		}
		out = append(out, scaled)
	}
	return out, s, nil
}

// FitScaler measures the inputs of train in one pass, in float64. A group that does not vary gets the standard
// deviation 1. Inputs that are not finite are an error.
func FitScaler(train Dataset, groups Groups) (*Scaler, error) {
	size, _, err := checkDataset(train)
	if err != nil {
		return nil, err
	}
	count, err := groups.count(train.Shape())
	if err != nil {
		return nil, err
	}
	n := train.Len()
	m := newMoments(count, size/count)
	var h histogram
	if b, ok := train.(byteCounter); ok && count == 1 && b.count(&h) {
		m.mean[0], m.m2[0] = h.moments()
	} else if err := m.read(train, size); err != nil {
		return nil, err
	}
	s := &Scaler{Mean: m.mean, Std: make([]float64, count)}
	for g, m2 := range m.m2 {
		s.Std[g] = math.Sqrt(m2 / float64(n*m.run))
		if s.Std[g] == 0 {
			s.Std[g] = 1
		}
		if v := s.Mean[g] + s.Std[g]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("data: cannot standardize: group %d of %d has mean %v and standard deviation %v, the inputs must be finite", g, count, s.Mean[g], s.Std[g])
		}
	}
	return s, nil
}

// read adds all inputs of d.
func (m *moments) read(d Dataset, size int) error {
	n := d.Len()
	rows := min(n, max(1, 1<<15/size))
	x, index := make([]float64, rows*size), make([]int, rows)
	for from := 0; from < n; from += rows {
		part := index[:min(rows, n-from)]
		for i := range part {
			part[i] = from + i
		}
		x := x[:len(part)*size]
		if err := read(d, x, nil, part); err != nil {
			return err
		}
		m.add(x)
	}
	return nil
}

// Apply is d with every input number standardised. One mean and standard deviation over byte storage costs nothing.
func (s *Scaler) Apply(d Dataset) (Dataset, error) {
	size, _, err := checkDataset(d)
	if err != nil {
		return nil, err
	}
	g := len(s.Mean)
	if g != len(s.Std) {
		return nil, fmt.Errorf("data: scaler has %d means and %d standard deviations, it needs as many of both", g, len(s.Std))
	}
	if g != 1 && g != d.Shape()[0] && g != size {
		return nil, fmt.Errorf("data: scaler has %d means, inputs of shape %v take %v of them", g, d.Shape(), slices.Compact([]int{1, d.Shape()[0], size}))
	}
	a := &affine{Dataset: d, scale: make([]float64, g), shift: make([]float64, g)}
	for i, std := range s.Std {
		if !(std > 0) || math.IsInf(std, 0) || math.IsNaN(s.Mean[i]) || math.IsInf(s.Mean[i], 0) {
			return nil, fmt.Errorf("data: scaler has mean %v and standard deviation %v for group %d, it needs finite numbers and a positive standard deviation", s.Mean[i], std, i)
		}
		a.scale[i], a.shift[i] = 1/std, -s.Mean[i]/std
	}
	if g == 1 {
		return applyAffine(d, a.scale[0], a.shift[0]), nil
	}
	return a, nil
}

// moments gathers the mean and the sum of squared deviations of each group: exactly centred within a chunk, then
// merged (Chan, Golub and LeVeque, 1979). A constant group comes out with a deviation of exactly 0.
type moments struct {
	run      int // neighbouring numbers of one example that share a group
	n        float64
	mean, m2 []float64
	// of the chunk at hand
	centre, s1, s2 []float64
}

func newMoments(groups, run int) *moments {
	v := func() []float64 { return make([]float64, groups) }
	return &moments{run: run, mean: v(), m2: v(), centre: v(), s1: v(), s2: v()}
}

// add takes in a chunk of whole examples.
func (m *moments) add(x []float64) {
	size := m.run * len(m.mean)
	count := float64(len(x) / size * m.run)
	for g := range m.centre {
		m.centre[g] = x[g*m.run]
	}
	// Two passes: the sums of the first only move the centre to the chunk's mean, those of the second are kept.
	for pass := range 2 {
		clear(m.s1)
		clear(m.s2)
		for row := x; len(row) > 0; row = row[size:] {
			for g, c := range m.centre {
				var s1, s2 float64
				for _, v := range row[g*m.run : (g+1)*m.run] {
					d := v - c
					s1 += d
					s2 += float64(d * d) // kept from being fused: the same bits on every processor
				}
				m.s1[g] += s1
				m.s2[g] += s2
			}
		}
		if pass == 0 {
			for g, s := range m.s1 {
				m.centre[g] += s / count
			}
		}
	}
	total := m.n + count
	for g, c := range m.centre {
		delta := c - m.mean[g]
		m.mean[g] += float64(delta * (count / total))
		m.m2[g] += m.s2[g] - m.s1[g]*m.s1[g]/count + float64(delta*delta*(m.n/total*count))
	}
	m.n = total
}
