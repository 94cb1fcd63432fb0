package data

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Bytes is a data set whose inputs are stored as bytes, a quarter of what float32 takes. Byte b is read as
// b/255·scale + shift, where scale is 1 and shift 0 until Affine or Standardize changes them.
type Bytes struct {
	x, labels []byte
	n, size   int
	shape     []int
	target    Target
	// One table entry per byte value: reading is one look-up, whatever the transforms before it.
	number  [256]float64
	table32 *kernel.ByteTable[float32]
	table64 *kernel.ByteTable[float64]
}

var _ Dataset = (*Bytes)(nil)

// NewBytes makes a data set of the examples stored one after another in x, each of the given shape, with one
// class number per example in labels. It keeps both slices and does not copy them: do not change them afterwards.
func NewBytes(x []byte, shape []int, labels []byte, classes int) (*Bytes, error) {
	size, err := checkShape("input", shape)
	if err != nil {
		return nil, err
	}
	if len(x)%size != 0 {
		return nil, fmt.Errorf("data: x has %d bytes, which is no whole number of examples of shape %v (%d bytes each)", len(x), shape, size)
	}
	n := len(x) / size
	if classes < 1 {
		return nil, fmt.Errorf("data: %d classes, at least 1 is needed", classes)
	}
	in, target, err := checkSpec(n, shape, Target{Classes: classes})
	if err != nil {
		return nil, err
	}
	if len(labels) != n {
		return nil, fmt.Errorf("data: %d labels for %d examples", len(labels), n)
	}
	for i, label := range labels {
		if err := checkClass(float64(label), classes); err != nil {
			return nil, fmt.Errorf("data: example %d: %w", i, err)
		}
	}
	b := &Bytes{x: x, labels: labels, n: n, size: size, shape: in, target: target}
	for i := range b.number {
		b.number[i] = float64(i) / 255
	}
	b.tables()
	return b, nil
}

// tables makes the tables of the numbers.
func (b *Bytes) tables() {
	b.table32, b.table64 = kernel.NewByteTable[float32](&b.number), kernel.NewByteTable[float64](&b.number)
}

// Len is the number of examples.
func (b *Bytes) Len() int { return b.n }

// Shape is the shape of one input.
func (b *Bytes) Shape() []int { return b.shape }

// Target says how many classes there are.
func (b *Bytes) Target() Target { return b.target }

// Read32 copies examples to x and y; see Dataset.
func (b *Bytes) Read32(x, y []float32, index []int) error {
	return readBytes(b, x, y, index, b.table32)
}

// Read64 copies examples to x and y; see Dataset.
func (b *Bytes) Read64(x, y []float64, index []int) error {
	return readBytes(b, x, y, index, b.table64)
}

// affine folds a transform into the tables, so that reading stays one pass over the bytes.
func (b *Bytes) affine(scale, shift float64) Dataset {
	c := *b
	for i, v := range b.number {
		c.number[i] = float64(v*scale) + shift
	}
	c.tables()
	return &c
}

func readBytes[T Float](b *Bytes, x, y []T, index []int, table *kernel.ByteTable[T]) error {
	if err := checkRead(b, x, y, index); err != nil {
		return err
	}
	if x != nil {
		kernel.GatherBytes(x, b.x, b.size, index, table)
	}
	if y != nil {
		for i, k := range index {
			y[i] = T(b.labels[k])
		}
	}
	return nil
}
