package optimizers

// CubicNewton is Newton's method with cubic regularisation (Nesterov & Polyak 2006),
//
//	x⁺ = argmin  g's + s'Hs/2 + σ|s|³/3        s = x⁺ - x
//
// g the minibatch gradient, H the Hessian on a sample. With L2, a Lipschitz constant of the Hessian, σ is L2/2 for good:
// the model then lies above the loss, which falls in every step, and for a convex loss as 1/k². Without, σ is
// halved after a step and doubled until the model at the step is no lower than the minibatch's loss there, up to 40 times.
//
// The model is minimised over the space of LanczosIters steps of Lanczos, or of as many as bring its gradient down to a
// millionth of the loss's: exactly, where there are no more parameters than steps. Saddles are left as by ARC, which
// trusts a model that does not bound the loss and takes fewer and longer steps. A loss that is not finite after a step
// doubles σ, with L2 for this step only.
type CubicNewton struct {
	L2           float64 `set:"l2" default:"0" range:"[0,inf)" help:"Lipschitz constant of the Hessian; 0: found by doubling"`
	Cubic        float64 `set:"cubic" default:"1" range:"(0,inf)" help:"first σ where there is no l2"`
	Curvature    float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set"`
	LanczosIters int     `set:"lanczos_iters" default:"50" range:"[1,100000]" help:"most steps of Lanczos"`
	Sampling     string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Hessians"`
	WeightDecay  float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*CubicNewton)(nil)

// Name is cubic.
func (*CubicNewton) Name() string { return "cubic" }

func (*CubicNewton) info() Info {
	return Info{Name: "cubic", Memory: 54, Batch: 10000,
		Use: "Newton's method with cubic regularisation, its model above the loss: for its guarantees; arc is faster"}
}

func (m *CubicNewton) start32(l Layout) (Optimizer[float32], error) { return startCubic[float32](m, l) }
func (m *CubicNewton) start64(l Layout) (Optimizer[float64], error) { return startCubic[float64](m, l) }

func startCubic[T Float](m *CubicNewton, l Layout) (Optimizer[T], error) {
	s, err := resolve("cubic", m)
	if err != nil {
		return nil, err
	}
	set := ARC{Cubic: s.Cubic, Curvature: s.Curvature, LanczosIters: s.LanczosIters, LanczosTol: 1e-6, Tries: 40,
		Sampling: s.Sampling, Objective: "batch", WeightDecay: s.WeightDecay}
	rule := arcBound
	if s.L2 > 0 {
		set.Cubic, rule = s.L2/2, arcConstant
	}
	return newARC[T]("cubic", l, set, rule), nil
}
