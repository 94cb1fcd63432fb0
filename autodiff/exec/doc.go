// Package exec compiles Gorgonia graphs to programs and runs them.
//
// [Compile] lowers each node's operation ([Op]) to instructions with a
// [Builder], and puts the instructions through a list of passes: what no output
// needs is dropped, equal values are computed once, constants are folded,
// transposes become part of matrix products, elementwise work goes into what stands
// before and behind it, the order is chosen so that little memory is in use at once,
// and every tensor is given its place in one arena.
// What is left is a [Program], which prints as it runs.
//
// A program reads inputs and parameters where its caller keeps them, and never
// copies them: Set is called once, Run as often as the numbers change. Run
// allocates nothing after its first call. Work is divided by shape and not by
// the number of cores, so the same numbers give the same bits on any of them.
//
// A program with late inputs, directions at one point for example, computes what
// does not depend on them once, and can take several values of them at a time.
// Each core takes a group of them from the first instruction to the last, and helps
// another when none is left. The group is as large as the core's cache: each instruction
// runs for all of it, and a product with a shared operand is one wide product.
//
// Programs are for several goroutines only one at a time; any number may be
// made of one graph. Numbers are float32 or float64, the same in a whole graph.
package exec
