package optimizers

import (
	"context"
	"fmt"
	"math"
)

// PerturbedGD is gradient descent that leaves saddles by a random push (Jin, Ge, Netrapalli, Kakade & Jordan 2017,
// Algorithm 4). With the minibatch loss f and gradient g at x:
//
//   - Where |g| ≤ Threshold, and the last push is more than Wait steps ago, x is kept as x̃ and pushed to x̃ + ξ, with ξ
//     uniform in the ball of radius Radius.
//   - Wait steps after a push, if the loss has not fallen by Decrease since x̃, x goes back to x̃, near which there is no
//     direction down that the push would have found: it is taken for a minimum, and pushed no more until |g| is above
//     Threshold again. The paper's algorithm returns x̃ and ends.
//   - In every step x = x - LR·g, with the gradient at the pushed point where there is a push.
//
// For a loss with ℓ-Lipschitz gradients and ρ-Lipschitz Hessian and an accuracy ε, and a constant c ≤ 1, χ a logarithm
// of all of these, the paper has LR = c/ℓ, Threshold = √c·ε/χ², Radius = √c·ε/(χ²·ℓ), Wait = χ·ℓ/(c²·√(ρε)), and
// Decrease = c·√(ε³/ρ)/χ³; the defaults are rounder, for losses of the size of 1. The comparison with x̃ is on the minibatch of
// the step that makes it. The pushes depend on Seed and the step alone.
//
// To leave the saddles of functions that need no curvature products, and to compare with methods that use them. On
// minibatches the gradient's own noise does the same: use SGD there.
type PerturbedGD struct {
	LR        float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate"`
	Threshold float64 `set:"threshold" default:"0.001" range:"[0,inf)" help:"longest gradient at which x is pushed"`
	Radius    float64 `set:"radius" default:"0.01" range:"(0,inf)" help:"longest push"`
	Wait      int     `set:"wait" default:"50" range:"[1,inf)" help:"steps after a push until its effect is judged"`
	Decrease  float64 `set:"decrease" default:"1e-06" range:"[0,inf)" help:"of the loss, that a push must have led to by then"`
	Seed      int     `set:"seed" default:"0" range:"[0,inf)" help:"of the pushes"`
}

var _ Method = (*PerturbedGD)(nil)

// Name is perturbed_gd.
func (*PerturbedGD) Name() string { return "perturbed_gd" }

func (*PerturbedGD) info() Info {
	return Info{Name: "perturbed_gd", Memory: 3, DefaultLR: 0.1,
		Use: "gradient descent with a random push where the gradient is small: leaves saddles without curvature products"}
}

func (m *PerturbedGD) start32(l Layout) (Optimizer[float32], error) {
	return startPerturbedGD[float32](m, l)
}
func (m *PerturbedGD) start64(l Layout) (Optimizer[float64], error) {
	return startPerturbedGD[float64](m, l)
}

func startPerturbedGD[T Float](m *PerturbedGD, l Layout) (Optimizer[T], error) {
	s, err := resolve("perturbed_gd", m)
	if err != nil {
		return nil, err
	}
	o := &perturbedGD[T]{core: newCore[T]("perturbed_gd", NeedGrad, l), rate: newRate(s.LR), set: s, random: newProbes[T](s.Seed)}
	o.before, o.at = make([]T, o.size), make([]T, o.size)
	return o, nil
}

type perturbedGD[T Float] struct {
	core[T]
	rate
	set     PerturbedGD
	random  *probes[T]
	before  []T  // x̃, of a push that is not judged yet
	pushed  int  // the step of the last push, from 1; 0 before there is one
	judged  bool // the last push is
	settled bool // x is taken for a minimum

	at []T // where the gradient of the step is taken, if not at x
}

func (o *perturbedGD[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	r.LR = o.lr.now
	t := o.steps + 1
	since := t - o.pushed
	if o.pushed > 0 && !o.judged && since >= o.set.Wait {
		loss, err := batch.Loss(o.before)
		if err != nil {
			return Report{}, fmt.Errorf("optimizers: %s: loss: %w", o.method, err)
		}
		r.Work += WorkLoss * int64(batch.Len())
		o.judged, o.steps = true, t
		if !(loss-r.Loss > o.set.Decrease) && finite(loss) {
			copy(x, o.before)
			o.settled = true
			return r, nil
		}
		axpy(x, -T(o.lr.now), o.grad)
		return r, nil
	}
	small := r.GradNorm <= o.set.Threshold
	if small && !o.settled && (o.pushed == 0 || since > o.set.Wait) {
		if err := o.push(ctx, &r, x, batch, t); err != nil {
			return Report{}, err
		}
	} else {
		axpy(x, -T(o.lr.now), o.grad)
	}
	o.settled = o.settled && small
	o.steps = t
	return r, nil
}

// push moves x to a random point nearby and takes a step from there.
func (o *perturbedGD[T]) push(ctx context.Context, r *Report, x []T, batch Sample[T], t int) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("optimizers: %s: no step taken: %w", o.method, err)
	}
	o.random.normals(o.at, t, 0)
	length := norm(o.at)
	if length > 0 {
		var u [1]float64
		o.random.uniforms(u[:], t)
		scale(o.at, T(o.set.Radius*math.Pow(u[0], 1/float64(o.size))/length))
	}
	axpy(o.at, 1, x)
	loss, err := batch.Grad(o.grad, o.at)
	if err != nil {
		return fmt.Errorf("optimizers: %s: gradient: %w", o.method, err)
	}
	r.Work += WorkGrad * int64(batch.Len())
	if !finite(norm(o.grad)) {
		if err := o.nonFinite("gradient", o.grad); err != nil {
			return err
		}
	}
	if !finite(loss) {
		return &NonFiniteError{Method: o.method, What: "loss", Value: loss}
	}
	copy(o.before, x)
	addScaled(x, o.at, -T(o.lr.now), o.grad)
	o.pushed, o.judged = t, false
	return nil
}

func (o *perturbedGD[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"pushed", "judged", "settled"}, optional: []string{"lr"}, vectors: map[string]int{"before": o.size}}
}

func (o *perturbedGD[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Vectors: map[string][]T{"before": append([]T{}, o.before...)},
		Scalars: Scalars{"pushed": float64(o.pushed), "judged": yes(o.judged), "settled": yes(o.settled)}}
	o.lr.save(s.Scalars)
	return s
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (o *perturbedGD[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	pushed := s.Scalars["pushed"]
	if !(pushed >= 0 && pushed <= float64(s.Step) && pushed == math.Trunc(pushed)) {
		return fmt.Errorf("optimizers: state of %s: pushed is %v after %d steps; allowed are whole numbers from 0 to that", o.method, pushed, s.Step)
	}
	for _, name := range []string{"judged", "settled"} {
		if v := s.Scalars[name]; v != 0 && v != 1 {
			return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are 0 and 1", o.method, name, v)
		}
	}
	o.steps, o.pushed = s.Step, int(pushed)
	o.judged, o.settled = s.Scalars["judged"] == 1, s.Scalars["settled"] == 1
	o.lr.load(s.Scalars)
	copy(o.before, s.Vectors["before"])
	return nil
}
