package optimizers

// hessianMethods are those beside HF that use a diagonal of the curvature, its products or its negative directions.
func hessianMethods() []Method {
	return []Method{&AdaHessian{}, &Sophia{}, &NaturalGradient{}, &NegativeCurvature{}, &PerturbedGD{}}
}

// stepRules makes one of each wrapper that finds a learning rate from the loss and gradient of each minibatch.
func stepRules() []wrapper { return []wrapper{&SPS{}, &ArmijoStep{}} }
