package optimizers

import "context"

// Props has the Report of a method tell its cost as the figures of Xu et al. (2018) do, in propagations of single
// examples through the network, beside Work. As says by which of the counts of their published code:
//
//	             loss    gradient    each iteration of CG or step of Lanczos
//	xu2018       1       1           2        their networks
//	xu2018_nls   1       2           2        their nonlinear least squares
//
// What else a step multiplies by, to begin warm for example, does not count there, and neither do squared gradients of
// single examples and the like. A curvature sample drawn by norms counts a loss of all examples where the minibatch is
// less; where it is all, their code has the norms from the gradient. Where a step tells of no iterations, every product counts 2.
type Props struct {
	As string `set:"as" default:"xu2018" oneof:"xu2018|xu2018_nls" help:"the count: of the paper's networks, or of its least squares"`
	Of Method // the method whose passes are counted
}

var _ Method = (*Props)(nil)

// Name is that of the wrapped method, and +props.
func (w *Props) Name() string { return wrapperName("props", w.Of) }

func (*Props) info() Info {
	return Info{Name: "props", Use: "tell the cost in the propagations of Xu et al. (2018) as well"}
}

func (*Props) word() string    { return "props" }
func (w *Props) inner() Method { return w.Of }

func (w *Props) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Props) start32(l Layout) (Optimizer[float32], error) { return startProps[float32](w, l) }
func (w *Props) start64(l Layout) (Optimizer[float64], error) { return startProps[float64](w, l) }

func startProps[T Float](w *Props, l Layout) (Optimizer[T], error) {
	s, err := resolve("props", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("props", s.Of, l)
	if err != nil {
		return nil, err
	}
	c := &props[T]{Optimizer: o, grad: 1}
	if s.As == "xu2018_nls" {
		c.grad = 2
	}
	return c, nil
}

// props counts the examples of each kind of pass in a step.
type props[T Float] struct {
	Optimizer[T]
	grad                 int64 // what a gradient counts
	of                   Problem[T]
	losses, grads        int64
	products, multiplied int64 // calls, and their examples
	batch, full          propsSample[T]
	drawn                []*propsSample[T]
	draws                int // in this step
}

// Unwrap is the wrapped method's optimizer.
func (p *props[T]) Unwrap() Optimizer[T] { return p.Optimizer }

func (p *props[T]) Step(ctx context.Context, x []T, problem Problem[T]) (Report, error) {
	if problem == nil {
		return p.Optimizer.Step(ctx, x, nil)
	}
	p.of, p.losses, p.grads, p.products, p.multiplied, p.draws = problem, 0, 0, 0, 0, 0
	r, err := p.Optimizer.Step(ctx, x, (*propsProblem[T])(p))
	p.of, p.batch.Sample, p.full.Sample = nil, nil, nil
	if err != nil {
		return r, err
	}
	iterations := p.multiplied
	if r.CGStop != "" && p.products > 0 {
		iterations = int64(r.CGIterations) * p.multiplied / p.products
	}
	r.Props = p.losses + p.grad*p.grads + 2*iterations
	return r, nil
}

// propsProblem is the problem whose passes are counted.
type propsProblem[T Float] props[T]

func (p *propsProblem[T]) Has() Oracle      { return p.of.Has() }
func (p *propsProblem[T]) Batch() Sample[T] { return p.batch.around(p.of.Batch(), p) }
func (p *propsProblem[T]) Full() Sample[T]  { return p.full.around(p.of.Full(), p) }

func (p *propsProblem[T]) Draw(n int) (Sample[T], error) {
	s, err := p.of.Draw(n)
	if err != nil {
		return nil, err
	}
	return p.more().around(s, p), nil
}

// more is memory for one more sample of the step.
func (p *propsProblem[T]) more() *propsSample[T] {
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, new(propsSample[T]))
	}
	p.draws++
	return p.drawn[p.draws-1]
}

// propsSample is a sample whose passes are counted.
type propsSample[T Float] struct {
	Sample[T]
	to *propsProblem[T]
}

var (
	_ BlockCurvature[float64] = (*propsSample[float64])(nil)
	_ NormDraws[float64]      = (*propsSample[float64])(nil)
)

func (s *propsSample[T]) around(of Sample[T], p *propsProblem[T]) Sample[T] {
	if of == nil {
		return nil
	}
	s.Sample, s.to = of, p
	return s
}

// Unwrap is the sample whose passes are counted.
func (s *propsSample[T]) Unwrap() Sample[T] { return s.Sample }

func (s *propsSample[T]) Loss(x []T) (float64, error) {
	s.to.losses += int64(s.Len())
	return s.Sample.Loss(x)
}

func (s *propsSample[T]) Grad(dst, x []T) (float64, error) {
	s.to.grads += int64(s.Len())
	return s.Sample.Grad(dst, x)
}

func (s *propsSample[T]) multiplies(times int) {
	s.to.products += int64(times)
	s.to.multiplied += int64(times) * int64(s.Len())
}

func (s *propsSample[T]) HessianMul(dst, v []T) error {
	s.multiplies(1)
	return s.Sample.HessianMul(dst, v)
}

func (s *propsSample[T]) GaussNewtonMul(dst, v []T) error {
	s.multiplies(1)
	return s.Sample.GaussNewtonMul(dst, v)
}

func (s *propsSample[T]) HessianMuls(dst, v [][]T) error {
	s.multiplies(len(v))
	return HessianMuls(s.Sample, dst, v)
}

func (s *propsSample[T]) GaussNewtonMuls(dst, v [][]T) error {
	s.multiplies(len(v))
	return GaussNewtonMuls(s.Sample, dst, v)
}

// DrawByNorm draws from the sample and counts what is drawn, and a loss of the sample unless the minibatch is all of
// it: then the gradient has just been there, from which their code has the norms.
func (s *propsSample[T]) DrawByNorm(n int, x []T, gaussNewton bool) (Sample[T], int64, error) {
	d, ok := SampleAs[NormDraws[T]](s.Sample)
	if !ok {
		return nil, 0, missing(s.to.Optimizer.State().Method, NeedNormDraws, 0)
	}
	drawn, work, err := d.DrawByNorm(n, x, gaussNewton)
	if err != nil || drawn == nil {
		return nil, work, err
	}
	if s.to.of.Batch().Len() < s.Len() {
		s.to.losses += int64(s.Len())
	}
	return s.to.more().around(drawn, s.to), work, nil
}
