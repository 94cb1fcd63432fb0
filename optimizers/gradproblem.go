package optimizers

// gradProblem is a problem whose gradients a wrapper changes; losses, curvature products and all else are as they
// were. Its samples are used again from step to step.
type gradProblem[T Float] struct {
	of    Problem[T]
	grad  func(s *gradSample[T], dst, x []T) (float64, error) // takes the place of Grad of every sample
	batch gradSample[T]
	full  gradSample[T]
	drawn []*gradSample[T]
	draws int // in this step
}

// begin is before each step.
func (p *gradProblem[T]) begin(of Problem[T]) {
	p.of, p.draws = of, 0
	p.batch.before, p.full.before = -1, -1
}

// end is after it: the report tells of the gradient that the problem gave, and nothing of it is kept.
func (p *gradProblem[T]) end(r *Report, err error) {
	p.of, p.batch.Sample, p.full.Sample = nil, nil, nil
	if p.batch.before >= 0 && err == nil {
		r.GradNorm = p.batch.before
	}
}

func (p *gradProblem[T]) Has() Oracle { return p.of.Has() }

func (p *gradProblem[T]) Batch() Sample[T] { return p.batch.around(p.of.Batch(), p) }

func (p *gradProblem[T]) Full() Sample[T] { return p.full.around(p.of.Full(), p) }

func (p *gradProblem[T]) Draw(n int) (Sample[T], error) {
	s, err := p.of.Draw(n)
	if err != nil {
		return nil, err
	}
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, new(gradSample[T]))
	}
	p.draws++
	return p.drawn[p.draws-1].around(s, p), nil
}

// gradSample is a sample whose gradient is changed.
type gradSample[T Float] struct {
	Sample[T]
	problem *gradProblem[T]
	before  float64 // norm of the first gradient of the step as it was; -1 before there is one
}

func (s *gradSample[T]) around(of Sample[T], p *gradProblem[T]) Sample[T] {
	if of == nil {
		return nil
	}
	s.Sample, s.problem = of, p
	return s
}

func (s *gradSample[T]) Grad(dst, x []T) (float64, error) { return s.problem.grad(s, dst, x) }

// asItWas is the sample's own gradient, and its norm.
func (s *gradSample[T]) asItWas(dst, x []T) (loss, length float64, err error) {
	if loss, err = s.Sample.Grad(dst, x); err != nil {
		return loss, 0, err
	}
	length = gradNorm(s.Sample, dst)
	if s.before < 0 {
		s.before = length
	}
	return loss, length, nil
}

// Unwrap is the sample whose gradient is changed; what else it can answer is as it was.
func (s *gradSample[T]) Unwrap() Sample[T] { return s.Sample }
