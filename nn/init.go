package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// An Init fills a tensor with its first values. fanIn and fanOut are the
// numbers of inputs and outputs that a unit is connected to: of a dense weight
// [in, out] its sizes, of a convolution [out, in/groups, r, s] those times r s.
type Init interface {
	Fill(r *rand.Rand, x []float64, shape []int, fanIn, fanOut int)
	String() string
}

// fans gives fan-in and fan-out of a weight by its number of axes.
func fans(shape []int) (in, out int) {
	switch n := len(shape); {
	case n == 2:
		return shape[0], shape[1]
	case n > 2:
		field := size(shape[2:])
		return shape[1] * field, shape[0] * field
	}
	return size(shape), size(shape)
}

// Constant makes every element the number; Constant(0) is all zeros.
type Constant float64

// Zeros is all zeros.
const Zeros = Constant(0)

// Fill sets every element.
func (c Constant) Fill(_ *rand.Rand, x []float64, _ []int, _, _ int) {
	for i := range x {
		x[i] = float64(c)
	}
}

func (c Constant) String() string { return fmt.Sprintf("constant(%g)", float64(c)) }

// Uniform draws from [Lo, Hi).
type Uniform struct{ Lo, Hi float64 }

// Fill draws every element.
func (u Uniform) Fill(r *rand.Rand, x []float64, _ []int, _, _ int) {
	for i := range x {
		x[i] = u.Lo + (u.Hi-u.Lo)*r.Float64()
	}
}

func (u Uniform) String() string { return fmt.Sprintf("uniform(%g, %g)", u.Lo, u.Hi) }

// Normal draws from a normal distribution of mean Mean and standard deviation
// Std.
type Normal struct{ Mean, Std float64 }

// Fill draws every element.
func (n Normal) Fill(r *rand.Rand, x []float64, _ []int, _, _ int) {
	for i := range x {
		x[i] = n.Mean + n.Std*r.NormFloat64()
	}
}

func (n Normal) String() string { return fmt.Sprintf("normal(%g, %g)", n.Mean, n.Std) }

// TruncatedNormal draws from a normal distribution of which only what lies
// within two standard deviations Std of the mean is kept. Its own standard
// deviation is 0.8796 Std.
type TruncatedNormal struct{ Mean, Std float64 }

// Fill draws every element.
func (n TruncatedNormal) Fill(r *rand.Rand, x []float64, _ []int, _, _ int) {
	for i := range x {
		z := r.NormFloat64()
		for math.Abs(z) > 2 {
			z = r.NormFloat64()
		}
		x[i] = n.Mean + n.Std*z
	}
}

func (n TruncatedNormal) String() string {
	return fmt.Sprintf("truncated_normal(%g, %g)", n.Mean, n.Std)
}

// Scaled draws with the variance Gain / fan, where fan is one of the fans or
// their mean.
type Scaled struct {
	Gain    float64 // 0 means 1
	Fan     Fan
	Uniform bool // from a uniform distribution instead of a normal one
	name    string
}

// Fan says which connections a Scaled initialiser counts.
type Fan uint8

// What a Scaled initialiser divides by.
const (
	FanIn Fan = iota
	FanOut
	FanMean
)

// Fill draws every element.
func (s Scaled) Fill(r *rand.Rand, x []float64, shape []int, fanIn, fanOut int) {
	fan := float64(fanIn+fanOut) / 2
	switch s.Fan {
	case FanIn:
		fan = float64(fanIn)
	case FanOut:
		fan = float64(fanOut)
	}
	std := math.Sqrt(s.gain() / max(fan, 1))
	if s.Uniform {
		a := math.Sqrt(3) * std
		Uniform{-a, a}.Fill(r, x, shape, fanIn, fanOut)
		return
	}
	Normal{0, std}.Fill(r, x, shape, fanIn, fanOut)
}

func (s Scaled) String() string {
	if s.name != "" {
		return s.name
	}
	return fmt.Sprintf("scaled(%g)", s.gain())
}

func (s Scaled) gain() float64 {
	if s.Gain == 0 {
		return 1
	}
	return s.Gain
}

// The usual initialisers: Glorot and Bengio (AISTATS 2010) for symmetric
// activations, He et al. (arXiv 1502.01852) for relu, LeCun et al. (Efficient
// BackProp, 1998) for tanh and selu; PyTorchUniform is what PyTorch gives weights
// and biases of dense layers and convolutions if nothing is said, up to 1 over the
// root of the fan-in: a sixth of He's variance.
var (
	GlorotUniform  = Scaled{1, FanMean, true, "glorot_uniform"}
	GlorotNormal   = Scaled{1, FanMean, false, "glorot_normal"}
	HeUniform      = Scaled{2, FanIn, true, "he_uniform"}
	HeNormal       = Scaled{2, FanIn, false, "he_normal"}
	LeCunUniform   = Scaled{1, FanIn, true, "lecun_uniform"}
	LeCunNormal    = Scaled{1, FanIn, false, "lecun_normal"}
	PyTorchUniform = Scaled{1. / 3, FanIn, true, "pytorch_uniform"}
)

// Orthogonal makes the tensor, as a matrix of its first axis against the
// others, a random one with orthonormal rows or columns, whichever are fewer,
// times Gain, of which 0 means 1 (Saxe et al., arXiv 1312.6120).
type Orthogonal struct{ Gain float64 }

// Fill draws a normal matrix and takes the orthogonal part of its QR
// decomposition.
func (o Orthogonal) Fill(r *rand.Rand, x []float64, shape []int, _, _ int) {
	if len(x) == 0 {
		return
	}
	rows := 1
	if len(shape) > 0 {
		rows = shape[0]
	}
	cols := len(x) / rows
	m, n := max(rows, cols), min(rows, cols)
	a := mat.NewDense(m, n, nil)
	for i := range m {
		for j := range n {
			a.Set(i, j, r.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(a)
	var q, rr mat.Dense
	qr.QTo(&q)
	qr.RTo(&rr)
	gain := o.gain()
	for i := range rows {
		for j := range cols {
			p, c := i, j
			if rows < cols {
				p, c = j, i
			}
			// The signs of R's diagonal make the distribution uniform.
			x[i*cols+j] = gain * math.Copysign(1, rr.At(c, c)) * q.At(p, c)
		}
	}
}

func (o Orthogonal) gain() float64 {
	if o.Gain == 0 {
		return 1
	}
	return o.Gain
}

func (o Orthogonal) String() string { return fmt.Sprintf("orthogonal(%g)", o.gain()) }

// Sparse gives every unit of a weight [in, out] Count incoming connections with
// weights drawn from a normal distribution of standard deviation Std, and none
// besides (Martens, ICML 2010). 0 means 15 connections and standard deviation
// 1.
type Sparse struct {
	Count int
	Std   float64
}

// Fill draws each unit's connections.
func (s Sparse) Fill(r *rand.Rand, x []float64, shape []int, fanIn, _ int) {
	count, std := s.Count, s.Std
	if count <= 0 {
		count = 15
	}
	if std == 0 {
		std = 1
	}
	for i := range x {
		x[i] = 0
	}
	if len(shape) == 2 {
		for u := range shape[1] {
			for _, i := range r.Perm(shape[0])[:min(count, shape[0])] {
				x[i*shape[1]+u] = std * r.NormFloat64()
			}
		}
		return
	}
	for u := range len(x) / max(fanIn, 1) { // filters lie together
		for _, i := range r.Perm(fanIn)[:min(count, fanIn)] {
			x[u*fanIn+i] = std * r.NormFloat64()
		}
	}
}

func (s Sparse) String() string { return "sparse" }
