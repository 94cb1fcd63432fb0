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
	const black = 7 // a number of chart.Colors
	res := &Result{}
	csv := [][]any{{"run", "group", "step", "measured", "flow"}}
	var rows [][]chart.Chart
	var drawn []string
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
				if !slices.Contains(drawn, name) {
					drawn = append(drawn, name)
				}
				color := 1 + slices.Index(drawn, name) // the same in all charts, and none has it beside another
				if color >= black {
					color++
				}
				m, f := chart.Series{Name: name, Color: color}, chart.Series{Name: "modified flow", Color: black, Dash: 1, Thin: true}
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
	method := &optimizers.SGD{LR: s.lr, Momentum: s.beta, WeightDecay: s.decay}
	w, err := newLawWatch(m, method)
	if err != nil {
		return nil, err
	}
	h, err := train.Fit(ctx, m, t.Train, train.Config{Optimizer: method, Epochs: epochs, Batch: batch, Seed: e.Seed, Watch: []train.Watcher{w}})
	if err != nil {
		return nil, err
	}
	w.run.Loss = h.Result.Train.Loss
	return w.run, nil
}

// lawWatch notes after every step what a watch of the symmetries follows.
type lawWatch struct {
	*landscape.SymmetryWatch[float64]
	group []int // of each symmetry
	run   *lawRun
}

func newLawWatch(m *nn.Model[float64], method optimizers.Method) (*lawWatch, error) {
	const seldom = 1 << 30 // its own measurements are not needed
	follow, err := landscape.NewSymmetryWatch(m, method, seldom)
	if err != nil {
		return nil, err
	}
	r := &lawRun{Laws: len(follow.Of)}
	w := &lawWatch{follow, nil, r}
	for _, q := range follow.Of {
		name := fmt.Sprintf("%s, %s", q.Kind, q.Layer)
		k := slices.Index(r.Names, name)
		if k < 0 {
			k = len(r.Names)
			r.Names = append(r.Names, name)
			r.Measured, r.Flow = append(r.Measured, []float64{0}), append(r.Flow, []float64{0})
		}
		w.group = append(w.group, k)
		r.Measured[k][0] += q.Start
		r.Flow[k][0] += q.Start
	}
	r.Off, r.Moved = make([]float64, len(r.Names)), make([]float64, len(r.Names))
	return w, nil
}

// Step follows a step and notes it.
func (w *lawWatch) Step(s *train.Step[float64]) error {
	if err := w.SymmetryWatch.Step(s); err != nil {
		return err
	}
	landscape.MeasureConserved(w.Conservation, s.After)
	r, n := w.run, len(w.run.Names)
	now, flow, size := make([]float64, n), make([]float64, n), make([]float64, n)
	rate, law, angle, scales, turning := 0.0, 0.0, 0.0, 0.0, 0.0
	for i := range w.Of {
		q, k := &w.Of[i], w.group[i]
		r.Exact = max(r.Exact, math.Abs(q.Measured-q.Discrete)/q.Size)
		now[k], flow[k] = now[k]+q.Measured, flow[k]+q.Modified
		if q.Kind == landscape.Translation {
			size[k] = math.Abs(r.Measured[k][0])
		} else {
			size[k] += q.Size
		}
		if q.Kind == landscape.Scale {
			r.RateOff = max(r.RateOff, math.Abs(q.RateLaw/q.Rate-1))
			rate, law, scales = rate+q.Rate, law+q.RateLaw, scales+1
			// A channel that is off everywhere has no gradient.
			if turned := landscape.Turning(&q.Symmetry, s.Grad, s.Before, s.After, s.LR); !math.IsNaN(turned) {
				angle, turning = angle+turned, turning+1
			}
		}
	}
	for k := range n {
		r.Measured[k], r.Flow[k] = append(r.Measured[k], now[k]), append(r.Flow[k], flow[k])
		r.Off[k] = max(r.Off[k], math.Abs(now[k]-flow[k])/size[k])
		r.Moved[k] = max(r.Moved[k], math.Abs(now[k]-r.Measured[k][0])/size[k])
	}
	if scales > 0 {
		r.Rate, r.Predicted, r.Angle = append(r.Rate, rate/scales), append(r.Predicted, law/scales), append(r.Angle, angle/max(1, turning))
	}
	return nil
}
