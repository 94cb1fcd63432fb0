package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "kunin2021",
		About: "what symmetries conserve under gradient flow follows known curves under SGD with decay and momentum",
		Paper: "Kunin, Sagastuy-Brena, Ganguli, Yamins & Tanaka 2021, arXiv 2012.04728; figures 4 to 6",
		Claim: `the sums of weights into a softmax, squared lengths before batch normalisation and differences of squared lengths
			across a relu follow the modified flow, which knows rate, decay and momentum, given the lengths of the updates alone`,
		Differs: `a network of two convolutions, of 8 and 16 channels, on 2000 images of MNIST in place of VGG-16 on Tiny ImageNet, 630
			steps on minibatches of 32; batch normalisation without eps, which would break the symmetry. Agreement with the flow is
			the largest difference for a layer, relative to the sum of the squares in the quantity, or to a sum at its start; beside it the exact law of the
			discrete steps, which the paper does not have, for every symmetry.`,
		Takes: "10 s",
		Run:   kunin2021,
	})
}

// lawRun is the quantities of the groups of a network through a run.
type lawRun struct {
	Names    []string    // of groups: kind and layer
	Measured [][]float64 // of each group at each step
	Flow     [][]float64 // what the modified flow says
	Off      []float64   // largest difference of the two, relative to the size of the terms
	Moved    []float64   // largest change of the quantity, relative to that
	Laws     int
	Exact    float64 // largest difference from the discrete law of any symmetry, relative
	Loss     float64 // of the last minibatch

	// Of the scale symmetries, each step's mean over units.
	Rate, Predicted []float64 // effective learning rate, and what its law says
	RateOff         float64   // largest relative difference of any unit
	Angle           []float64 // angle of the step over that which the effective rate gives
}

// lawOf is one symmetry's quantity under SGD.
type lawOf struct {
	landscape.Symmetry
	group               int
	value, buffer, last float64 // of the discrete law
	rms                 float64 // |θ|⁴ by the law of the effective rate
}

// inner is the sum of a·b over the symmetry's parameters, those out of it negative; of
// a translation the sum of a.
func (l *lawOf) inner(a, b []float64) (sum float64) {
	for _, i := range l.In {
		if l.Kind == landscape.Translation {
			sum += a[i]
		} else {
			sum += a[i] * b[i]
		}
	}
	for _, i := range l.Out {
		sum -= a[i] * b[i]
	}
	return sum
}

// size is the sum of the sizes of the terms of the quantity.
func (l *lawOf) size(x []float64) (sum float64) {
	for _, list := range [][]int{l.In, l.Out} {
		for _, i := range list {
			if l.Kind == landscape.Translation {
				sum += math.Abs(x[i])
			} else {
				sum += x[i] * x[i]
			}
		}
	}
	return sum
}

// step moves the discrete law on: x⁺ = x - lr·b, b⁺ = βb + g + λx, where the gradient has
// no part along the symmetry. b is the new buffer.
func (l *lawOf) step(lr, beta, decay float64, g, b []float64) {
	switch {
	case l.Kind == landscape.Translation:
		l.buffer = beta*l.buffer + decay*l.value
		l.value -= lr * l.buffer
	case beta == 0:
		keep := 1 - lr*decay
		l.value = keep*keep*l.value + lr*lr*l.inner(g, g)
	default:
		l.buffer = beta*(l.buffer-lr*l.last) + decay*l.value
		l.last = l.inner(b, b)
		l.value += -2*lr*l.buffer + lr*lr*l.last
	}
}

// flow is the modified flow of a quantity q: q' = -cλq + drive without momentum, and
// q” + 2γq' + ω²q = 2 drive with it, c = 1 for sums and 2 for squares.
type flow struct{ q, v float64 }

// step moves on by lr, with drive the square of the update, 0 for sums.
func (f *flow) step(lr, beta, decay, c, drive float64) {
	if beta == 0 {
		f.q = f.q*math.Exp(-c*decay*lr) + lr*lr*drive
		return
	}
	denom := lr * (1 + beta)
	gamma, omega2 := (1-beta)/denom, 2*c*decay/denom
	slope := func(q, v float64) (float64, float64) { return v, 2*drive - 2*gamma*v - omega2*q }
	h := lr
	a1, b1 := slope(f.q, f.v)
	a2, b2 := slope(f.q+h/2*a1, f.v+h/2*b1)
	a3, b3 := slope(f.q+h/2*a2, f.v+h/2*b2)
	a4, b4 := slope(f.q+h*a3, f.v+h*b3)
	f.q += h / 6 * (a1 + 2*a2 + 2*a3 + a4)
	f.v += h / 6 * (b1 + 2*b2 + 2*b3 + b4)
}

