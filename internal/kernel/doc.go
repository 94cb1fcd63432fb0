// Package kernel holds the arithmetic: loops over slices of float32 or float64
// with no knowledge of graphs, shapes with names, or threads.
//
// Every kernel has a version in plain Go that runs anywhere; most have others in
// AVX2 and AVX-512 assembly, which the programs in gen write and [CPU] tells of. A
// kernel never allocates, never reads or writes outside the slices it is given,
// and gives the same bits for the same arguments, so a caller may cut work into
// pieces by shape and run the pieces on any number of cores. AVX2 and AVX-512 give
// the same bits; so does plain Go, but for matrix products, for the functions whose
// [Fn.Accuracy] is not 0.5, and for what is made of these.
package kernel

// Float is the element type of every kernel.
type Float interface{ float32 | float64 }
