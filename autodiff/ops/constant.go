package ops

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// constant is a tensor of known numbers.
type constant struct {
	shape []int
	data  []float64
	name  string // tells it apart
}

// newConstant keeps shape and data. Many numbers go by their hash, of which no
// two are known to be equal.
func newConstant(shape []int, data []float64) constant {
	if len(data) <= 16 {
		return constant{shape, data, fmt.Sprintf("const%v%v", shape, data)}
	}
	h := sha256.New()
	bits := make([]byte, 8*len(data))
	for i, x := range data {
		u := math.Float64bits(x)
		for j := range 8 {
			bits[8*i+j] = byte(u >> (8 * j))
		}
	}
	h.Write(bits)
	return constant{shape, data, fmt.Sprintf("const%v(%x)", shape, h.Sum(nil)[:16])}
}

func (r constant) String() string { return r.name }

func (r constant) Shape([][]int) ([]int, error)                { return r.shape, nil }
func (r constant) JVP(*Builder, *Node, []*Node, []*Node) *Node { return nil }
func (r constant) Lower(b *exec.Builder, _ []exec.Value) exec.Value {
	return b.Const(r.shape, r.data...)
}

// Const is the scalar x.
func (b *Builder) Const(x float64) *Node { return b.Apply(newConstant([]int{}, []float64{x})) }

// Fill is a tensor of the shape whose elements are all x.
func (b *Builder) Fill(x float64, shape ...int) *Node { return b.Broadcast(b.Const(x), shape...) }

// Tensor is a tensor of the shape with the elements data in row-major order.
func (b *Builder) Tensor(data []float64, shape ...int) *Node {
	if err := possible(shape); err != nil {
		return b.failf("tensor: %w", err)
	}
	if size(shape) != len(data) {
		return b.failf("tensor: %d numbers for the shape %v", len(data), shape)
	}
	return b.Apply(newConstant(slices.Clone(shape), slices.Clone(data)))
}

// maxIndices is how many places can be told apart by number: float32 holds
// whole numbers exactly up to it.
const maxIndices = 1 << 24

// Iota is the vector 0, 1, ..., n-1. n is at most 2^24.
func (b *Builder) Iota(n int) *Node {
	if n < 0 || n > maxIndices {
		return b.failf("iota: %d numbers; allowed are from 0 to %d", n, maxIndices)
	}
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(i)
	}
	return b.Tensor(data, n)
}

// stopGradient is the identity without a derivative.
type stopGradient struct{}

func (stopGradient) String() string                                    { return "stop_gradient" }
func (stopGradient) Shape(in [][]int) ([]int, error)                   { return in[0], nil }
func (stopGradient) JVP(*Builder, *Node, []*Node, []*Node) *Node       { return nil }
func (stopGradient) Lower(_ *exec.Builder, in []exec.Value) exec.Value { return in[0] }

// StopGradient is x as a constant: its derivative is zero.
func (b *Builder) StopGradient(x *Node) *Node { return b.Apply(stopGradient{}, x) }

// madeUp stands for a tangent while an operation is transposed.
type madeUp struct{}

func (madeUp) String() string                               { return "tangent" }
func (madeUp) Shape([][]int) ([]int, error)                 { return nil, fmt.Errorf("a made-up tangent has no rule") }
func (madeUp) JVP(*Builder, *Node, []*Node, []*Node) *Node  { return nil }
func (madeUp) Lower(*exec.Builder, []exec.Value) exec.Value { return exec.None }
