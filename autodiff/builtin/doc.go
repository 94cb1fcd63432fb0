// Package builtin translates graphs written with Gorgonia's own functions to
// the operations of package ops.
//
// An operation is translated if it has an exact counterpart, by an allow-list;
// any other is an error that names the node. What is translated means what
// Gorgonia's documentation says, also where Gorgonia computes something else:
// AveragePool2D divides by the size of the window (it divides by the width of
// the image), padding given side by side lies where it was asked for, LogSumExp
// is the logarithm of a sum of exponentials, and Dropout keeps what it should
// keep.
//
// Gorgonia builds some graphs wrongly before anyone else sees them. What can be
// noticed is refused: inputs without a name, of which all of one shape are one
// node; operations on nodes whose 32-bit hashes are equal, which Gorgonia takes
// for one; and operations on a sum 1+a that its logarithm has destroyed since.
//
// What cannot be noticed is that two functions of one node became one node, the
// first built, because their hashes leave out in what they differ: SoftMax and
// LogSoftMax, two Dropouts of any rates, constants that print alike, slices whose bounds are equal modulo
// 256, poolings that differ in padding below or on the right alone,
// convolutions of one output size that differ in dilation alone, and, rarely,
// any two operations of equal shapes by chance. With stabilisation on, which is
// the default, Log(SoftMax(x)) also makes the node SoftMax(x) itself one of
// logarithms; gorgonia.UseNonStable turns that off. None of this happens to
// graphs written with package ops.
package builtin
