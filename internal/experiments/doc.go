// Package experiments reproduces what papers claim. An Experiment runs, compares
// what it finds with the paper's numbers and says by tolerances of its own whether
// the claim holds here too. Each is a file that registers itself:
//
//	func init() {
//		register(Experiment{Name: "sparse-features", Claim: "...", Run: sparseFeatures})
//	}
//
// Env gives an experiment a directory, in which Keep and Env.Train keep what is
// done, so that one that was interrupted goes on from there.
package experiments
