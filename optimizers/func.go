package optimizers

import "errors"

// Func is a plain function with its derivatives as closures, for Minimize. Only what the method needs must be there:
//
//	F   f(x)
//	G   writes the gradient to dst and returns f(x)
//	H   dst = H(x) v, H the Hessian
//	GN  dst = G(x) v, G the Gauss-Newton matrix, J'J for a sum of squares r'r/2 with J the Jacobian of r
//
// F may be left out where G is there. Not safe for concurrent use.
type Func[T Float] struct {
	F  func(x []T) float64
	G  func(dst, x []T) float64
	H  func(dst, x, v []T)
	GN func(dst, x, v []T)

	at      []T // the point of Linearize
	scratch []T
}

// Has says which derivatives are there.
func (f *Func[T]) Has() Oracle {
	var has Oracle
	if f.G != nil {
		has |= NeedGrad
	}
	if f.H != nil {
		has |= NeedHessian
	}
	if f.GN != nil {
		has |= NeedGaussNewton
	}
	return has
}

// Loss is f(x).
func (f *Func[T]) Loss(x []T) (float64, error) {
	if f.F != nil {
		return f.F(x), nil
	}
	if f.G == nil {
		return 0, errors.New("optimizers: Func: neither F nor G is given")
	}
	if len(f.scratch) != len(x) {
		f.scratch = make([]T, len(x))
	}
	return f.G(f.scratch, x), nil
}

// Grad writes the gradient at x to dst and returns f(x).
func (f *Func[T]) Grad(dst, x []T) (float64, error) {
	if f.G == nil {
		return 0, errors.New("optimizers: Func: no gradient: G is not given")
	}
	return f.G(dst, x), nil
}

// Linearize remembers x for the products.
func (f *Func[T]) Linearize(x []T) error {
	f.at = append(f.at[:0], x...)
	return nil
}

// HessianMul sets dst to H v at the point of the last Linearize.
func (f *Func[T]) HessianMul(dst, v []T) error {
	if f.H == nil {
		return errors.New("optimizers: Func: no Hessian products: H is not given")
	}
	f.H(dst, f.at, v)
	return nil
}

// GaussNewtonMul sets dst to G v at the point of the last Linearize.
func (f *Func[T]) GaussNewtonMul(dst, v []T) error {
	if f.GN == nil {
		return errors.New("optimizers: Func: no Gauss-Newton products: GN is not given")
	}
	f.GN(dst, f.at, v)
	return nil
}
