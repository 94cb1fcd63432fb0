// Package bench times fixed workloads, so that figures of different days and
// libraries can be put side by side. It has benchmarks only:
//
//	go test ./internal/bench -run '^$' -bench 'Saddle/W1/step|Gorgonia/W1'
//
// All are in float32:
//
//	W0  784-128-10, relu, softmax cross-entropy, batch 64
//	W1  784-512-512-10, relu, softmax cross-entropy, batch 128, products 512
//	W2  conv 32, pool, conv 64, pool, 128, 10, relu, windows 3x3, softmax
//	    cross-entropy, batch 128, products 256
//	W3  784-1000-500-250-30 and back, sigmoid, linear code, sigmoid
//	    cross-entropy summed over pixels, batch 1000
//
// A step gathers a random minibatch, computes loss and gradient and updates
// with Adam; grad, hvp and ggn work on one batch, at one point. BenchmarkGorgonia
// is the same step by Gorgonia's own machine and derivatives. Steps of optimizers
// alone are timed by command updates and optimizers.py, spectra by landscape.py.
package bench
