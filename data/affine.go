package data

import (
	"fmt"
	"math"
)

// Affine is d with every input number v replaced by v·scale + shift. Over byte storage it costs nothing.
func Affine(d Dataset, scale, shift float64) (Dataset, error) {
	if d == nil {
		return nil, errNil
	}
	if math.IsNaN(scale) || math.IsInf(scale, 0) || math.IsNaN(shift) || math.IsInf(shift, 0) {
		return nil, fmt.Errorf("data: affine transform with scale %v and shift %v, both must be finite", scale, shift)
	}
	return applyAffine(d, scale, shift), nil
}

// affiner is a data set that can take a transform of its inputs into itself or below itself.
type affiner interface {
	affine(scale, shift float64) Dataset
}

func applyAffine(d Dataset, scale, shift float64) Dataset {
	if a, ok := d.(affiner); ok {
		return a.affine(scale, shift)
	}
	return &affine{Dataset: d, scale: []float64{scale}, shift: []float64{shift}}
}

// affine scales and shifts the inputs of another data set. Entry g of scale and shift holds for the g-th of
// len(scale) equal runs of an example: one run for the whole, one per channel, or one per feature.
type affine struct {
	Dataset
	scale, shift []float64
}

func (a *affine) Read32(x, y []float32, index []int) error { return readAffine(a, x, y, index) }
func (a *affine) Read64(x, y []float64, index []int) error { return readAffine(a, x, y, index) }

func readAffine[T Float](a *affine, x, y []T, index []int) error {
	if err := checkRead(a.Dataset, x, y, index); err != nil {
		return err
	}
	if err := read(a.Dataset, x, y, index); err != nil {
		return err
	}
	if x == nil {
		return nil
	}
	size := product(a.Shape())
	run := size / len(a.scale)
	for i := range index {
		row := x[i*size : (i+1)*size]
		if run == 1 {
			scaleEach(row, a.scale, a.shift)
			continue
		}
		for g, scale := range a.scale {
			part, shift := row[g*run:(g+1)*run], a.shift[g]
			for j, v := range part {
				part[j] = T(float64(float64(v)*scale) + shift)
			}
		}
	}
	return nil
}

// scaleEach gives every number its own scale and shift. The conversion of the product, here and above, keeps it
// from being fused with the sum: the same bits on every processor.
func scaleEach[T Float](row []T, scale, shift []float64) {
	scale, shift = scale[:len(row)], shift[:len(row)]
	for j, v := range row {
		row[j] = T(float64(float64(v)*scale[j]) + shift[j])
	}
}

func (a *affine) affine(scale, shift float64) Dataset {
	b := &affine{Dataset: a.Dataset, scale: make([]float64, len(a.scale)), shift: make([]float64, len(a.shift))}
	for g := range a.scale {
		b.scale[g] = a.scale[g] * scale
		b.shift[g] = float64(a.shift[g]*scale) + shift
	}
	return b
}
