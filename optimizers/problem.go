package optimizers

import (
	"fmt"
	"strings"
)

// Objective is the mean loss over one fixed set of examples (and of dropout masks): the same x gives the same loss.
// An optimizer never changes x while one of these methods runs, and they never change x.
type Objective[T Float] interface {
	Loss(x []T) (float64, error)
	// Grad writes the gradient of the mean loss at x to dst and returns that loss.
	Grad(dst, x []T) (loss float64, err error)
}

// Curvature multiplies vectors by second-derivative matrices of the mean loss, at the point of the last Linearize.
// dst and v never overlap.
type Curvature[T Float] interface {
	Linearize(x []T) error
	// HessianMul sets dst to H v, where H is the Hessian of the mean loss.
	HessianMul(dst, v []T) error
	// GaussNewtonMul sets dst to J'CJ v, where J is the Jacobian of the outputs and C the Hessian of the loss in them.
	GaussNewtonMul(dst, v []T) error
}

// SampleAs looks for an interface on a sample, and then on those it stands around: SampleAs[SquaredGrads[T]](s), for
// example. A sample that changes some of another's answers says by Unwrap which that is, and need not repeat the rest.
func SampleAs[I any, T Float](s Sample[T]) (I, bool) {
	for s != nil {
		if i, ok := s.(I); ok {
			return i, true
		}
		w, ok := s.(interface{ Unwrap() Sample[T] })
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	var none I
	return none, false
}

// BlockCurvature is a Sample (see SampleAs) that multiplies several vectors at once, in less time than one after
// another: what block Lanczos, Hutchinson's estimates and block conjugate gradients are made of. dst[i] is the product
// with v[i].
type BlockCurvature[T Float] interface {
	HessianMuls(dst, v [][]T) error
	GaussNewtonMuls(dst, v [][]T) error
}

// HessianMuls multiplies each v by the Hessian, all at once where s can.
func HessianMuls[T Float](s Sample[T], dst, v [][]T) error {
	if b, ok := SampleAs[BlockCurvature[T]](s); ok {
		return b.HessianMuls(dst, v)
	}
	return oneByOne(s.HessianMul, dst, v)
}

// GaussNewtonMuls multiplies each v by the Gauss-Newton matrix, all at once where s can.
func GaussNewtonMuls[T Float](s Sample[T], dst, v [][]T) error {
	if b, ok := SampleAs[BlockCurvature[T]](s); ok {
		return b.GaussNewtonMuls(dst, v)
	}
	return oneByOne(s.GaussNewtonMul, dst, v)
}

func oneByOne[T Float](mul func(dst, v []T) error, dst, v [][]T) error {
	if len(dst) != len(v) {
		return fmt.Errorf("optimizers: %d results for %d products", len(dst), len(v))
	}
	for i := range v {
		if err := mul(dst[i], v[i]); err != nil {
			return err
		}
	}
	return nil
}

// GaussNewtonForms is a Curvature's Sample (see SampleAs) that knows its products with a few directions only by each
// other, which is cheaper.
type GaussNewtonForms[T Float] interface {
	// GaussNewtonForms sets dst[i·k+j] to v[i]'J'CJ v[j] for the k directions, at the point of the last Linearize.
	GaussNewtonForms(dst []float64, v [][]T) error
}

// GradNorms is a Sample, this one itself and none it stands around, that has taken the length of the gradient while it
// wrote it, which saves another pass over it: as much as a sixth of a step's time where the parameters fit into no cache.
type GradNorms interface {
	// GradNorm is the Euclidean length of what Grad has written last; false where it is not known. The length of a
	// gradient with a NaN or an infinity is not finite.
	GradNorm() (float64, bool)
}

// gradNorm is the length of the gradient g that s has just written.
func gradNorm[T Float](s Sample[T], g []T) float64 {
	// Outside of these bounds squares may have been too large or too small for their sum.
	if n, ok := s.(GradNorms); ok {
		if length, ok := n.GradNorm(); ok && (length > 1e-140 && length < 1e150 || length != length) {
			return length
		}
	}
	return norm(g)
}

// Cut is a Sample (see SampleAs) that has parts: First is its first n examples, as long as the sample itself is valid
// and until the next First.
type Cut[T Float] interface {
	First(n int) (Sample[T], error)
}

// SquaredGrads is a Sample (see SampleAs) that can tell how much the gradient varies from example to example.
type SquaredGrads[T Float] interface {
	// SquaredGrads sets dst, element by element, to the mean over the examples of the squared gradient of one example.
	SquaredGrads(dst, x []T) error
}

// SampledGrads is a Sample (see SampleAs) whose loss stands for a distribution over targets, so that targets can be drawn
// from the model itself.
type SampledGrads[T Float] interface {
	// SampledGrad sets dst to the gradient of the mean loss at x with targets drawn from the model at x: a random vector
	// with mean 0 whose covariance, times Len(), is the Gauss-Newton matrix, for these losses the Fisher matrix. Calls
	// with other numbers draw are independent; the same number gives the same vector until the step ends.
	SampledGrad(dst, x []T, draw int) error
}

// StructuralDamping is a Sample (see SampleAs) of a model with hidden states, those of a recurrent net above all, whose
// change a step should keep small because the loss may depend on it in a way that no quadratic model sees (Martens &
// Sutskever 2011). A model may give any positive semi-definite matrix S for it; for a network with hidden states h and
// their Jacobian J it is the mean over examples of J'J, so that s'Ss is how much a step s changes them.
type StructuralDamping[T Float] interface {
	// StructuralMul sets dst to S v at the point of the last Linearize.
	StructuralMul(dst, v []T) error
}

// Sample is an Objective with its Curvature on Len() examples.
type Sample[T Float] interface {
	Objective[T]
	Curvature[T]
	Len() int
}

// Problem is what a step may look at. What its methods return is valid until the step ends.
type Problem[T Float] interface {
	// Batch is this step's minibatch: the same one however often a step asks.
	Batch() Sample[T]
	// Full is the whole training set.
	Full() Sample[T]
	// Draw is a fresh uniform sample of n examples, fewer than the whole set: n below 1, or so large that the sample
	// would be the whole set, is an error. The samples that one step draws may be used side by side.
	Draw(n int) (Sample[T], error)
	// Has says what the samples can answer.
	Has() Oracle
}

// Oracle is a set of questions: those a method asks, or those a problem can answer. Every problem gives the loss.
type Oracle uint

// The questions.
const (
	NeedGrad         Oracle = 1 << iota // Objective.Grad
	NeedHessian                         // Curvature.HessianMul
	NeedGaussNewton                     // Curvature.GaussNewtonMul
	NeedSquaredGrads                    // SquaredGrads
	NeedSampledGrads                    // SampledGrads
	NeedStructural                      // StructuralDamping
	NeedNormDraws                       // NormDraws
	NeedExampleGrads                    // ExampleGrads
)

var oracleNames = []string{"gradients", "Hessian products", "Gauss-Newton products", "squared per-example gradients",
	"gradients with sampled targets", "structural damping", "samples drawn by norm", "gradients of single examples"}

// String lists the questions in words.
func (o Oracle) String() string {
	var words []string
	for i, name := range oracleNames {
		if o&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	if rest := o >> len(oracleNames); rest != 0 {
		words = append(words, fmt.Sprintf("Oracle(%#x)", uint(rest<<len(oracleNames))))
	}
	if len(words) == 0 {
		return "losses only"
	}
	return strings.Join(words, ", ")
}

// Check says whether p can answer what o asks. Call it before the first step, so that what is missing is known early.
func Check[T Float](o Optimizer[T], p Problem[T]) error {
	if o == nil || p == nil {
		return fmt.Errorf("optimizers: check wants an optimizer and a problem, got %T and %T", o, p)
	}
	if o.Needs()&^p.Has() == 0 {
		return nil
	}
	return missing(o.State().Method, o.Needs(), p.Has())
}

// missing is the error for needs that has does not cover.
func missing(method string, needs, has Oracle) error {
	lack := needs &^ has
	if lack == 0 {
		return nil
	}
	hint := ""
	switch {
	case lack == NeedGaussNewton && has&NeedHessian != 0:
		hint = "; a setting such as hessian=true may do without"
	case lack == NeedNormDraws:
		hint = "; sampling=uniform does without"
	}
	return fmt.Errorf("optimizers: %s needs %v, which this problem does not give (it gives %v)%s", method, lack, has, hint)
}

// NormDraws is a Sample (see SampleAs), the whole training set of a Problem, that can draw the examples that curve more
// with a higher probability (Xu et al. 2016): example i with a probability proportional to the norm of its Hessian, or
// of its Gauss-Newton matrix, at x, and with its products weighted by the inverse, so that their mean is that of all.
// Networks draw by an estimate of that: half of the examples by the squared lengths of gradients at targets drawn from the
// model, which are traces of Gauss-Newton matrices in the mean, and half of them uniformly.
type NormDraws[T Float] interface {
	// DrawByNorm draws n examples with replacement, and tells in forward-equivalents what their norms cost. The
	// sample's curvature is weighted; its loss and gradient need not be there.
	DrawByNorm(n int, x []T, gaussNewton bool) (s Sample[T], work int64, err error)
}
