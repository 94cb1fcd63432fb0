package optimizers

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Kind says what a tensor of parameters is for, as parameter groups (no decay on biases) and matrix methods ask.
type Kind uint8

// The kinds of tensors.
const (
	Weight Kind = iota // multiplies what comes in: a matrix, a convolution's kernel, an embedding
	Bias               // is added
	Norm               // scale or shift of a normalisation layer
)

var kindNames = []string{"weight", "bias", "norm"}

// String is the word for the kind: weight, bias or norm.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// ParseKind is the kind that a word names.
func ParseKind(word string) (Kind, error) {
	i := slices.Index(kindNames, word)
	if i < 0 {
		return 0, unknown("kind of tensor", word, kindNames)
	}
	return Kind(i), nil
}

// MarshalText writes the kind as its word.
func (k Kind) MarshalText() ([]byte, error) {
	if int(k) >= len(kindNames) {
		return nil, fmt.Errorf("optimizers: kind of tensor is %d; allowed are 0 to %d", uint8(k), len(kindNames)-1)
	}
	return []byte(kindNames[k]), nil
}

// UnmarshalText reads the word that MarshalText writes.
func (k *Kind) UnmarshalText(word []byte) error {
	parsed, err := ParseKind(string(word))
	if err == nil {
		*k = parsed
	}
	return err
}

// Tensor is a named piece of the flat parameter vector, row by row from Offset.
type Tensor struct {
	Name   string
	Shape  []int // every dimension at least 1; none is a single number
	Offset int   // of its first element in the parameter vector
	Kind   Kind
	Block  *Block // of the first tensor of a block, what a Factors oracle says of it; nil where there is none
}

// Size is the number of elements.
func (t Tensor) Size() int {
	size := 1
	for _, d := range t.Shape {
		size *= d
	}
	return size
}

// Layout says which tensors the flat parameter vector consists of, in order and without gaps.
type Layout []Tensor

// Flat is the layout of a plain function of n numbers: one tensor named x, or none where n is 0.
func Flat(n int) Layout {
	if n == 0 {
		return Layout{}
	}
	return Layout{{Name: "x", Shape: []int{n}}}
}

// Size is the length of the parameter vector.
func (l Layout) Size() int {
	size := 0
	for _, t := range l {
		size += t.Size()
	}
	return size
}

// Validate checks that names are given and differ, dimensions are positive, kinds are known and each tensor begins
// where the one before it ends.
func (l Layout) Validate() error {
	seen := make(map[string]bool, len(l))
	offset := 0
	for i, t := range l {
		if t.Name == "" {
			return fmt.Errorf("optimizers: tensor %d of the layout has no name", i)
		}
		if seen[t.Name] {
			return fmt.Errorf("optimizers: the layout has two tensors named %q", t.Name)
		}
		seen[t.Name] = true
		if int(t.Kind) >= len(kindNames) {
			return fmt.Errorf("optimizers: tensor %q has kind %d; allowed are 0 to %d", t.Name, uint8(t.Kind), len(kindNames)-1)
		}
		if t.Offset != offset {
			return fmt.Errorf("optimizers: tensor %q begins at %d; the tensors before it end at %d", t.Name, t.Offset, offset)
		}
		size := 1
		for _, d := range t.Shape {
			if d < 1 {
				return fmt.Errorf("optimizers: tensor %q has shape %v; every dimension must be at least 1", t.Name, t.Shape)
			}
			if d > math.MaxInt/size {
				return fmt.Errorf("optimizers: tensor %q has shape %v: too many elements", t.Name, t.Shape)
			}
			size *= d
		}
		if size > math.MaxInt-offset {
			return fmt.Errorf("optimizers: tensor %q with shape %v makes the layout too large", t.Name, t.Shape)
		}
		if err := l.validateBlock(i); err != nil {
			return err
		}
		offset += size
	}
	return nil
}

// At is the tensor that element i of the parameter vector belongs to, and the element's index in that tensor. An i
// outside the layout gives a tensor without a name, and i.
func (l Layout) At(i int) (Tensor, int) {
	k := sort.Search(len(l), func(k int) bool { return l[k].Offset > i }) - 1
	if k < 0 || i-l[k].Offset >= l[k].Size() {
		return Tensor{}, i
	}
	return l[k], i - l[k].Offset
}

// clone is a copy that shares nothing with l.
func (l Layout) clone() Layout {
	c := slices.Clone(l)
	for i := range c {
		c[i].Shape = slices.Clone(c[i].Shape)
		if c[i].Block != nil {
			b := *c[i].Block
			c[i].Block = &b
		}
	}
	return c
}
