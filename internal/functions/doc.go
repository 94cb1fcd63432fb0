// Package functions is a test set for optimizers: the functions of gonum.org/v1/gonum/optimize/functions whose minima
// are known, each from the starts that the literature and gonum's own tests use, in float64 and with products of their
// Hessians.
//
// It leaves out functions that are not differentiable where one would arrive (Ackley, Bukin6, CrossInTray, Eggholder,
// HolderTable, Schwefel: a root or an absolute value), and those of which gonum lists no minimum (GramacyLee, Langermann2,
// Shubert, Schaffer4; Linear has none).
//
// [Run] has a method minimise one of them and says where it has arrived; [RunGonum] does the same with gonum's own.
package functions
