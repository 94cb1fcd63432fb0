package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// Adafactor is Adam without its mean, whose mean squares of a matrix are the product of a mean for each row and one for
// each column, and whose steps are relative to the size of the tensor. For each tensor x of n elements, with the
// minibatch gradient g at x, t = 1, 2, ..., and the root mean square RMS(x) = |x|/sqrt(n)
//
//	α = max(Eps2, RMS(x))·min(LR, 1/sqrt(t)),  w = t^Beta2Decay
//	x = (1 - LR·WeightDecay)·x
//	r = (1-w)·r + w·mean of g² over each row          c = (1-w)·c + w·mean of g² over each column
//	v = r·cᵀ / max(Eps1, mean of r)
//	u = g / sqrt(max(Eps1², v))
//	x = x - α/max(1, RMS(u)/D)·u
//
// (Shazeer & Stern 2018, Algorithms 4 and 5), as torch.optim.Adafactor has it, whose defaults these are. Rows and columns
// are those of the last two dimensions of a tensor; one with fewer keeps all of v, v = (1-w)·v + w·g². Note that LR is a bound
// and that weight decay does not follow α.
//
// For large models, where its memory of a row and a column in the place of a matrix matters. Elsewhere Adam is faster to a
// given loss.
type Adafactor struct {
	LR          float64 `set:"lr" default:"0.01" range:"[0,inf)" help:"largest step, relative to the root mean square of the tensor"`
	Beta2Decay  float64 `set:"beta2_decay" default:"-0.8" range:"(-inf,0]" help:"the newest gradient's weight in the means is the step's number to this power"`
	Eps1        float64 `set:"eps1" default:"0" range:"[0,inf)" help:"smallest root mean square of the gradient; 0: the precision's 2^-23 or 2^-52"`
	Eps2        float64 `set:"eps2" default:"0.001" range:"[0,inf)" help:"smallest root mean square of a tensor that its step is relative to"`
	D           float64 `set:"d" default:"1" range:"[1,inf)" help:"largest root mean square of a step before it is scaled"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
}

var _ Method = (*Adafactor)(nil)

// Name is adafactor.
func (*Adafactor) Name() string { return "adafactor" }

func (*Adafactor) info() Info {
	return Info{Name: "adafactor", Memory: 2, DefaultLR: 0.01, Use: "large models: of a matrix it keeps a row and a column; memory 2 is that of vectors"}
}

func (m *Adafactor) start32(l Layout) (Optimizer[float32], error) {
	return startAdafactor[float32](m, l)
}
func (m *Adafactor) start64(l Layout) (Optimizer[float64], error) {
	return startAdafactor[float64](m, l)
}

func startAdafactor[T Float](m *Adafactor, l Layout) (Optimizer[T], error) {
	s, err := resolve("adafactor", m)
	if err != nil {
		return nil, err
	}
	if s.Eps1 == 0 {
		s.Eps1 = epsilon[T]()
	}
	o := &adafactor[T]{set: s}
	o.start("adafactor", l, o.begin)
	o.rated(&o.rate, s.LR)
	o.cut(l)
	o.tasks = len(o.pieces)
	o.pass = func(_, i int) { o.walk(&o.pieces[i], true) }
	o.measure = func(_, i int) { o.walk(&o.pieces[i], false) }
	o.squares, o.columns = o.square, o.join
	return o, nil
}

type adafactor[T Float] struct {
	elementwise[T]
	rate
	set      Adafactor
	matrices []matrices[T]
	pieces   []piece[T]
	split    []int // those of matrices that are one matrix in several pieces
	scratch  []factorScratch[T]

	fresh                     float64 // w of the step that is being taken
	squares, columns, measure func(worker, i int)
}

func (o *adafactor[T]) begin(t int, _ []T) {
	o.fresh = math.Pow(float64(t), o.set.Beta2Decay)
	o.used = min(o.Rate(), 1/math.Sqrt(float64(t)))
	pool := parallel.Shared()
	pool.Run(len(o.pieces), o.squares)
	pool.Run(len(o.split), o.columns)
	pool.Run(len(o.pieces), o.measure)
	for i := range o.matrices {
		m := &o.matrices[i]
		var x2, u2 float64
		for _, p := range o.pieces[m.from:m.to] {
			x2 += p.x2
			u2 += p.u2
		}
		n := float64(m.count * m.rows * m.cols)
		alpha := max(o.set.Eps2, math.Sqrt(x2/n)) * o.used
		m.step = T(-alpha / max(1, math.Sqrt(u2/n)/o.set.D))
		m.keep = T(1 - o.Rate()*o.set.WeightDecay)
	}
}
