package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
)

func init() {
	register(Experiment{
		Name:  "edge-of-stability",
		About: "gradient descent raises the Hessian's largest eigenvalue to 2 over the learning rate, and stays there",
		Paper: "Cohen, Kaur, Li, Kolter & Talwalkar 2021, arXiv 2103.00065; figures 1 and 5",
		Claim: `in full-batch gradient descent the largest eigenvalue rises until it is 2/lr, where a quadratic becomes unstable,
			and then stays near it or just above, while the loss goes on falling, though not in every step`,
		Differs: `500 images of MNIST, standardised and times 0.1 so that the eigenvalue begins below 2/lr, targets 0 and 1, the
			mean of squared differences, a network 784-40-40-10 with tanh, in place of 5000 images of CIFAR-10 and widths of
			200; 1500/lr steps at three rates. "At the edge" is all measurements, one every 20 steps, from the first at 2/lr
			or above to the end.`,
		Takes: "1 min",
		Run:   edgeOfStability,
	})
}

// edgeRun is a run of gradient descent.
type edgeRun struct {
	Steps, Loss, Largest []float64
	Rose                 float64 // share of the steps at the edge in which the loss rose
	Arrived              int     // the first measurement at 2/lr; -1 for none
}

func edgeOfStability(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{}
	csv := [][]any{{"lr", "step", "loss", "largest_eigenvalue", "times_lr_over_2"}}
	eigen := chart.Chart{Title: "largest eigenvalue", X: chart.Axis{Label: "steps times learning rate", Max: 1650}, Y: chart.Axis{Label: "largest eigenvalue of the Hessian"}, Width: 5.5, Height: 4}
	losses := chart.Chart{Title: "training loss", X: eigen.X, Y: chart.Axis{Label: "mean squared error", Log: true}, Width: 5.5, Height: 4}
	for _, lr := range []float64{0.6, 0.4, 0.3} {
		r, err := Keep(ctx, e, fmt.Sprintf("lr%v-seed%d", lr, e.Seed), func() (*edgeRun, error) {
			e.Note("lr=%v", lr)
			return descend(ctx, e, lr)
		})
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("lr=%v", lr)
		a, b := chart.Series{Name: name}, chart.Series{Name: name}
		for i, step := range r.Steps {
			a.X, a.Y, b.X, b.Y = append(a.X, step*lr), append(a.Y, r.Largest[i]), append(b.X, step*lr), append(b.Y, r.Loss[i])
			csv = append(csv, []any{lr, step, r.Loss[i], r.Largest[i], r.Largest[i] * lr / 2})
		}
		eigen.Series, losses.Series = append(eigen.Series, a), append(losses.Series, b)
		if r.Arrived < 0 {
			res.Rows = append(res.Rows, Row{name + ": eigenvalue times lr/2, the largest seen", "1", slices.Max(r.Largest) * lr / 2, AtLeast(1)})
			continue
		}
		var edge []float64
		within := 0.0
		for _, v := range r.Largest[r.Arrived:] {
			edge = append(edge, v*lr/2)
			if math.Abs(v*lr/2-1) <= 0.1 {
				within++
			}
		}
		st := study.StatOf(edge)
		res.Rows = append(res.Rows,
			Row{name + ": eigenvalue times lr/2 at the start", "below 1", r.Largest[0] * lr / 2, AtMost(0.9)},
			Row{"  median at the edge", "1, or just above", st.Median, Between(0.9, 1.1)},
			Row{"  share of the measurements there within 10 % of 1", "", within / float64(len(edge)), AtLeast(0.95)},
			Row{"  lowest there", "", st.Min, Want{}},
			Row{"  highest there", "", st.Max, Want{}},
			Row{"  measurements there", "", float64(len(edge)), AtLeast(20)},
			Row{"  share of the steps there in which the loss rose", "not 0", r.Rose, AtLeast(0.01)},
			Row{"  loss at the end over that on arrival", "below 1", r.Loss[len(r.Loss)-1] / r.Loss[r.Arrived], AtMost(0.8)})
		eigen.Lines = append(eigen.Lines, chart.Line{Name: fmt.Sprintf("2/%v", lr), At: 2 / lr})
	}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("edge-of-stability", chart.Grid{Title: "full-batch gradient descent", Rows: [][]chart.Chart{{eigen, losses}}})
}

// descend runs gradient descent.
func descend(ctx context.Context, e *Env, lr float64) (*edgeRun, error) {
	const every, time = 20, 1500
	most := int(time / lr)
	t, err := e.digits(ctx, 500)
	if err != nil {
		return nil, err
	}
	small, err := data.Affine(t.Train, 0.1, 0)
	if err != nil {
		return nil, err
	}
	d, err := oneHot(small, 10)
	if err != nil {
		return nil, err
	}
	m, err := nn.Build[float32](nn.Sequential{nn.Flatten{}, nn.Dense{Units: 40}, nn.Tanh{}, nn.Dense{Units: 40}, nn.Tanh{}, nn.Dense{Units: 10}},
		nn.MeanSquaredError{}, d.Shape(), nn.Seed(e.Seed))
	if err != nil {
		return nil, err
	}
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return nil, err
	}
	x, g := slices.Clone(m.Params), make([]float32, len(m.Params))
	r := &edgeRun{Arrived: -1}
	var start [][]float64
	rose, counted, before := 0, 0, math.Inf(1)
	for step := 0; step <= most; step++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		loss, err := p.Sample.Grad(g, x)
		if err != nil {
			return nil, err
		}
		if r.Arrived >= 0 {
			counted++
			if loss > before {
				rose++
			}
		}
		before = loss
		if step%every == 0 {
			if err := p.Move(x); err != nil {
				return nil, err
			}
			top, err := landscape.Eigen(ctx, p.Hessian(), landscape.EigenOptions{Count: 1, Tol: 1e-2, Start: start, Seed: e.Seed})
			if err != nil {
				return nil, err
			}
			start = [][]float64{top.Pairs[0].Vector}
			value := top.Pairs[0].Value
			r.Steps, r.Loss, r.Largest = append(r.Steps, float64(step)), append(r.Loss, loss), append(r.Largest, value)
			if r.Arrived < 0 && value >= 2/lr {
				r.Arrived = len(r.Steps) - 1
			}
		}
		for i := range x {
			x[i] -= float32(lr) * g[i]
		}
	}
	r.Rose = float64(rose) / float64(max(1, counted))
	return r, nil
}

// oneHot is d with classes as numbers, of which one is 1 and the others 0.
func oneHot(d data.Dataset, classes int) (data.Dataset, error) {
	size := 1
	for _, k := range d.Shape() {
		size *= k
	}
	n := d.Len()
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	x, y, targets := make([]float32, n*size), make([]float32, n), make([]float32, n*classes)
	if err := data.Read(d, x, y, index); err != nil {
		return nil, err
	}
	for i, c := range y {
		targets[i*classes+int(c)] = 1
	}
	return data.New(x, d.Shape(), targets, data.Target{Shape: []int{classes}})
}
