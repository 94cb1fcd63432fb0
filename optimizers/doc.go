// Package optimizers holds update rules that move one flat vector of parameters towards a lower loss. It knows no
// network, no graph and no file: a network's tensors are named pieces of the vector, and all that a rule asks is put
// to an interface.
//
// # The words
//
// A [Method] is a rule with its settings, such as [SGD], [Adam], [HF] or [TrustRegion]: a struct whose zero fields mean the
// documented defaults. [New] starts an [Optimizer] of it, which has the memory of one run: its Step moves the
// parameters in place and gives a [Report], its [State] is all that a run needs to go on to the same bits.
//
// A [Problem] is what a step may look at: this step's minibatch, the whole training set, or a fresh sample. Each is a
// [Sample], which answers as an [Objective] (loss, gradient) and as a [Curvature] (products with the Hessian and the
// Gauss-Newton matrix at a point). An [Oracle] says which of these questions a method asks or a problem can answer;
// [Check] compares the two before the first step.
//
// A [Layout] names the tensors of the vector, with their shapes and kinds: for error messages, and for rules that
// treat biases or matrices in a way of their own. [Flat] is the layout of a plain function.
//
// [Clip], [Decay], [Noise], [SAM], [Accumulate], [Lookahead], [EMA], [Polyak], [SWA], [NormTest], [GeometricBatch] and [Scheduled] are methods around
// another, and around each other in any order that means something; New says which does not. Some methods move x
// through points that are not the weights to use: these are [Averaging]. [Groups] gives some tensors settings of their
// own, or freezes them.
//
// A [Schedule] sets the learning rate of every step or epoch, and perhaps the momentum: [Cosine], [OneCycle], [Plateau]
// and others, or a function by [ScheduleFunc]; [Sequential] and [Chained] are made of several. [Scheduled] puts a method
// under one, with a warm-up. What spans the run is told its length by [ForSteps] or [ForEpochs].
//
// [Minimize] runs a method on a function, with nothing else to set up; a [Func] makes one of closures, and a [Sum] a mean
// of many terms, for [SVRG], [SAGA], [SARAH] and [STORM], which reduce the variance of minibatches. [CG], [Lanczos],
// [Armijo] and [Wolfe] are the parts that methods with curvature are made of.
//
// # In words
//
// [Parse] reads a method as people write it, [Spec] writes it, and [Methods], [Wrappers] and [Schedules] list the
// names with their settings, ranges and defaults:
//
//	sgd:lr=0.05,momentum=0.9,nesterov
//	adamw:weight_decay=0.1+clip:norm=1
//	adam:lr=0.003+cosine:warmup=500,final=0.01
//	adamw+group:bias,norm:weight_decay=0+group:dense1:lr=0.1x
//	sgd:momentum=0.9+sequential:schedules=(linear:total_iters=5)/cosine,milestones=5,unit=epoch
//
// A name, setting or value that is not allowed is an error that says what is, and the nearest match.
//
// # Work
//
// Methods differ in what a step costs, so a Report counts it in forward-equivalents: the loss of one example is 1, a
// gradient 2, a product with the Hessian or the Gauss-Newton matrix 4, squared gradients of single examples 2. A
// gradient of 100 examples is 200, and HF with its default settings spends 4·1000 on each of its products. Linearize is
// not counted: its pass forward is part of the products. The networks of Xu et al. (2018) count a gradient as 1
// and a product as 2, so that their figures compare only after conversion.
//
// # One's own
//
// An optimizer of one's own needs one method, Step, as a [Stepper] has it; [Of] makes a Method of it, and [Own] one
// that can be started many times and in both precisions. It may ask p for whatever it needs, moves x in place, and
// after an error leaves x and its own memory as they were. Further methods that it may have, and what is assumed
// without them, stand at Stepper. Package opttest runs the tests that the methods here have to pass on any other.
//
// # What holds for all methods here
//
// An error leaves the parameters and the state as they were before the step; a loss or gradient that is not finite is
// such an error, a [NonFiniteError], which names the gradient's tensor. A step allocates nothing after the first. The parameters
// are float32 or float64; sums over them are made in float64, in an order that does not depend on the machine. An
// Optimizer is not safe for concurrent use; a Method is, as long as nobody writes to its fields.
package optimizers
