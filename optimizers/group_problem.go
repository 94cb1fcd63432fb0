package optimizers

// groupOracles is what a problem of a group can answer.
const groupOracles = NeedGrad | NeedHessian | NeedGaussNewton | NeedSquaredGrads | NeedSampledGrads | NeedExampleGrads

// sharedProblem is the problem of a step as all groups see it: at the point where the step begins, gradients are
// computed once for all of them.
type sharedProblem[T Float] struct {
	p       Problem[T]
	x       []T // where the step begins
	point   []T // x with one group elsewhere
	in, out []T // arguments of products
	batch   shared[T]
	full    shared[T]
	work    int64 // of the step
	told    bool  // a part has reported
}

func (s *sharedProblem[T]) begin(p Problem[T], x []T) {
	s.p, s.x, s.work, s.told = p, x, 0, false
	s.batch.known, s.full.known = false, false
	copy(s.point, x)
}

// end lets go of what is the caller's.
func (s *sharedProblem[T]) end() { s.p, s.x = nil, nil }

// shared is the gradient of one sample where the step begins.
type shared[T Float] struct {
	known bool
	loss  float64
	grad  []T
}

// at is the gradient of a sample at x, computed or known.
func (k *shared[T]) at(s *sharedProblem[T], of Sample[T]) (*shared[T], error) {
	if k.known {
		return k, nil
	}
	if k.grad == nil {
		k.grad = make([]T, len(s.x))
	}
	s.work += WorkGrad * int64(of.Len())
	loss, err := of.Grad(k.grad, s.x)
	k.loss, k.known = loss, err == nil
	return k, err
}

// groupProblem is a problem in the tensors of a group.
type groupProblem[T Float] struct {
	part   *groupPart[T]
	shared *sharedProblem[T]
	batch  groupSample[T]
	full   groupSample[T]
	drawn  []*groupSample[T]
	draws  int // of this step
}

func (p *groupProblem[T]) Has() Oracle { return p.shared.p.Has() & groupOracles }

func (p *groupProblem[T]) Batch() Sample[T] {
	return p.batch.around(p.shared.p.Batch(), &p.shared.batch)
}

func (p *groupProblem[T]) Full() Sample[T] {
	return p.full.around(p.shared.p.Full(), &p.shared.full)
}

// Draw is a sample that no other group sees.
func (p *groupProblem[T]) Draw(n int) (Sample[T], error) {
	s, err := p.shared.p.Draw(n)
	if err != nil {
		return nil, err
	}
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, &groupSample[T]{of: p})
	}
	p.draws++
	return p.drawn[p.draws-1].around(s, nil), nil
}

// groupSample is a sample in the tensors of a group; the others stay where they are.
type groupSample[T Float] struct {
	of     *groupProblem[T]
	sample Sample[T]
	shared *shared[T] // its gradient where the step begins; nil where no other group has it

	// Of ExampleGrads.
	toPart, then func(example int, loss float64, grad []T) error
}

func (g *groupSample[T]) around(s Sample[T], known *shared[T]) Sample[T] {
	if s == nil {
		return nil
	}
	g.sample, g.shared = s, known
	return g
}

func (g *groupSample[T]) Len() int { return g.sample.Len() }

// put makes the point that of all tensors where the group is at x, and says whether that is where the step begins.
func (g *groupSample[T]) put(x []T) (point []T, same bool) {
	s, part := g.of.shared, g.of.part
	same, at := true, 0
	for _, r := range part.runs {
		for i, v := range s.x[r.from:r.to] {
			if x[at+i] != v {
				same = false
			}
		}
		at += r.to - r.from
	}
	if same {
		return s.x, true
	}
	part.scatter(s.point, x)
	return s.point, false
}

// back puts the group's tensors where the step begins.
func (g *groupSample[T]) back() {
	s := g.of.shared
	for _, r := range g.of.part.runs {
		copy(s.point[r.from:r.to], s.x[r.from:r.to])
	}
}

