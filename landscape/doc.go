// Package landscape measures the loss around the parameters of a network: the
// spectra of its Hessian and Gauss-Newton matrix, surfaces and paths, symmetries,
// sharpness and noise.
//
// All curvature goes through one interface, [Matrix]: a symmetric matrix that is
// known by its products. A network's Hessian is one (see [HessianOf]), as are its
// Gauss-Newton matrix, the block of one layer ([Block]) and a dense matrix
// ([Dense]), so every routine here works on all of them and says how sure its
// numbers are:
//
//	pairs, err := landscape.Eigen(ctx, a, landscape.EigenOptions{Count: 10})
//	density, err := landscape.Quadrature(ctx, a, landscape.QuadratureOptions{})
//	trace, err := landscape.Trace(ctx, a, landscape.TraceOptions{Tol: 0.01})
//
// Vectors are float64 whatever the network's precision is. The cost of a routine
// is the number of products, which every result states.
package landscape
