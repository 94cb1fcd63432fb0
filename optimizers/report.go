package optimizers

// Work counts what a step has computed, in forward-equivalents: the cost of the loss of one example is 1. Methods are
// compared by it as well as by seconds. Curvature.Linearize is not counted: its pass forward is part of the products.
const (
	WorkLoss         = 1 // Objective.Loss, for each example
	WorkGrad         = 2 // Objective.Grad
	WorkHessian      = 4 // Curvature.HessianMul
	WorkGaussNewton  = 4 // Curvature.GaussNewtonMul
	WorkSquaredGrads = 2 // SquaredGrads.SquaredGrads
	WorkSampledGrad  = 2 // SampledGrads.SampledGrad
	WorkForms        = 2 // GaussNewtonForms.GaussNewtonForms, for each direction
	WorkExampleGrads = 2 // ExampleGrads.ExampleGrads
	WorkStructural   = 4 // StructuralDamping.StructuralMul
)

// Report is what a step tells. A number that a method does not have is 0.
type Report struct {
	Loss     float64 // mean loss of the minibatch, or of what has grown out of it, before the step, without weight decay
	GradNorm float64 // Euclidean norm of its gradient, before clipping and without weight decay
	LR       float64 // learning rate of this step; of a method with a line search, the rate it found
	StepNorm float64 // Euclidean norm of the change of the parameters, where the method measures it
	Work     int64   // forward-equivalents, see WorkLoss
	Props    int64   // propagations as Xu et al. (2018) count them, with Props around the method
	Rejected bool    // the step was refused, by a line search for example: the parameters are as before
	Trials   int     // points that the step has tried, by a line search or until the model could be trusted

	// Of methods whose minibatch grows.
	Batch int     // examples of it in this step
	Noise float64 // variance of its gradient, in all parameters together, over the gradient's norm squared, where measured

	// Of methods that use curvature.
	Damping       float64 // added to the curvature's diagonal in this step
	Radius        float64 // of the trust region in this step
	Cubic         float64 // σ of a model with the term σ|s|³/3; Damping is σ|s| then
	Rho           float64 // Decrease / ModelDecrease; NaN where it has none
	ModelDecrease float64 // what the quadratic model promised, without damping where the method does not say otherwise
	Decrease      float64 // what the objective gave, on the same examples
	CGIterations  int     // iterations of conjugate gradients, or of Lanczos
	CGStop        string  // why they stopped: one of the Stop constants
	MinCurvature  float64 // lowest v'Bv/v'v seen in them, without damping
}
