package ops

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// uniform draws random numbers by a counter-based generator.
type uniform struct {
	stream uint32
	shape  []int
}

func (r uniform) String() string { return fmt.Sprintf("uniform%v(stream %d)", r.shape, r.stream) }

func (r uniform) Shape(in [][]int) ([]int, error) {
	if !equal(in[0], []int{4}) {
		return nil, fmt.Errorf("key of shape %v, want [4]", in[0])
	}
	return r.shape, nil
}

func (r uniform) JVP(*Builder, *Node, []*Node, []*Node) *Node { return nil }

func (r uniform) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Uniform(in[0], r.stream, r.shape...)
}

// Uniform is a tensor of random numbers on [0, 1). They depend on the key, the
// stream and their place alone: key is a vector of four whole numbers below
// 2^24, three of which are a key and the fourth the number of the first row
// (index of the first axis). Give each use in a graph its own stream.
//
// Row i depends on the sum of that number and i, so a batch that is run in
// slices gets the same numbers as one that is not.
func (b *Builder) Uniform(key *Node, stream uint32, shape ...int) *Node {
	return b.Apply(uniform{stream, slices.Clone(shape)}, key)
}

// Dropout sets elements of x to zero with probability rate, and divides the
// others by 1-rate (Srivastava et al., JMLR 2014). See [Builder.Uniform] for
// key and stream.
func (b *Builder) Dropout(x *Node, rate float64, key *Node, stream uint32) *Node {
	if !b.ok("dropout", x, key) {
		return nil
	}
	if !(rate >= 0 && rate < 1) {
		return b.failf("dropout: rate %v; it must be at least 0 and below 1", rate)
	}
	if rate == 0 {
		return x
	}
	keep := b.GreaterEqual(b.Uniform(key, stream, b.Shape(x)...), b.Const(rate))
	return b.Mul(x, b.Mul(keep, b.Const(1/(1-rate))))
}

// Key is the input of the graph that holds its random key, for Dropout and
// Uniform: one node however often it is asked for. A program that depends on it
// takes its value from Seed.
func (b *Builder) Key() *Node {
	if b.err != nil {
		return nil
	}
	return gorgonia.NewVector(b.g, b.dt, gorgonia.WithName(exec.KeyName), gorgonia.WithShape(4))
}
