package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "saddle-escape",
		About: "how many steps methods stay at a saddle: a function, a linear network and autoencoders",
		Paper: "Xu, Roosta-Khorasani & Mahoney 2018, arXiv 1708.07827 (trust region and ARC); Jin et al. 2017, arXiv 1703.00887 (perturbed gradient descent)",
		Claim: "trust region and ARC leave strict saddles within few steps, perturbed gradient descent in polynomial time; gradient descent that begins on the way into a saddle stays for ever",
		Differs: `the problems are our own, and small: neither paper counts steps. Rates of the first-order methods and the pushes of
         perturbed gradient descent are chosen by hand for each kind of problem, all else is at its defaults, with all examples in the
         minibatch and the curvature; SGD has a tenth of them. An autoencoder from zero has units that are all alike, and
         so has every gradient and every product with it: a method gets no further than one unit could, unless it moves at random.
         Trust region and ARC do at their defaults where the gradient has run out, which takes long here; a trust region
         whose conjugate gradients start at random, as in the published code, does in every step. A deep autoencoder at
         the mean image with weights of zero has no negative curvature either, for its loss needs all four layers to fall.`,
		Takes: "1 min",
		Run:   saddleEscape,
	})
}

// escape is a problem that begins at a saddle, or on a way into one. What is measured
// is 1 at the saddle.
type escape struct {
	name    string
	measure string
	left    float64   // the saddle has been left where the measure is at most this
	most    float64   // work of a run, in gradients of all examples
	specs   [3]string // of the first-order methods
	run     func(ctx context.Context, e *Env, p *escape, method optimizers.Method, sgd bool) (*escapeRun, error)
	want    map[string]int // steps within which methods must have left
}

// escapeRun is the measure against steps and work.
type escapeRun struct{ Steps, Work, Share []float64 }

// leaving is when the measure has fallen to a level; +Inf where it has not.
func (r *escapeRun) leaving(level float64) (steps, work float64) {
	for k, s := range r.Share {
		if s <= level {
			return r.Steps[k], r.Work[k]
		}
	}
	return math.Inf(1), math.Inf(1)
}

// add notes a measurement and tells whether the run goes on: it ends with its work, or
// far from the saddle.
func (r *escapeRun) add(p *escape, step int, work, share float64) bool {
	r.Steps, r.Work, r.Share = append(r.Steps, float64(step)), append(r.Work, work), append(r.Share, share)
	return work < p.most && share > p.left/2
}

var escapeMethods = []string{"gradient descent", "perturbed gradient descent", "SGD", "trust region", "trust region, random start", "ARC", "HF with the Hessian"}

func escapes() []escape {
	auto := [3]string{"gd:lr=1", "perturbed_gd:lr=1,wait=200,radius=0.1,threshold=0.01", "sgd:lr=0.1,momentum=0.9"}
	return []escape{
		{"strict saddle", "height over the minimum", 0.5, 3000, [3]string{"gd:lr=0.5", "perturbed_gd:lr=0.5,wait=200", "sgd:lr=0.5"}, strictSaddle,
			map[string]int{"gradient descent": never, "perturbed gradient descent": 1000, "SGD": 1000, "trust region": 10, "trust region, random start": 10, "ARC": 10}},
		{"linear network from zero", "loss", 0.9, 3000, [3]string{"gd:lr=1", "perturbed_gd:lr=1,wait=200", "sgd:lr=1"}, linearNetwork,
			map[string]int{"gradient descent": never, "SGD": never, "perturbed gradient descent": 1000, "trust region": 10, "trust region, random start": 10, "ARC": 10}},
		{"autoencoder from zero", "squared error", 0.75, 2000, auto, smallAutoencoder(0, 10), map[string]int{"gradient descent": never, "trust region, random start": 50}},
		{"autoencoder near zero", "squared error", 0.75, 2000, auto, smallAutoencoder(1e-3, 10), map[string]int{"trust region": 50, "trust region, random start": 50, "ARC": 50}},
		{"deep autoencoder from zero", "squared error", 0.75, 2000, auto, smallAutoencoder(0, 20, 5, 20), map[string]int{"gradient descent": never, "trust region, random start": 50}},
		{"deep autoencoder near zero", "squared error", 0.75, 2000, auto, smallAutoencoder(1e-3, 20, 5, 20), map[string]int{"trust region": 50, "trust region, random start": 50}},
	}
}

