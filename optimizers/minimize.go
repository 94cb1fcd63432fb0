package optimizers

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Until says when Minimize is done: at whichever comes first. A field that is 0 is not looked at, except Steps.
type Until struct {
	GradNorm  float64            // the Euclidean norm of the gradient is at most this
	Curvature float64            // with GradNorm: the lowest curvature of the Hessian is at least -Curvature as well
	Loss      float64            // the loss is at most this; Zero for 0
	Steps     int                // this many steps are done; 0 means 10000
	Work      int64              // this many forward-equivalents are spent
	Watch     func(Report) error // called after every step; an error ends the run and is returned
}

// Status says why Minimize ended.
type Status string

// The ends of a Minimize. Failed comes with an error.
const (
	GradNormReached Status = "gradient norm reached"
	LossReached     Status = "loss reached"
	StepsDone       Status = "steps done"
	WorkDone        Status = "work done"
	Failed          Status = "failed"
)

// Result is where a Minimize has arrived.
type Result[T Float] struct {
	X         []T
	Loss      float64 // at X
	GradNorm  float64 // at X
	Curvature float64 // lowest at X, where Until.Curvature has made Minimize look
	Steps     int
	Work      int64 // forward-equivalents; a plain function counts as one example
	Status    Status
	Last      Report // of the last step
}

// Minimize runs a method on a plain function from x0, which stays as it is. Every sample of the problem is the whole
// function, and there is none to draw. If f is also a Curvature, or gives SquaredGrads, SampledGrads or ExampleGrads,
// methods that need it work; a method Has tells which of these f can do in fact, and Len how many examples it stands for.
//
// Of a *Sum the minibatches are some of its terms. Loss and gradient are then those of the whole sum, which is looked at
// before the first step and after each pass over the terms, so that a run may end some steps later than it could.
//
// A gradient of 0 ends the run as GradNormReached, unless Until.Curvature asks for more. With an error, that of a
// cancelled ctx for example, the result holds how far the run has come.
func Minimize[T Float](ctx context.Context, f Objective[T], x0 []T, m Method, until Until) (Result[T], error) {
	res := Result[T]{X: slices.Clone(x0), Status: Failed}
	if isNil(f) {
		return res, errors.New("optimizers: minimize: no function given")
	}
	if until.Steps < 0 || until.Work < 0 || !(until.GradNorm >= 0) || !(until.Curvature >= 0) || until.Loss != until.Loss {
		return res, fmt.Errorf("optimizers: minimize: until is gradient norm %v, curvature %v, loss %v, %d steps, %d work; none may be negative but the loss, none NaN",
			until.GradNorm, until.Curvature, until.Loss, until.Steps, until.Work)
	}
	if until.Steps == 0 {
		until.Steps = 10000
	}
	o, err := New[T](m, Flat(len(x0)))
	if err != nil {
		return res, err
	}
	p := newPlain(f, len(x0))
	problem := Problem[T](p)
	var sum *sumProblem[T]
	pass := 1 // steps between two looks at the whole function
	if s, ok := f.(*Sum[T]); ok {
		if err := s.check(); err != nil {
			return res, err
		}
		sum = newSumProblem(s, p)
		problem, pass = sum, (s.N-1)/s.batch()+1
	}
	if err := Check(o, problem); err != nil {
		return res, err
	}
	if until.Curvature > 0 && p.has&NeedHessian == 0 {
		return res, fmt.Errorf("optimizers: minimize: until.Curvature needs %v, which this function does not give", NeedHessian)
	}
	var saddle lowest[T]
	for {
		if err := ctx.Err(); err != nil {
			return res, fmt.Errorf("optimizers: minimize: stopped after %d steps: %w", res.Steps, err)
		}
		res.Work = p.work
		if res.Steps%pass == 0 || enough(until, &res) != "" {
			if err := p.look(res.X); err != nil {
				return res, err
			}
			res.Loss, res.GradNorm, res.Work = p.loss, norm(p.grad), p.work
			res.Status = reached(until, &res)
		}
		if res.Status == GradNormReached && until.Curvature > 0 {
			if err := p.Linearize(res.X); err != nil {
				return res, err
			}
			if res.Curvature, _, _, err = saddle.search(ctx, p.HessianMul, len(x0), 0, uint64(res.Steps)); err != nil {
				return res, err
			}
			res.Work = p.work
			if res.Curvature < -until.Curvature {
				res.Status = reachedBut(until, &res)
			}
		}
		if res.Status != "" && res.Status != Failed {
			return res, nil
		}
		res.Status = Failed
		if sum != nil {
			sum.begin(res.Steps)
		}
		if res.Last, err = o.Step(ctx, res.X, problem); err != nil {
			return res, err
		}
		res.Steps++
		if until.Watch != nil {
			if err := until.Watch(res.Last); err != nil {
				return res, err
			}
		}
	}
}

// reached says which condition holds, if one does.
func reached[T Float](u Until, r *Result[T]) Status {
	switch {
	case r.GradNorm <= u.GradNorm:
		return GradNormReached
	}
	return reachedBut(u, r)
}

// reachedBut is reached without the gradient.
func reachedBut[T Float](u Until, r *Result[T]) Status {
	switch {
	case u.Loss != 0 && r.Loss <= u.Loss:
		return LossReached
	}
	return enough(u, r)
}

// enough says which limit is reached.
func enough[T Float](u Until, r *Result[T]) Status {
	switch {
	case r.Steps >= u.Steps:
		return StepsDone
	case u.Work > 0 && r.Work >= u.Work:
		return WorkDone
	}
	return ""
}
