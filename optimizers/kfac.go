package optimizers

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// KFAC is natural gradient descent with Kronecker-factored curvature (Martens & Grosse 2015, arXiv 1503.05671; see
// [Kronecker]). With g the gradient of the minibatch, that of weight decay η|x|²/2 included, a step is
//
//	D = -(F̂ + damping)⁻¹ g             F̂ the blocks A ⊗ G, damping factored with γ = sqrt(λ + η), see Kronecker.Invert
//	x = x + α D + μ p                  p the step before
//
// where (α, μ) minimise the quadratic of the exact Gauss-Newton matrix F on fresh examples,
//
//	q(s) = g's + s'(F + (λ+η) I)s/2    s = α D + μ p
//
// so that there is neither a learning rate nor a momentum to choose (section 7; one product with D and one with p). Where D and p
// are as good as parallel, or α would be negative, μ is 0. The details are those of sections 5, 6 and 8:
//
//   - Factors are estimated every StatEvery steps, and in each of the first ten, on the share Factors of a minibatch, with
//     targets drawn from the model. The quadratic is that of the share Curvature of the minibatch, or of as many of its
//     examples as have Rank outputs: with less, it does not see what the step does to the others. Both are of the
//     minibatch's own examples, which the step fits more than others, so that they see where it is too long. Factors are
//     means that forget by min(1-1/k, EMA) at estimate k. Inverses follow at steps 0, 1, 2, 5, 10 and then every
//     InvertEvery.
//   - Damping, after Levenberg and Marquardt: every AdaptEvery steps, with ρ = (f(x+s) - f(x)) / q(s) on the minibatch, λ is
//     multiplied by 0.95^AdaptEvery where ρ > 3/4, down to MinDamping, and divided by it where ρ < 1/4. γ stays in
//     [MinGamma, MaxGamma]. A step that makes the loss of its own minibatch larger is not taken where that is seen: λ
//     grows, and p is forgotten. The paper's first λ, 150, costs a hundred steps on a deep autoencoder, and 1 still 25.
//   - Minibatches grow by Growth in each step after GrowFrom, up to Most examples, as [GeometricBatch] has it, since late
//     steps are no better than their gradients: on a deep autoencoder that is worth an eighth of the error after 700 steps,
//     for a quarter more time a step. The paper's go from 1000 to all examples in 500 steps.
//   - The weights to evaluate are a mean of the iterates that moves to the n-th by the share (Average+1)/(Average+n), so
//     that it is over about the last n/Average of them (Shamir & Zhang 2013, arXiv 1212.1824; see [Averaging]). The paper's
//     forgets by .99 from step 200 on, which is too long a mean before step 1000.
//
// With Rescale off, α is LR and μ Momentum, after a schedule if there is one; then KLClip bounds the step to
// |LR²·D'g| ≤ KLClip, as in later practice.
//
// Inverse says how damping meets the factors: "factored", "exact" for (A ⊗ G + γ² I)⁻¹ through eigenvectors, or "ekfac",
// which corrects the eigenvalues as well (see Kronecker.InvertExact); the latter two cost far more in large layers.
//
// Parameters without a block (those of layers of one's own, or that are used twice) and layers with a factor larger than
// MaxDim get the inverse of a diagonal. A problem without factors, such as a plain function, has no preconditioner, D = -g:
// what is left is the method of steepest descent with the exact quadratic's step and momentum.
//
// For training with minibatches of hundreds of examples and more. Where a step's cost counts for less than its
// direction, HF with the factors as a preconditioner goes further; with small minibatches Adam is faster.
type KFAC struct {
	Damping     float64 `set:"damping" default:"0.1" range:"(0,inf)" help:"first λ, which is added to the curvature"`
	MinDamping  float64 `set:"min_damping" default:"0.003" range:"(0,inf)" help:"least λ, against steps that fit their own minibatch only"`
	WeightDecay float64 `set:"weight_decay" default:"3e-05" range:"[0,inf)" help:"η: adds half of it times |x|² to the loss"`
	MinGamma    float64 `set:"min_gamma" default:"0.05" range:"[0,inf)" help:"least γ, the root of the damping of the factors"`
	MaxGamma    float64 `set:"max_gamma" default:"1" range:"(0,inf)" help:"largest γ"`
	Growth      float64 `set:"growth" default:"1.002" range:"[1,inf)" help:"growth of the minibatch in each step; 1: it stays as it is"`
	GrowFrom    int     `set:"grow_from" default:"200" range:"[0,inf)" help:"steps before it grows"`
	Most        int     `set:"most" default:"2000" range:"[0,inf)" help:"examples that it grows to; 0: the whole training set"`
	EMA         float64 `set:"ema" default:"0.95" range:"[0,1)" help:"share of the old factors that a new estimate leaves"`
	Factors     float64 `set:"factors" default:"0.125" range:"(0,1]" help:"examples for factors, as a share of a minibatch"`
	Curvature   float64 `set:"curvature" default:"0.125" range:"(0,1]" help:"examples for the exact quadratic: at least this share of a minibatch, and"`
	Rank        int     `set:"rank" default:"5000" range:"[1,inf)" help:"so many that all their outputs are at least this many"`
	StatEvery   int     `set:"stat_every" default:"2" range:"[1,inf)" help:"steps from one estimate of the factors to the next"`
	InvertEvery int     `set:"invert_every" default:"20" range:"[1,inf)" help:"steps from one inversion to the next"`
	AdaptEvery  int     `set:"adapt_every" default:"5" range:"[1,inf)" help:"steps from one look at the damping to the next"`
	Adapt       Toggle  `set:"adapt" default:"true" help:"adapt the damping"`
	Rescale     Toggle  `set:"rescale" default:"true" help:"step length and momentum from the exact quadratic"`
	LR          float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"without rescale: learning rate"`
	Momentum    float64 `set:"momentum" default:"0.9" range:"[0,1)" help:"without rescale: share of the last step to add"`
	KLClip      float64 `set:"kl_clip" default:"0" range:"[0,inf)" help:"without rescale: most of the squared step in the metric of the curvature; 0: no bound"`
	Average     float64 `set:"average" default:"16" range:"[0,inf)" help:"weights to evaluate are a mean over about the last n/average of n steps; 0: no average"`
	Targets     string  `set:"targets" default:"mc" oneof:"mc|exact|empirical" help:"derivatives for the factors: drawn from the model, all of the loss's curvature, or those of the data"`
	Sharing     string  `set:"sharing" default:"expand" oneof:"expand|reduce" help:"positions of a convolution: rows of their own, or one of their sum"`
	JointBias   Toggle  `set:"joint_bias" default:"true" help:"weight and bias of a layer in one block"`
	Inverse     string  `set:"inverse" default:"factored" oneof:"factored|exact|ekfac" help:"how damping meets the factors"`
	MaxDim      int     `set:"max_dim" default:"4096" range:"[1,inf)" help:"largest factor; layers beyond have a diagonal"`
}

var _ Method = (*KFAC)(nil)

// Name is kfac.
func (*KFAC) Name() string { return "kfac" }

func (*KFAC) info() Info {
	return Info{Name: "kfac", Memory: 9, Batch: 500,
		Use: "Kronecker-factored curvature: few strong steps without a learning rate; deep networks, minibatches of hundreds"}
}

func (m *KFAC) check() error {
	if m.MinGamma > m.MaxGamma {
		return fmt.Errorf("optimizers: kfac: min_gamma is %v; allowed is at most max_gamma, %v", m.MinGamma, m.MaxGamma)
	}
	return nil
}

func (m *KFAC) start32(l Layout) (Optimizer[float32], error) { return startKFAC[float32](m, l) }
func (m *KFAC) start64(l Layout) (Optimizer[float64], error) { return startKFAC[float64](m, l) }

func startKFAC[T Float](m *KFAC, l Layout) (Optimizer[T], error) {
	s, err := resolve("kfac", m)
	if err != nil {
		return nil, err
	}
	needs := NeedGrad
	if s.Rescale == On {
		needs |= NeedGaussNewton
	}
	k, err := NewKronecker[T](l, KroneckerOptions{
		Targets: Targets(slices.Index(targetWords, s.Targets)), Reduce: s.Sharing == "reduce",
		SeparateBias: s.JointBias == Off, EKFAC: s.Inverse == "ekfac", MaxDim: s.MaxDim})
	if err != nil {
		return nil, err
	}
	if s.Inverse != "factored" {
		k.startEigen() // the state has its eigenvalues from the beginning
	}
	o := &kfac[T]{core: newCore[T]("kfac", needs, l), rate: newRate(s.LR), momentum: newKnob("momentum", s.Momentum, math.Nextafter(1, 0)),
		set: s, curvature: k, damping: s.Damping}
	o.last, o.solution, o.trial = make([]T, o.size), make([]T, o.size), make([]T, o.size)
	o.passes.init(o.size)
	if s.Average > 0 {
		o.average = make([]T, o.size)
	}
	if s.Growth > 1 {
		return newGeometricBatch("kfac", o, GeometricBatch{Tau: s.Growth, Most: s.Most}, s.GrowFrom, l), nil
	}
	return o, nil
}

type kfac[T Float] struct {
	core[T]
	rate
	momentum  knob
	set       KFAC
	curvature *Kronecker[T]
	damping   float64
	estimates int // of the factors so far
	last      []T // the step before
	average   []T // of the iterates; nil without

	// Of the step that is being taken.
	ctx      context.Context
	solution []T // of the curvature with the gradient, the direction with the other sign; then the step
	trial    []T
	passes   kfacPasses[T]
	pair     [2][]T     // solution and last
	forms    [4]float64 // their curvature
	product  []T        // with one of them, where the problem knows no forms
	work     int64
}

// Momentum is that of the next step; without Rescale alone it is of use.
func (o *kfac[T]) Momentum() float64 { return o.momentum.now }

// SetMomentum changes it, unless the settings have none.
func (o *kfac[T]) SetMomentum(momentum float64) {
	if o.set.Momentum != 0 {
		o.momentum.now = momentum
	}
}

var _ Averaging[float32] = (*kfac[float32])(nil)

// EvalWeights gives the average, or x before it has begun.
func (o *kfac[T]) EvalWeights(dst, x []T) {
	if o.averaged() {
		x = o.average
	}
	copy(dst, x)
}

// averaged tells whether there is an average.
func (o *kfac[T]) averaged() bool { return o.average != nil && o.steps > 0 }

func (o *kfac[T]) shape() shape {
	s := shape{method: o.method, scalars: []string{"damping", "estimates"}, optional: []string{"lr", "momentum"},
		vectors: map[string]int{"last_step": o.size}}
	if o.average != nil {
		s.vectors["average"] = o.size
	}
	o.curvature.shape(&s)
	return s
}

func (o *kfac[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"damping": o.damping, "estimates": float64(o.estimates)},
		Vectors: map[string][]T{"last_step": append([]T{}, o.last...)}}
	if o.average != nil {
		s.Vectors["average"] = append([]T{}, o.average...)
	}
	o.lr.save(s.Scalars)
	o.momentum.save(s.Scalars)
	o.curvature.save(&s)
	return s
}

func (o *kfac[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if d := s.Scalars["damping"]; !(d > 0) || !finite(d) {
		return fmt.Errorf("optimizers: state of kfac: damping is %v; allowed are numbers above 0", d)
	}
	if n := s.Scalars["estimates"]; !(n >= 0) || n != math.Trunc(n) || n > 1<<53 {
		return fmt.Errorf("optimizers: state of kfac: %v estimates; allowed are whole numbers from 0", n)
	}
	if err := o.curvature.load(s); err != nil {
		return err
	}
	o.steps, o.damping, o.estimates = s.Step, s.Scalars["damping"], int(s.Scalars["estimates"])
	o.lr.load(s.Scalars)
	o.momentum.load(s.Scalars)
	copy(o.last, s.Vectors["last_step"])
	if o.average != nil {
		copy(o.average, s.Vectors["average"])
	}
	return nil
}
