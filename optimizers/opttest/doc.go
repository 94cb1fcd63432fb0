// Package opttest checks that an optimizer keeps the contract of package optimizers: that it resumes to the same bits,
// leaves the parameters alone when it fails, counts its work, allocates nothing, and finds known minima. It is for the
// tests of those who write one:
//
//	func TestSignDescent(t *testing.T) {
//		opttest.Run(t, func() optimizers.Method { return optimizers.Of(&SignDescent{LR: 0.01}) },
//			opttest.Goal{Known: opttest.Rosenbrock, Steps: 5000, Below: 1})
//	}
package opttest
