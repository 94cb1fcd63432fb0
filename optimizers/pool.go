package optimizers

// pool is two samples as one: what it answers is the mean over the examples of both. An optimizer that wants more
// examples than the minibatch has pools it with a fresh sample.
type pool[T Float] struct {
	a, b    Sample[T]
	scratch []T // as long as the parameters
}

func (p *pool[T]) Len() int { return p.a.Len() + p.b.Len() }

// shares are the parts of the examples that a and b have.
func (p *pool[T]) shares() (a, b float64) {
	n := float64(p.Len())
	return float64(p.a.Len()) / n, float64(p.b.Len()) / n
}

func (p *pool[T]) Loss(x []T) (float64, error) {
	one, err := p.a.Loss(x)
	if err != nil {
		return 0, err
	}
	two, err := p.b.Loss(x)
	a, b := p.shares()
	return a*one + b*two, err
}

func (p *pool[T]) Grad(dst, x []T) (float64, error) {
	one, err := p.a.Grad(dst, x)
	if err != nil {
		return 0, err
	}
	return p.join(dst, x, one)
}

// join makes of a's gradient in dst, with a's loss, that of the pool.
func (p *pool[T]) join(dst, x []T, loss float64) (float64, error) {
	two, err := p.b.Grad(p.scratch, x)
	if err != nil {
		return 0, err
	}
	a, b := p.shares()
	scale(dst, T(a))
	axpy(dst, T(b), p.scratch)
	return a*loss + b*two, nil
}

func (p *pool[T]) Linearize(x []T) error {
	if err := p.a.Linearize(x); err != nil {
		return err
	}
	return p.b.Linearize(x)
}

func (p *pool[T]) HessianMul(dst, v []T) error {
	if err := p.a.HessianMul(dst, v); err != nil {
		return err
	}
	return p.mixed(dst, p.b.HessianMul(p.scratch, v))
}

func (p *pool[T]) GaussNewtonMul(dst, v []T) error {
	if err := p.a.GaussNewtonMul(dst, v); err != nil {
		return err
	}
	return p.mixed(dst, p.b.GaussNewtonMul(p.scratch, v))
}

// mixed makes of a's product in dst and b's in scratch that of the pool.
func (p *pool[T]) mixed(dst []T, err error) error {
	if err != nil {
		return err
	}
	a, b := p.shares()
	scale(dst, T(a))
	axpy(dst, T(b), p.scratch)
	return nil
}
