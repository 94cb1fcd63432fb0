package optimizers

import "fmt"

// Block is a group of tensors, one behind the other in the layout, whose curvature a Factors oracle describes. They are
// the parameters of a layer that multiplies rows of In numbers, with a 1 behind them where there is a bias, by a matrix
// W of Out columns: W = [In(+1), Out], the bias its last row. Where In is 0 the tensors are one row of Out numbers, and
// the oracle's rows are gradients of single examples.
type Block struct {
	Tensors int // 1, or 2 where a bias follows the weight
	In, Out int
	// Groups of a convolution each have a W of their own, on their own rows. 0 means 1.
	Groups int
	// Transposed says that the weight lies as [Groups, Out, In], as of convolutions, instead of [In, Out].
	Transposed bool
}

// groups is the number of matrices.
func (b *Block) groups() int { return max(b.Groups, 1) }

// validateBlock checks that the block that begins at tensor i has the tensors that it needs.
func (l Layout) validateBlock(i int) error {
	b := l[i].Block
	if b == nil {
		return nil
	}
	refuse := func(why string) error {
		return fmt.Errorf("optimizers: tensor %q begins a block of %d tensors with %d groups of %d inputs and %d outputs: %s",
			l[i].Name, b.Tensors, b.Groups, b.In, b.Out, why)
	}
	if b.Tensors < 1 || b.Tensors > 2 || i+b.Tensors > len(l) {
		return refuse("allowed are 1 and 2, as far as there are tensors")
	}
	if b.In < 0 || b.Out < 1 || b.Groups < 0 || b.In == 0 && b.groups() > 1 || b.groups() > 1 && !b.Transposed {
		return refuse("allowed are positive sizes, no inputs only in one group, and several groups only transposed")
	}
	size := 0
	for k := range b.Tensors {
		if k > 0 && l[i+k].Block != nil {
			return refuse(fmt.Sprintf("%q begins another", l[i+k].Name))
		}
		size += l[i+k].Size()
	}
	want := b.Out
	if b.In > 0 {
		want = b.groups() * b.Out * (b.In + b.Tensors - 1)
	}
	if size != want {
		return refuse(fmt.Sprintf("its tensors have %d elements, not %d", size, want))
	}
	return nil
}

// Targets says of which derivatives the factors of the curvature are made.
type Targets uint8

// The targets.
const (
	// TargetsMC are drawn from the model: the mean over draws is the Gauss-Newton matrix.
	TargetsMC Targets = iota
	// TargetsExact take the loss's output Hessian apart, column by column: as many passes back as there are outputs.
	TargetsExact
	// TargetsEmpirical are those of the data: the empirical Fisher matrix.
	TargetsEmpirical
)

// targetWords are the words for them in settings.
var targetWords = []string{"mc", "exact", "empirical"}

// Factors is a Sample (see SampleAs) of a network that shows what goes into and comes back at each layer.
type Factors[T Float] interface {
	// Factors runs the examples at x and shows f, one after another, the rows of each of the layout's blocks, and the
	// derivatives of each tensor that belongs to none. Examples that go through in parts are shown part by part, and
	// exact targets output by output.
	//
	// With reduce an example's rows are one: the mean of what goes in and the sum of what comes back.
	Factors(x []T, t Targets, reduce bool, f func(*FactorRows[T]) error) error
	// Passes is how often the network is run back with those targets.
	Passes(t Targets) int
}

// FactorRows is what a Factors oracle shows. It is valid during the call. With a the rows that go in and g those that
// come back, both of a block, the Gauss-Newton matrix of the mean loss in that block is about
//
//	(Σ a a' / number of rows a) ⊗ (Σ g g')
//
// over all parts and outputs, the sums of each part times its Share.
type FactorRows[T Float] struct {
	Tensor    int     // index in the layout: the first of a block, or one that belongs to none
	Share     float64 // of the sample's examples
	Examples  int     // of this part
	Positions int     // rows of one example
	In        []T     // [Examples·Positions, Groups·In]; nil where In is 0, or where they are those shown last for the block
	Out       []T     // [Examples·Positions, Groups·Out]
	// Grad is, of a tensor that belongs to no block, a random vector whose squares have the diagonal of the Gauss-Newton
	// matrix as their mean (its sum over the outputs with exact targets; Liu et al. 2023, arXiv 2305.14342, eq. 8).
	Grad []T
}

// WorkFactors is the work of a Factors call for each example: a pass forward, and passes back.
func WorkFactors(passes int) int64 { return WorkLoss + int64(passes)*(WorkGrad-WorkLoss) }
