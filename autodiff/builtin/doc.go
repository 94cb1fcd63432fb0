// Package builtin translates graphs written with Gorgonia's own functions to
// the operations of package ops.
//
// An operation is translated if it has an exact counterpart, by an allow-list;
// any other is an error that names the node. What is translated means what
// Gorgonia's documentation says, also where Gorgonia computes something else:
// AveragePool2D divides by the size of the window (it divides by the width of
// the image), padding given side by side lies where it was asked for, and
// Dropout keeps what it should keep.
//
// Gorgonia builds some graphs wrongly before anyone else sees them. What can be
// noticed is refused: inputs without a name, of which all of one shape are one
// node, and operations on nodes whose 32-bit hashes are equal, which Gorgonia
// takes for one. What cannot: SoftMax and LogSoftMax of one node are one node
// (the first built), slices of one node whose bounds are equal modulo 256 are
// one node, and with stabilisation on, which is the default, Log(SoftMax(x))
// changes the node SoftMax(x) itself.
package builtin