// never is for a method that must not leave.
const never = -1

func saddleEscape(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{Notes: []string{"+Inf: not within the work of the run. HF keeps its weights where the gradient is 0, and ends with an error where rounding judges its steps."}}
	csv := [][]any{{"problem", "method", "optimizer", "step", "gradients", "share"}}
	table := cli.Table{Header: append([]string{"steps (work) until leaving"}, escapeMethods...)}
	var charts []chart.Chart
	for _, p := range escapes() {
		cells := []string{p.name}
		c := chart.Chart{Title: p.name, X: chart.Axis{Label: "work in gradients of all examples", Log: true}, Y: chart.Axis{Label: p.measure + ", 1 at the saddle"}, Width: 4.5, Height: 4,
			Lines: []chart.Line{{Name: "left", At: p.left}}}
		for i, spec := range append(p.specs[:], "tr:curvature=1", "tr:curvature=1,start=random", "arc:curvature=1", "hf:hessian=true,curvature=1") {
			name := escapeMethods[i]
			r, err := Keep(ctx, e, fmt.Sprintf("%s %s seed%d", p.name, name, e.Seed), func() (*escapeRun, error) {
				e.Note("%s: %s", p.name, name)
				m, err := optimizers.Parse(spec)
				if err != nil {
					return nil, err
				}
				return p.run(ctx, e, &p, m, name == "SGD")
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", p.name, name, err)
			}
			for k := range r.Steps {
				csv = append(csv, []any{p.name, name, spec, r.Steps[k], r.Work[k], r.Share[k]})
			}
			steps, work := r.leaving(p.left)
			cell := fmt.Sprintf("%.0f (%.0f)", steps, work)
			if math.IsInf(steps, 1) {
				cell = fmt.Sprintf("not in %.0f (%.0f)", r.Steps[len(r.Steps)-1], r.Work[len(r.Work)-1])
			}
			cells = append(cells, cell)
			c.Series = append(c.Series, chart.Series{Name: name, Color: i + 1, X: r.Work, Y: atSaddle(r.Share)})
			row := Row{What: p.name + ": " + name, Ours: steps}
			switch most := p.want[name]; {
			case most == never:
				row.Want = Want{words: "never", ok: func(steps float64) bool { return math.IsInf(steps, 1) }}
			case most > 0:
				row.Want = AtMost(float64(most))
			}
			res.Rows = append(res.Rows, row)
		}
		table.Add(cells...)
		charts = append(charts, c)
	}
	res.Table = []cli.Table{table}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("saddle-escape", chart.Grid{Title: "at a saddle, and away", Rows: [][]chart.Chart{charts[:3], charts[3:]}})
}

// atSaddle leaves out what is high above the saddle, before a method has come near it.
func atSaddle(share []float64) []float64 {
	list := make([]float64, len(share))
	for i, s := range share {
		if list[i] = s; s > 1.25 {
			list[i] = math.NaN()
		}
	}
	return list
}

// landscapeOf is a plain function as a Problem of which every sample is the same, apart
// from noise on the gradient of its minibatch.
type landscapeOf struct {
	value func(x []float64) float64
	grad  func(dst, x []float64)
	hess  func(dst, x, v []float64)
	noise func(dst []float64) // nil: none
	at    []float64
}

func (f *landscapeOf) Len() int                          { return 1 }
func (f *landscapeOf) Batch() optimizers.Sample[float64] { return f }
func (f *landscapeOf) Full() optimizers.Sample[float64]  { return f }
func (f *landscapeOf) Has() optimizers.Oracle            { return optimizers.NeedGrad | optimizers.NeedHessian }
func (f *landscapeOf) Draw(n int) (optimizers.Sample[float64], error) {
	return nil, fmt.Errorf("experiments: a sample of %d examples of a plain function", n)
}
func (f *landscapeOf) Loss(x []float64) (float64, error) { return f.value(x), nil }
func (f *landscapeOf) Grad(dst, x []float64) (float64, error) {
	f.grad(dst, x)
	if f.noise != nil {
		f.noise(dst)
	}
	return f.value(x), nil
}
func (f *landscapeOf) Linearize(x []float64) error {
	f.at = append(f.at[:0], x...)
	return nil
}
func (f *landscapeOf) HessianMul(dst, v []float64) error {
	f.hess(dst, f.at, v)
	return nil
}
func (f *landscapeOf) GaussNewtonMul(_, _ []float64) error {
	return fmt.Errorf("experiments: a plain function has no Gauss-Newton matrix")
}

// saddleFunction is x1²/2 + ... + x9²/2 - c·y²/2 + y⁴/4.
func saddleFunction(c float64) *landscapeOf {
	const last = 9
	return &landscapeOf{
		value: func(x []float64) float64 {
			y2 := x[last] * x[last]
			sum := -c/2*y2 + y2*y2/4
			for _, v := range x[:last] {
				sum += v * v / 2
			}
			return sum
		},
		grad: func(dst, x []float64) {
			copy(dst, x)
			dst[last] = x[last] * (x[last]*x[last] - c)
		},
		hess: func(dst, x, v []float64) {
			copy(dst, v)
			dst[last] = (3*x[last]*x[last] - c) * v[last]
		},
	}
}

// strictSaddle begins at x = (0.01, ..., 0.01), y = 0: the gradient leads into 0, where the
// curvature along y is -c. SGD sees gradients with normal noise of standard deviation
// 0.01.
func strictSaddle(ctx context.Context, e *Env, p *escape, method optimizers.Method, sgd bool) (*escapeRun, error) {
	const d, c = 10, 0.1
	f := saddleFunction(c)
	if sgd {
		rng := rand.New(rand.NewPCG(e.Seed, 0x5ad))
		f.noise = func(dst []float64) {
			for i := range dst {
				dst[i] += 0.01 * rng.NormFloat64()
			}
		}
	}
	x := make([]float64, d)
	for i := range d - 1 {
		x[i] = 0.01
	}
	o, err := optimizers.New[float64](method, optimizers.Flat(d))
	if err != nil {
		return nil, err
	}
	r := &escapeRun{}
	work := 0.0
	for step := 0; r.add(p, step, work, 1+f.value(x)/(c*c/4)); step++ { // the minimum is -c²/4
		rep, err := o.Step(ctx, x, f)
		if stuck(err) {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		work += float64(rep.Work) / optimizers.WorkGrad
	}
	return r, nil
}

// linearNetwork is two layers of ten without bias that learn y = A x from zero, where A is
// diagonal with 1, 0.9, ..., 0.1, from 100 normal x. There all gradients are 0, those of
// single examples too.
func linearNetwork(ctx context.Context, e *Env, p *escape, method optimizers.Method, sgd bool) (*escapeRun, error) {
	const n, d = 100, 10
	rng := rand.New(rand.NewPCG(e.Seed, 0x11e))
	x, y := make([]float64, n*d), make([]float64, n*d)
	sum := 0.0
	for i := range x {
		x[i] = rng.NormFloat64()
		y[i] = x[i] * float64(d-i%d) / d
		sum += y[i] * y[i]
	}
	set, err := data.New(x, []int{d}, y, data.Target{Shape: []int{d}})
	if err != nil {
		return nil, err
	}
	zero := nn.Dense{Units: d, NoBias: true, Init: nn.Zeros}
	return escapeOf(ctx, e, p, nn.Sequential{zero, zero}, nn.MeanSquaredError{}, set, method, sgd, sum/(n*d), func(s *train.Scores) float64 { return s.Loss })
}

// smallAutoencoder has hidden layers of these sizes, sigmoid but for the code of a deep
// one, on 1000 digits of 7 by 7 pixels, each the mean of 16. The saddle is the mean image.
func smallAutoencoder(size float64, hidden ...int) func(context.Context, *Env, *escape, optimizers.Method, bool) (*escapeRun, error) {
	return func(ctx context.Context, e *Env, p *escape, method optimizers.Method, sgd bool) (*escapeRun, error) {
		const n, d = 1000, 49
		x, err := smallDigits(ctx, e, n)
		if err != nil {
			return nil, err
		}
		set, err := data.New(x, []int{d}, x, data.Target{Shape: []int{d}})
		if err != nil {
			return nil, err
		}
		weights := nn.Normal{Std: size}
		var net nn.Sequential
		for i, units := range append(hidden[:len(hidden):len(hidden)], d) {
			net = append(net, nn.Dense{Units: units, Init: weights})
			if i%2 == 0 && i < len(hidden) {
				net = append(net, nn.Sigmoid{})
			}
		}
		return escapeOf(ctx, e, p, net, nn.SigmoidCrossEntropy{}, set, method, sgd, variance(x, d), func(s *train.Scores) float64 { return s.Metrics["squared_error"] })
	}
}

// variance is the mean squared distance of the rows from their mean.
func variance(x []float64, d int) (sum float64) {
	n := float64(len(x) / d)
	for j := range d {
		mean, square := 0.0, 0.0
		for i := j; i < len(x); i += d {
			mean += x[i] / n
			square += x[i] * x[i] / n
		}
		sum += square - mean*mean
	}
	return sum
}

// smallDigits are the first n digits of MNIST, 4 by 4 pixels in one.
func smallDigits(ctx context.Context, e *Env, n int) ([]float64, error) {
	t, err := task.Load(ctx, task.Spec{Data: "mnist", DataDir: e.Data, Model: "autoencoder", Limit: n, Precision: "float64"})
	if err != nil {
		return nil, err
	}
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	large := make([]float64, n*28*28)
	if err := data.Read(t.Train, large, nil, index); err != nil {
		return nil, err
	}
	small := make([]float64, n*49)
	for i, v := range large {
		row, col := i/28%28/4, i%28/4
		small[i/(28*28)*49+row*7+col] += v / 16
	}
	return small, nil
}

// escapeOf trains a network and measures it after every step, by what it is at the
// saddle.
func escapeOf(ctx context.Context, e *Env, p *escape, net nn.Layer, loss nn.Loss, set data.Dataset, method optimizers.Method, sgd bool, saddle float64, of func(*train.Scores) float64) (*escapeRun, error) {
	m, err := nn.Build[float64](net, loss, set.Shape(), nn.Seed(e.Seed))
	if err != nil {
		return nil, err
	}
	c := train.Config{Optimizer: method, Batch: set.Len(), Epochs: 1 << 20, Seed: e.Seed, Probe: set, Every: 1}
	if sgd {
		c.Batch /= 10
	}
	r := &escapeRun{}
	c.Observers = []train.Observer{train.ObserverFunc(func(event train.Event) error {
		if m, ok := event.(*train.Measured); ok && !r.add(p, m.Step, float64(m.Work)/float64(optimizers.WorkGrad*set.Len()), of(m.Probe)/saddle) {
			return train.ErrStop
		}
		return nil
	})}
	if _, err = train.Fit(ctx, m, set, c); stuck(err) {
		err = nil
	}
	return r, err
}

// stuck tells whether a method has given up: no step that its model promises to lower
// the loss does, however much it is damped.
func stuck(err error) bool {
	var d *optimizers.DampingError
	return errors.As(err, &d)
}