// lawSetting is a run of the experiment.
type lawSetting struct {
	norm            bool
	lr, beta, decay float64
}

func (s lawSetting) String() string {
	net := "plain"
	if s.norm {
		net = "batch norm"
	}
	return fmt.Sprintf("%s, lr %g, decay %g, momentum %g", net, s.lr, s.decay, s.beta)
}

func kunin2021(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{}
	csv := [][]any{{"run", "group", "step", "measured", "flow"}}
	var rows [][]chart.Chart
	for _, norm := range []bool{false, true} {
		var row []chart.Chart
		for _, beta := range []float64{0, 0.9} {
			s := lawSetting{norm, 0.05, beta, 0.01}
			if beta > 0 {
				s.lr = 0.01
			}
			r, err := Keep(ctx, e, fmt.Sprintf("laws-%v-%v-seed%d", norm, beta, e.Seed), func() (*lawRun, error) {
				e.Note("%s", s)
				return runLaws(ctx, e, s)
			})
			if err != nil {
				return nil, err
			}
			for k, name := range r.Names {
				res.Rows = append(res.Rows, Row{fmt.Sprintf("%s: flow, %s", s, name), "overlaps", r.Off[k], AtMost(0.01)},
					Row{"  change of the quantity", "", r.Moved[k], AtLeast(0.01)})
				for i, v := range r.Measured[k] {
					csv = append(csv, []any{s.String(), name, i, v, r.Flow[k][i]})
				}
			}
			res.Rows = append(res.Rows, Row{fmt.Sprintf("  discrete law, %d symmetries", r.Laws), "", r.Exact, AtMost(1e-12)})
			c := chart.Chart{Title: s.String(), X: chart.Axis{Label: "steps"}, Y: chart.Axis{Label: "quantity over its size at the start"}, Width: 5.5, Height: 3.6}
			for k, name := range r.Names {
				m, f := chart.Series{Name: name, Color: k + 1}, chart.Series{Name: "modified flow", Color: 7, Dash: 1, Thin: true}
				for i := range r.Measured[k] {
					at := math.Abs(r.Measured[k][0])
					m.X, m.Y = append(m.X, float64(i)), append(m.Y, r.Measured[k][i]/at)
					f.X, f.Y = append(f.X, float64(i)), append(f.Y, r.Flow[k][i]/at)
				}
				c.Series = append(c.Series, m, f)
			}
			row = append(row, c)
		}
		rows = append(rows, row)
	}
	if err := e.CSV("quantities.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("kunin2021", chart.Grid{Title: "measured, and the theory from the lengths of the updates", Rows: rows})
}

// runLaws trains a convolutional network and follows its symmetries.
func runLaws(ctx context.Context, e *Env, s lawSetting) (*lawRun, error) {
	const epochs, batch = 10, 32
	t, err := e.digits(ctx, 2000)
	if err != nil {
		return nil, err
	}
	net := nn.Sequential{}
	for _, filters := range []int{8, 16} {
		net = append(net, nn.Conv2D{Filters: filters, Kernel: 3, Init: nn.HeNormal})
		if s.norm {
			net = append(net, nn.BatchNorm{Eps: 1e-300})
		}
		net = append(net, nn.ReLU{}, nn.MaxPool2D{Size: 2})
	}
	net = append(net, nn.Flatten{}, nn.Dense{Units: 10})
	m, err := nn.Build[float64](net, nn.SoftmaxCrossEntropy{}, t.Train.Shape(), nn.Seed(e.Seed))
	if err != nil {
		return nil, err
	}
	r := &lawRun{}
	var laws []*lawOf
	for _, sym := range landscape.Symmetries(m) {
		name := fmt.Sprintf("%s, %s", sym.Kind, sym.Layer)
		k := slices.Index(r.Names, name)
		if k < 0 {
			k = len(r.Names)
			r.Names = append(r.Names, name)
		}
		l := &lawOf{Symmetry: sym, group: k}
		l.value = l.inner(m.Params, m.Params)
		l.rms = l.value * l.value
		laws = append(laws, l)
	}
	r.Laws = len(laws)
	n := len(r.Names)
	r.Measured, r.Flow, r.Off, r.Moved = make([][]float64, n), make([][]float64, n), make([]float64, n), make([]float64, n)
	flows := make([]flow, n)
	for _, l := range laws {
		flows[l.group].q += l.value
	}
	for k := range n {
		r.Measured[k], r.Flow[k] = []float64{flows[k].q}, []float64{flows[k].q}
	}
	tell := func(g, before, after []float64) {
		b := make([]float64, len(g))
		for i := range b {
			b[i] = (before[i] - after[i]) / s.lr
		}
		drive, now, size := make([]float64, n), make([]float64, n), make([]float64, n)
		c := make([]float64, n)
		rate, predicted, angle, scales, turning := 0.0, 0.0, 0.0, 0.0, 0.0
		for _, l := range laws {
			l.step(s.lr, s.beta, s.decay, g, b)
			v, terms := l.inner(after, after), l.size(after)
			r.Exact = max(r.Exact, math.Abs(v-l.value)/terms)
			now[l.group] += v
			c[l.group] = 1
			if l.Kind == landscape.Translation {
				size[l.group] = math.Abs(r.Measured[l.group][0])
			} else {
				c[l.group] = 2
				size[l.group] += terms
				if s.beta == 0 {
					drive[l.group] += l.inner(g, g)
				} else {
					drive[l.group] += l.inner(b, b)
				}
			}
			if l.Kind == landscape.Scale {
				// |θ|⁴ is an exponential mean of the squared gradient on the unit sphere.
				was := l.inner(before, before)
				sphere := l.inner(g, g) * was
				l.rms = l.rms*math.Exp(-4*s.decay*s.lr) + 2*s.lr*s.lr*sphere
				want := s.lr / math.Sqrt(l.rms)
				have := s.lr / v
				r.RateOff = max(r.RateOff, math.Abs(want-have)/have)
				turned := l.inner(before, after) / math.Sqrt(was*v)
				rate, predicted, scales = rate+have, predicted+want, scales+1
				if sphere > 0 { // a channel that is off everywhere has no gradient
					angle += math.Acos(min(1, turned)) / (s.lr / was * math.Sqrt(sphere))
					turning++
				}
			}
		}
		for k := range n {
			flows[k].step(s.lr, s.beta, s.decay, c[k], drive[k])
			r.Measured[k], r.Flow[k] = append(r.Measured[k], now[k]), append(r.Flow[k], flows[k].q)
			r.Off[k] = max(r.Off[k], math.Abs(now[k]-flows[k].q)/size[k])
			r.Moved[k] = max(r.Moved[k], math.Abs(now[k]-r.Measured[k][0])/size[k])
		}
		if scales > 0 {
			r.Rate, r.Predicted, r.Angle = append(r.Rate, rate/scales), append(r.Predicted, predicted/scales), append(r.Angle, angle/max(1, turning))
		}
	}
	method := &optimizers.SGD{LR: s.lr, Momentum: s.beta, WeightDecay: s.decay}
	h, err := train.Fit(ctx, m, t.Train, train.Config{Optimizer: told(method, tell), Epochs: epochs, Batch: batch, Seed: e.Seed})
	if err != nil {
		return nil, err
	}
	r.Loss = h.Result.Train.Loss
	return r, nil
}

// told is a method that tells of each step: the gradient of the minibatch, and the
// weights before and after.
func told(m optimizers.Method, tell func(g, before, after []float64)) optimizers.Method {
	return optimizers.Own("told", nil, func(l optimizers.Layout) (optimizers.Stepper[float64], error) {
		o, err := optimizers.New[float64](m, l)
		g, before := make([]float64, l.Size()), make([]float64, l.Size())
		return optimizers.StepFunc[float64](func(ctx context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
			if _, err := p.Batch().Grad(g, x); err != nil {
				return optimizers.Report{}, err
			}
			copy(before, x)
			r, err := o.Step(ctx, x, p)
			if err == nil {
				tell(g, before, x)
			}
			return r, err
		}), err
	})
}
