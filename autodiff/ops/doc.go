// Package ops holds the differentiable operations: each states its shape, one
// rule for its derivative, and how it is computed.
//
// A [Builder] adds operations to a Gorgonia graph. Every operation is a [Rule],
// whose JVP gives the tangent of the result from the tangents of the operands,
// written with operations. Those that are linear in an operand are [Linear] and
// state their transpose, written with operations as well; the set is closed: the
// transpose of a convolution is a convolution, of a gather a scatter-add, of a
// broadcast a sum, of a slice a pad. Reverse mode and derivatives of any order
// follow from the two (package autodiff).
//
// All tensors of a graph hold one number type. Class numbers, indices and masks
// are numbers of that type too; float32 holds whole numbers exactly up to 2^24.
//
// Functions with kinks (relu, max, max-pooling and their kin) are
// differentiated almost everywhere: which side an element is on is a constant
// of the derivative. At the kink itself relu has the slope 0, as in PyTorch.
package ops
