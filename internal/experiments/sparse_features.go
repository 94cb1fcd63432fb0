package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/optimizers"
)

func init() {
	register(Experiment{
		Name:  "sparse-features",
		About: "SGD with large steps finds sparser solutions, which generalise better, the longer the steps are large",
		Paper: "Andriushchenko, Varre, Pillaud-Vivien & Flammarion 2023, arXiv 2210.05337; the diagonal linear network of their code",
		Claim: "the test loss falls as the phase of large steps grows from 10 to 50 % of the run, and is at least 5 times below that of a constant smaller step",
		Differs: `the authors' data (numpy's seed 0), order of examples (seed 1), rates and divisors. At the large rate runs are chaotic
         and at the edge of divergence: a change of the start in its last digits changes the test loss by factors and ends
         some runs. So each number is the median over the runs that end, of 15 whose starts differ by 1e-12, where the
         authors have one run.`,
		Takes: "10 s",
		Run:   sparseFeatures,
	})
}

// phase is a setting of sparse-features: a rate that is divided after a share of
// the run.
type phase struct {
	name    string
	lr      float64
	until   float64 // 0: the rate is constant
	divisor float64
	test    string // loss in the authors' notebook
	nonzero string
}

func phases() []phase {
	return []phase{
		{"constant 0.25", 0.25, 0, 1, "3.53e-3", "200"},
		{"0.282 for 10 %", 0.282, 0.1, 4.8, "6.59e-4", "156"},
		{"0.282 for 30 %", 0.282, 0.3, 3.4, "2.85e-4", "89"},
		{"0.282 for 50 %", 0.282, 0.5, 1.5, "1.54e-4", "71"},
	}
}

// method is SGD with the setting's rates.
func (p *phase) method() string {
	if p.until == 0 {
		return fmt.Sprintf("sgd:lr=%v+constant", p.lr)
	}
	return fmt.Sprintf("sgd:lr=%v+large_step:until=%v,second=1,factor=%v", p.lr, p.until, 1/p.divisor)
}

// diagonalRun is where a run of the diagonal network has got to.
type diagonalRun struct {
	Diverged bool
	Steps    []float64
	Train    []float64
	Test     []float64
	Nonzero  []float64
}

func sparseFeatures(ctx context.Context, e *Env) (*Result, error) {
	const copies = 15
	order := uint32(e.Seed) + 1
	train, test := diagonalData(80, 1000, 200, 20)
	res := &Result{}
	csv := [][]any{{"setting", "optimizer", "run", "step", "train_loss", "test_loss", "nonzero"}}
	losses := chart.Chart{Title: "test loss", X: chart.Axis{Label: "steps"}, Y: chart.Axis{Label: "test loss", Log: true}, Width: 5.5, Height: 4}
	counts := chart.Chart{Title: "sparsity", X: chart.Axis{Label: "steps"}, Y: chart.Axis{Label: "numbers of u·v above 1e-50"}, Width: 5.5, Height: 4}
	var medians []float64
	for _, p := range phases() {
		var ends, nonzero []float64
		var runs []*diagonalRun
		for k := range copies {
			r, err := Keep(ctx, e, fmt.Sprintf("%g-%g-order%d-%d", p.lr, p.until, order, k), func() (*diagonalRun, error) {
				if k == 0 {
					e.Note("step %s: %d runs", p.name, copies)
				}
				return runDiagonal(ctx, train, test, p.method(), 0.1*(1+1e-12*float64(k)), order, 100_001)
			})
			if err != nil {
				return nil, err
			}
			runs = append(runs, r)
			for i := range r.Steps {
				csv = append(csv, []any{p.name, p.method(), k, r.Steps[i], r.Train[i], r.Test[i], r.Nonzero[i]})
			}
			if !r.Diverged {
				ends, nonzero = append(ends, r.Test[len(r.Test)-1]), append(nonzero, r.Nonzero[len(r.Nonzero)-1])
			}
		}
		end := study.StatOf(ends).Median
		medians = append(medians, end)
		res.Rows = append(res.Rows, Row{What: "test loss, step " + p.name, Paper: p.test, Ours: end},
			Row{What: "  numbers of u·v other than 0", Paper: p.nonzero, Ours: study.StatOf(nonzero).Median},
			Row{What: fmt.Sprintf("  of %d runs diverged", copies), Paper: "0 of 1", Ours: float64(copies - len(ends))})
		losses.Series = append(losses.Series, over(p.name, runs, func(r *diagonalRun) []float64 { return r.Test }))
		counts.Series = append(counts.Series, over(p.name, runs, func(r *diagonalRun) []float64 { return r.Nonzero }))
	}
	res.Rows = append(res.Rows,
		Row{"test loss, 30 % over 10 %", "0.43", medians[2] / medians[1], AtMost(1)},
		Row{"test loss, 50 % over 30 %", "0.54", medians[3] / medians[2], AtMost(1)},
		Row{"test loss, constant over 50 %", "23", medians[0] / medians[3], AtLeast(5)})
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("sparse-features", chart.Grid{Title: "diagonal linear network, SGD: medians of runs that differ by rounding", Rows: [][]chart.Chart{{losses, counts}}})
}

