package optimizers

import "context"

// SAM gives a method the gradient at the worst point nearby in the place of the gradient at x, so that it seeks minima
// whose surroundings are low as well. With the minibatch gradient g at x
//
//	e = Rho·g/(|g| + 1e-12)                          SAM
//	e = Rho·x²·g/(| |x|·g | + 1e-12)                 Adaptive: ASAM, which does not see how the weights are scaled
//	the method gets the gradient at x + e, and moves x
//
// (Foret, Kleiner, Mobahi & Neyshabur 2021, equation 2, whose Rho is the default; Kwon, Kim, Park & Choi 2021,
// equation 4, with Rho 0.5 to 2.) Norms are over all parameters together. Every gradient that the method asks for is
// changed so; losses, curvature products and squared gradients are as they were, and the Report tells of the loss and
// gradient at x. The State is that of the wrapped method.
//
// For generalisation in long training, where a step may cost two gradients instead of one. Not for a short budget, and
// not from a start near a saddle, which draws it in (Kim et al. 2023).
type SAM struct {
	Rho      float64 `set:"rho" default:"0.05, or 0.5 with adaptive" range:"[0,inf)" help:"distance at which the gradient is taken"`
	Adaptive bool    `set:"adaptive" default:"false" help:"distances relative to each weight (ASAM)"`
	Of       Method  // the method that gets the gradients
}

var _ Method = (*SAM)(nil)

// Name is that of the wrapped method, and +sam.
func (w *SAM) Name() string { return wrapperName("sam", w.Of) }

func (*SAM) info() Info {
	return Info{Name: "sam", Memory: 1, Use: "gradients at the worst point nearby: flat minima, for twice the work"}
}

func (w *SAM) defaults() {
	if w.Rho == 0 {
		w.Rho = 0.05
		if w.Adaptive {
			w.Rho = 0.5
		}
	}
}

func (*SAM) word() string    { return "sam" }
func (w *SAM) inner() Method { return w.Of }

func (w *SAM) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *SAM) start32(l Layout) (Optimizer[float32], error) { return startSAM[float32](w, l) }
func (w *SAM) start64(l Layout) (Optimizer[float64], error) { return startSAM[float64](w, l) }

func startSAM[T Float](w *SAM, l Layout) (Optimizer[T], error) {
	s, err := resolve("sam", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("sam", s.Of, l)
	if err != nil {
		return nil, err
	}
	if _, twice := As[*sam[T]](o); twice {
		return nil, clash("sam", s.Of.Name(), "its gradients are those of the worst point nearby already")
	}
	if err := refuseReducer("sam", s.Of.Name(), o); err != nil {
		return nil, err
	}
	a := &sam[T]{Optimizer: o, set: s, near: make([]T, l.Size())}
	a.problem.grad, a.pass = a.grad, a.block
	return a, nil
}

type sam[T Float] struct {
	Optimizer[T]
	set     SAM
	problem gradProblem[T]
	near    []T   // x + e
	extra   int64 // work of this step that the method does not know of

	// Of a pass over the vectors.
	g, x  []T
	c     T
	weigh bool // near is to be |x| g
	pass  func(worker, i int)
}

// Unwrap is the wrapped method's optimizer.
func (w *sam[T]) Unwrap() Optimizer[T] { return w.Optimizer }

func (w *sam[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if p == nil {
		return w.Optimizer.Step(ctx, x, nil)
	}
	w.extra = 0
	w.problem.begin(p)
	r, err := w.Optimizer.Step(ctx, x, &w.problem)
	w.problem.end(&r, err)
	if err == nil {
		r.Work += w.extra
	}
	return r, err
}

// grad is the gradient at the worst point near x, and the loss at x.
func (w *sam[T]) grad(s *gradSample[T], dst, x []T) (float64, error) {
	loss, length, err := s.asItWas(dst, x)
	if err != nil || !finite(length) || !finite(loss) {
		return loss, err // for the method to refuse
	}
	w.g, w.x = dst, x
	if w.set.Adaptive {
		w.weigh = true
		inBlocks(len(dst), w.pass)
		w.weigh = false
		length = norm(w.near)
	}
	w.c = T(w.set.Rho / (length + 1e-12))
	inBlocks(len(dst), w.pass)
	w.g, w.x = nil, nil
	if _, err := s.Sample.Grad(dst, w.near); err != nil {
		return loss, err
	}
	w.extra += WorkGrad * int64(s.Len())
	return loss, nil
}

// block sets near to x + e in one block.
func (w *sam[T]) block(_, i int) {
	near, g, x := block(w.near, i), block(w.g, i), block(w.x, i)
	switch {
	case w.weigh:
		for j, v := range x {
			near[j] = max(v, -v) * g[j]
		}
	case w.set.Adaptive:
		for j, v := range x {
			near[j] = v + T(w.c*T(v*v)*g[j])
		}
	default:
		for j, v := range x {
			near[j] = v + T(w.c*g[j])
		}
	}
}
