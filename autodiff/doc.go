// Package autodiff differentiates Gorgonia graphs, exactly and to any order.
//
// What it gives are nodes of the same graph: [Grad], [JVP], [VJP], [HVP], [GGN],
// [Jacobian] and [Hessian] can enter further expressions and be differentiated
// again. [Compile] turns nodes into a program that runs. [Check] compares
// derivatives with finite differences.
//
// A graph may be written with the operations of package ops or with Gorgonia's
// own functions. Of the latter, those with an exact counterpart are translated
// to it; any other is an error that names the node. Gorgonia's own derivatives
// are never used.
//
// A tensor that something is differentiated with respect to is taken as a
// variable of its own, even where it depends on others: Grad(loss, logits) is
// the gradient at the output of a network.
package autodiff
