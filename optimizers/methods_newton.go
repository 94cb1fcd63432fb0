package optimizers

// newtonMethods makes one of each Newton-type and quasi-Newton method.
func newtonMethods() []Method {
	return []Method{&TrustRegion{}, &ARC{}, &CubicNewton{}, &NewtonCG{}, &LBFGS{}, &RegularizedNewton{}, &GaussNewton{}, &SQN{}, &GD{}, &Nesterov{}}
}
