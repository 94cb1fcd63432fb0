package opttest

import (
	"math"

	"github.com/saddle-ml/saddle/optimizers"
)

// Known is a function whose minimum is known, and is 0: a sum of squares f(x) = Σ r_i(x)², with all its derivatives.
type Known struct {
	Name    string
	Start   []float64 // the start that the literature uses
	Minimum []float64 // a point where f is 0

	residuals int
	// at fills in r and the Jacobian j, a row for each residual.
	at func(r, j, x []float64)
	// bend adds Σ r_i H_i v to dst, where H_i is the Hessian of residual i.
	bend func(dst, r, x, v []float64)
}

// Rosenbrock is the curved valley 100(y-x²)² + (1-x)² (Rosenbrock 1960).
var Rosenbrock = Known{
	Name: "Rosenbrock", Start: []float64{-1.2, 1}, Minimum: []float64{1, 1}, residuals: 2,
	at: func(r, j, x []float64) {
		r[0], r[1] = 10*(x[1]-x[0]*x[0]), 1-x[0]
		copy(j, []float64{-20 * x[0], 10, -1, 0})
	},
	bend: func(dst, r, _, v []float64) { dst[0] -= 20 * r[0] * v[0] },
}

// Beale is Σ (c_i - x(1-y^i))² with c = 1.5, 2.25, 2.625 (Beale 1958; Moré, Garbow & Hillstrom 1981, problem 5).
var Beale = Known{
	Name: "Beale", Start: []float64{1, 1}, Minimum: []float64{3, 0.5}, residuals: 3,
	at: func(r, j, x []float64) {
		for i, c := range []float64{1.5, 2.25, 2.625} {
			k := float64(i + 1)
			r[i] = c - x[0]*(1-math.Pow(x[1], k))
			j[2*i], j[2*i+1] = math.Pow(x[1], k)-1, x[0]*k*math.Pow(x[1], k-1)
		}
	},
	bend: func(dst, r, x, v []float64) {
		for i := range 3 {
			k := float64(i + 1)
			cross := k * math.Pow(x[1], k-1)
			twice := 0.0
			if i > 0 {
				twice = x[0] * k * (k - 1) * math.Pow(x[1], k-2)
			}
			dst[0] += r[i] * cross * v[1]
			dst[1] += r[i] * (cross*v[0] + twice*v[1])
		}
	},
}

// Wood is two coupled valleys in four dimensions (Colville 1968; Moré, Garbow & Hillstrom 1981, problem 14). It has a
// point that is not a minimum where the Hessian is singular.
var Wood = Known{
	Name: "Wood", Start: []float64{-3, -1, -3, -1}, Minimum: []float64{1, 1, 1, 1}, residuals: 6,
	at: func(r, j, x []float64) {
		a, b := math.Sqrt(90), math.Sqrt(10)
		copy(r, []float64{
			10 * (x[1] - x[0]*x[0]), 1 - x[0],
			a * (x[3] - x[2]*x[2]), 1 - x[2],
			b * (x[1] + x[3] - 2), (x[1] - x[3]) / b,
		})
		copy(j, []float64{
			-20 * x[0], 10, 0, 0,
			-1, 0, 0, 0,
			0, 0, -2 * a * x[2], a,
			0, 0, -1, 0,
			0, b, 0, b,
			0, 1 / b, 0, -1 / b,
		})
	},
	bend: func(dst, r, _, v []float64) {
		dst[0] -= 20 * r[0] * v[0]
		dst[2] -= 2 * math.Sqrt(90) * r[2] * v[2]
	},
}

// Saddle is x² + (y²-1)²/4. Its start is next to the strict saddle at 0, where f is 1/4 and the Hessian is diag(2, -1).
var Saddle = Known{
	Name: "Saddle", Start: []float64{1, 1e-3}, Minimum: []float64{0, 1}, residuals: 2,
	at: func(r, j, x []float64) {
		r[0], r[1] = x[0], (x[1]*x[1]-1)/2
		copy(j, []float64{1, 0, 0, x[1]})
	},
	bend: func(dst, r, _, v []float64) { dst[1] += r[1] * v[1] },
}

// Functions lists the functions above.
func Functions() []Known { return []Known{Rosenbrock, Beale, Wood, Saddle} }

// Func is the function with all its derivatives, evaluated in float64 and rounded to T.
func Func[T optimizers.Float](k Known) *optimizers.Func[T] {
	n := len(k.Start)
	point, vector, sum := make([]float64, n), make([]float64, n), make([]float64, n)
	r, j := make([]float64, k.residuals), make([]float64, k.residuals*n)
	look := func(x []T) float64 {
		widen(point, x)
		k.at(r, j, point)
		f := 0.0
		for _, v := range r {
			f += v * v
		}
		return f
	}
	// transposed sets sum to J'u.
	transposed := func(u []float64) {
		clear(sum)
		for i, a := range u {
			for c := range sum {
				sum[c] += a * j[i*n+c]
			}
		}
	}
	narrow := func(dst []T) {
		for i, v := range sum {
			dst[i] = T(2 * v)
		}
	}
	u := make([]float64, k.residuals)
	gaussNewton := func(x, v []T) {
		look(x)
		widen(vector, v)
		for i := range u {
			u[i] = 0
			for c, a := range vector {
				u[i] += j[i*n+c] * a
			}
		}
		transposed(u)
	}
	return &optimizers.Func[T]{
		F: look,
		G: func(dst, x []T) float64 {
			f := look(x)
			transposed(r)
			narrow(dst)
			return f
		},
		GN: func(dst, x, v []T) {
			gaussNewton(x, v)
			narrow(dst)
		},
		H: func(dst, x, v []T) {
			gaussNewton(x, v)
			k.bend(sum, r, point, vector)
			narrow(dst)
		},
	}
}

// Begin is the start in T.
func Begin[T optimizers.Float](k Known) []T {
	x := make([]T, len(k.Start))
	for i, v := range k.Start {
		x[i] = T(v)
	}
	return x
}

func widen[T optimizers.Float](dst []float64, x []T) {
	for i, v := range x {
		dst[i] = float64(v)
	}
}
