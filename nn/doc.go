// Package nn describes networks: layers, initialisers, losses and models by
// name. A network is a value made of [Layer] values; [Build] gives it
// parameters, and a [Model] writes it as a graph for any batch size.
//
// A layer of one's own is one function on nodes: see [Func].
package nn
