package optimizers

// hessianMethods are those beside HF that use a diagonal of the curvature, its products or its negative directions.
func hessianMethods() []Method {
	return []Method{&AdaHessian{}, &Sophia{}}
}