// over is the median of a curve over the runs that ended, with the band of them.
func over(name string, runs []*diagonalRun, of func(*diagonalRun) []float64) chart.Series {
	s := chart.Series{Name: name}
	for i := 0; ; i++ {
		var y []float64
		step := 0.0
		for _, r := range runs {
			if !r.Diverged && i < len(r.Steps) {
				y, step = append(y, of(r)[i]), r.Steps[i]
			}
		}
		if len(y) == 0 {
			return s
		}
		st := study.StatOf(y)
		s.X, s.Y, s.Low, s.High = append(s.X, step), append(s.Y, st.Median), append(s.Low, st.Min), append(s.High, st.Max)
	}
}

// linear is examples of a linear function: rows x with y = <beta, x>.
type linear struct {
	x [][]float64
	y []float64
}

// diagonalData are the authors' data: standard normal inputs and targets from a
// vector of length 1 with r numbers other than 0, all of them positive.
func diagonalData(n, tests, d, r int) (train, test *linear) {
	rng := newNumpy(0)
	draw := func(n int) *linear {
		l := &linear{y: make([]float64, n)}
		for range n {
			x := make([]float64, d)
			for j := range x {
				x[j] = rng.randn()
			}
			l.x = append(l.x, x)
		}
		return l
	}
	train, test = draw(n), draw(tests)
	beta, square := make([]float64, d), 0.0
	for j := range beta {
		if v := rng.randn(); j < r {
			beta[j] = math.Abs(v)
			square += v * v
		}
	}
	for _, l := range []*linear{train, test} {
		for i, x := range l.x {
			for j := range r {
				l.y[i] += x[j] * beta[j] / math.Sqrt(square)
			}
		}
	}
	return train, test
}

// loss is that of the network <u·v, x>: the mean of half the squared residuals.
func (l *linear) loss(w []float64) float64 {
	sum := 0.0
	for i := range l.x {
		e := l.residual(w, i)
		sum += e * e
	}
	return sum / float64(2*len(l.x))
}

// residual is <u·v, x_i> - y_i at the weights (u, v).
func (l *linear) residual(w []float64, i int) float64 {
	x := l.x[i]
	d := len(x)
	u, v := w[:d], w[d:2*d]
	e := -l.y[i]
	for j, xj := range x {
		e += xj * u[j] * v[j]
	}
	return e
}

// nonzero counts the numbers of u·v that are more than 1e-50.
func nonzero(w []float64) (n float64) {
	d := len(w) / 2
	for j := range d {
		if math.Abs(w[j]*w[d+j]) > 1e-50 {
			n++
		}
	}
	return n
}

// example is the loss of the network on one example as a problem.
type example struct {
	*linear
	i int
}

var errNoCurvature = errors.New("experiments: the diagonal network has gradients alone")

func (s *example) Len() int                                     { return 1 }
func (s *example) Linearize([]float64) error                    { return errNoCurvature }
func (s *example) HessianMul(_, _ []float64) error              { return errNoCurvature }
func (s *example) GaussNewtonMul(_, _ []float64) error          { return errNoCurvature }
func (s *example) Batch() optimizers.Sample[float64]            { return s }
func (s *example) Full() optimizers.Sample[float64]             { return s }
func (s *example) Draw(int) (optimizers.Sample[float64], error) { return nil, errNoCurvature }
func (s *example) Has() optimizers.Oracle                       { return optimizers.NeedGrad }
func (s *example) Loss(w []float64) (float64, error) {
	e := s.residual(w, s.i)
	return e * e / 2, nil
}

// Grad is the residual times x·v in u, and times x·u in v.
func (s *example) Grad(dst, w []float64) (float64, error) {
	e := s.residual(w, s.i)
	x := s.x[s.i]
	d := len(x)
	u, v, du, dv := w[:d], w[d:2*d], dst[:d], dst[d:2*d]
	for j, xj := range x {
		du[j], dv[j] = e*xj*v[j], e*xj*u[j]
	}
	return e * e / 2, nil
}

// runDiagonal trains the network from u = start and v = 0 on one example a step, drawn
// with repetition.
func runDiagonal(ctx context.Context, train, test *linear, spec string, start float64, seed uint32, steps int) (*diagonalRun, error) {
	const points = 250
	m, err := optimizers.Parse(spec)
	if err != nil {
		return nil, err
	}
	d := len(train.x[0])
	o, err := optimizers.New[float64](optimizers.ForSteps(m, steps), optimizers.Flat(2*d))
	if err != nil {
		return nil, err
	}
	w := make([]float64, 2*d)
	for j := range d {
		w[j] = start
	}
	r := &diagonalRun{}
	order := newNumpy(seed)
	s := &example{linear: train}
	for step := 0; ; step++ {
		if step%max(1, steps/points) == 0 || step == steps {
			r.Steps, r.Train, r.Test = append(r.Steps, float64(step)), append(r.Train, train.loss(w)), append(r.Test, test.loss(w))
			r.Nonzero = append(r.Nonzero, nonzero(w))
		}
		if step == steps {
			return r, nil
		}
		s.i = order.randint(uint32(len(train.x)))
		_, err := o.Step(ctx, w, s)
		var bad *optimizers.NonFiniteError
		switch {
		case errors.As(err, &bad):
			r.Diverged = true
			return r, nil
		case err != nil:
			return nil, err
		}
	}
}