func (g *groupSample[T]) Loss(x []T) (float64, error) {
	point, _ := g.put(x)
	defer g.back()
	g.of.shared.work += WorkLoss * int64(g.Len())
	return g.sample.Loss(point)
}

func (g *groupSample[T]) Grad(dst, x []T) (float64, error) {
	s, part := g.of.shared, g.of.part
	point, same := g.put(x)
	if same && g.shared != nil {
		known, err := g.shared.at(s, g.sample)
		if err != nil {
			return known.loss, err
		}
		part.gather(dst, known.grad)
		return known.loss, nil
	}
	defer g.back()
	s.work += WorkGrad * int64(g.Len())
	loss, err := g.sample.Grad(s.scratch(), point)
	part.gather(dst, s.scratch())
	return loss, err
}

// scratch is a vector of all parameters.
func (s *sharedProblem[T]) scratch() []T {
	if s.out == nil {
		s.out = make([]T, len(s.x))
	}
	return s.out
}

func (g *groupSample[T]) Linearize(x []T) error {
	point, _ := g.put(x)
	defer g.back()
	return g.sample.Linearize(point)
}

func (g *groupSample[T]) HessianMul(dst, v []T) error { return g.multiply(dst, v, false) }

func (g *groupSample[T]) GaussNewtonMul(dst, v []T) error { return g.multiply(dst, v, true) }

// multiply is the group's block of the Hessian or the Gauss-Newton matrix times v.
func (g *groupSample[T]) multiply(dst, v []T, gaussNewton bool) (err error) {
	s, part := g.of.shared, g.of.part
	clear(s.in)
	part.scatter(s.in, v)
	if gaussNewton {
		s.work += WorkGaussNewton * int64(g.Len())
		err = g.sample.GaussNewtonMul(s.out, s.in)
	} else {
		s.work += WorkHessian * int64(g.Len())
		err = g.sample.HessianMul(s.out, s.in)
	}
	part.gather(dst, s.out)
	return err
}

// SquaredGrads are those of the group's tensors.
func (g *groupSample[T]) SquaredGrads(dst, x []T) error {
	squared, ok := SampleAs[SquaredGrads[T]](g.sample)
	if !ok {
		return missing("group", NeedSquaredGrads, g.of.Has()&^NeedSquaredGrads)
	}
	point, _ := g.put(x)
	defer g.back()
	s := g.of.shared
	s.work += WorkSquaredGrads * int64(g.Len())
	err := squared.SquaredGrads(s.scratch(), point)
	g.of.part.gather(dst, s.scratch())
	return err
}

// SampledGrad is the part of the group's tensors.
func (g *groupSample[T]) SampledGrad(dst, x []T, draw int) error {
	sampled, ok := SampleAs[SampledGrads[T]](g.sample)
	if !ok {
		return missing("group", NeedSampledGrads, g.of.Has()&^NeedSampledGrads)
	}
	point, _ := g.put(x)
	defer g.back()
	s := g.of.shared
	s.work += WorkSampledGrad * int64(g.Len())
	err := sampled.SampledGrad(s.scratch(), point, draw)
	g.of.part.gather(dst, s.scratch())
	return err
}

// ExampleGrads are the parts of the group's tensors.
func (g *groupSample[T]) ExampleGrads(x []T, f func(example int, loss float64, grad []T) error) error {
	examples, ok := SampleAs[ExampleGrads[T]](g.sample)
	if !ok {
		return missing("group", NeedExampleGrads, g.of.Has()&^NeedExampleGrads)
	}
	point, _ := g.put(x)
	defer g.back()
	g.of.shared.work += WorkExampleGrads * int64(g.Len())
	if g.toPart == nil { // once, as a closure each time would be garbage
		part := make([]T, len(x))
		g.toPart = func(example int, loss float64, grad []T) error {
			g.of.part.gather(part, grad)
			return g.then(example, loss, part)
		}
	}
	g.then = f
	defer func() { g.then = nil }()
	return examples.ExampleGrads(point, g.toPart)
}
