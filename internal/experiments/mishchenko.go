package experiments

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/optimizers"
)

func init() {
	register(Experiment{
		Name:  "mishchenko2023",
		About: "Newton's method damped by the root of the gradient's norm, where first-order methods crawl",
		Paper: "Mishchenko 2023, arXiv 2112.02089, the logistic regression of its figure 1: iterations of the author's code, run again",
		Claim: "AdaN and AdaN+ bring ill-conditioned logistic regression to 1e-12 within 60 iterations; gradient descent and its acceleration are far from it after 200, and so are Newton methods with the constant of the worst case",
		Differs: `nothing in AdaN, AdaN+, Global Newton and the methods of a fixed rate: the same start, 0.5 everywhere, the same l2, 1e-10 of
         the smoothness, the same first H. Newton with a line search is Newton-CG with Armijo's condition at 1e-4 here, where
         the author has 0.5 and dense solves; cubic Newton and ARC have exact sub-problems. The first-order methods with line
         searches are not the author's either: on w8a, GD with Armijo's condition comes to .00660 in 200 trials (his .00647), and
         Nesterov's method, here with the backtracking of Nesterov (2013), to 9.8e-4 (his, with Armijo's condition, to
         .00474); on mushrooms to .00733 and 3.2e-5 (his .00869 and .00264). They are there to be looked at, without a tolerance.`,
		Takes: "4 minutes",
		Run:   mishchenko,
	})
}

// curveOf is a run of mishchenko2023: the loss before each step, and the trials of
// line searches up to then.
type curveOf struct {
	Loss   []float64
	Trials []int
}

// reach is the steps and trials to a loss, or false.
func (c *curveOf) reach(loss float64) (steps, trials int, ok bool) {
	for k, f := range c.Loss {
		if f <= loss {
			return k, c.Trials[k], true
		}
	}
	return 0, 0, false
}

// mishchenkoSet is one of the data sets with the numbers of the author's code.
type mishchenkoSet struct {
	name      string
	load      func() (*data.LIBSVM, error)
	smooth    float64 // L, the Lipschitz constant of the gradient
	lipschitz float64 // L2, of the Hessian
	least     float64
	adan      [3][2]int  // iterations and those of the line search to 1e-4, 1e-8 and 1e-12
	adanPlus  [3]int     // iterations
	after     [3]float64 // gaps after 200: Global Newton, and by trials of line searches GD with Armijo, Nesterov with Armijo
}

var mishchenkoSets = []mishchenkoSet{
	{"w8a", data.W8A, 0.6611993844944795, 2.717271162749765, 0.1108115080924934,
		[3][2]int{{25, 27}, {39, 42}, {42, 45}}, [3]int{28, 48, 55}, [3]float64{.0252, .00647, .00474}},
	{"mushrooms", data.Mushrooms, 2.5862142339, 4.5616531329, 4.318447126612376e-07,
		[3][2]int{{21, 21}, {33, 33}, {37, 37}}, [3]int{24, 38, 44}, [3]float64{.00701, .00869, .00264}},
}

var gaps = []float64{1e-4, 1e-8, 1e-12}

func mishchenko(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{}
	csv := [][]any{{"data", "method", "optimizer", "iteration", "trials", "loss", "gap"}}
	var charts []chart.Chart
	for _, set := range mishchenkoSets {
		rows, err := set.load()
		if err != nil {
			return nil, err
		}
		smooth, lipschitz, err := constants(ctx, rows)
		if err != nil {
			return nil, err
		}
		res.Rows = append(res.Rows,
			Row{set.name + ": L", fmt.Sprint(set.smooth), smooth, Between(set.smooth*(1-1e-8), set.smooth*(1+1e-8)).Digits(10)},
			Row{"  L2", fmt.Sprint(set.lipschitz), lipschitz, Between(set.lipschitz*(1-1e-8), set.lipschitz*(1+1e-8)).Digits(10)})
		model, err := newLinearModel(rows, logisticLoss, 1e-10*smooth, e.Seed)
		if err != nil {
			return nil, err
		}
		runs := map[string]*curveOf{}
		methods := mishchenkoMethods(smooth, lipschitz)
		for _, m := range methods {
			if runs[m.name], err = Keep(ctx, e, set.name+" "+m.name, func() (*curveOf, error) {
				e.Note("%s: %s", set.name, m.name)
				return runLinear(ctx, model, m.spec, 200)
			}); err != nil {
				return nil, err
			}
		}
		least := math.Inf(1)
		for _, f := range runs["AdaN"].Loss {
			least = min(least, f)
		}
		c := chart.Chart{Title: set.name, X: chart.Axis{Label: "iterations"}, Y: chart.Axis{Label: "loss above the lowest", Log: true}, Width: 6, Height: 4.5}
		table := cli.Table{Header: []string{set.name + ": iterations/trials to", "1e-2", "1e-4", "1e-6", "1e-8", "1e-10", "1e-12", "gap after 200"}}
		for i, m := range methods {
			r := runs[m.name]
			s := chart.Series{Name: m.name, Color: i + 1}
			for k, f := range r.Loss {
				gap := f - least
				csv = append(csv, []any{set.name, m.name, m.spec, k, r.Trials[k], f, gap})
				if gap > 1e-16 {
					s.X, s.Y = append(s.X, float64(k)), append(s.Y, gap)
				}
			}
			c.Series = append(c.Series, s)
			line := []string{m.name}
			for p := 2; p <= 12; p += 2 {
				cell := "-"
				if steps, trials, ok := r.reach(least + math.Pow(10, -float64(p))); ok {
					cell = fmt.Sprintf("%d/%d", steps, trials)
				}
				line = append(line, cell)
			}
			table.Add(append(line, Number(max(0, r.Loss[len(r.Loss)-1]-least)))...)
		}
		charts = append(charts, c)
		res.Table = append(res.Table, table)
		res.Rows = append(res.Rows, set.rows(runs, least)...)
	}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("mishchenko2023", chart.Grid{Title: "logistic regression from 0.5·(1, ..., 1), l2 = 1e-10 L", Rows: [][]chart.Chart{charts}})
}

// rows are the comparisons of a data set.
func (set *mishchenkoSet) rows(runs map[string]*curveOf, least float64) []Row {
	list := []Row{{"  lowest loss", fmt.Sprint(set.least), least, Between(set.least-1e-14, set.least+1e-14).Digits(14)}}
	within := func(what string, theirs, ours int, ok bool, by int) {
		v := float64(ours)
		if !ok {
			v = math.NaN()
		}
		list = append(list, Row{what, fmt.Sprint(theirs), v, Between(float64(theirs-by), float64(theirs+by))})
	}
	for i, gap := range gaps {
		steps, trials, ok := runs["AdaN"].reach(least + gap)
		within(fmt.Sprintf("  AdaN, iterations to %v", gap), set.adan[i][0], steps, ok, 2)
		within("    and those of the line search", set.adan[i][1], trials, ok, 2)
	}
	for i, gap := range gaps {
		steps, _, ok := runs["AdaN+"].reach(least + gap)
		within(fmt.Sprintf("  AdaN+, iterations to %v", gap), set.adanPlus[i], steps, ok, 3)
	}
	global := runs["Global Newton"]
	gap := global.Loss[len(global.Loss)-1] - least
	list = append(list, Row{"  Global Newton, gap after 200", Number(set.after[0]), gap, Between(0.98*set.after[0], 1.02*set.after[0])})
	for i, name := range []string{"GD, Armijo", "Nesterov, backtracking"} {
		list = append(list, Row{What: "  " + name + ", gap after 200 trials", Paper: Number(set.after[i+1]), Ours: runs[name].after(200) - least})
	}
	return list
}

// after is the loss after a number of trials.
func (c *curveOf) after(trials int) (loss float64) {
	for k, f := range c.Loss {
		if c.Trials[k] <= trials {
			loss = f
		}
	}
	return loss
}

// named is a method by the name it has in a figure.
type named struct{ name, spec string }

func mishchenkoMethods(smooth, lipschitz float64) []named {
	h := lipschitz / 2
	return []named{
		{"AdaN", fmt.Sprintf("regnewton:h=%v,curvature=1", h)},
		{"AdaN+", fmt.Sprintf("regnewton:rule=adan_plus,h=%v,curvature=1", h)},
		{"Global Newton", fmt.Sprintf("regnewton:rule=fixed,h=%v,curvature=1", h)},
		{"Newton-CG", "newton_cg:curvature=1,cg_iters=1000,cg_tol=1e-6"},
		{"cubic Newton", fmt.Sprintf("cubic:l2=%v,curvature=1,lanczos_iters=300", lipschitz)},
		{"ARC", fmt.Sprintf("arc:cubic=%v,curvature=1,lanczos_iters=300", h)},
		{"trust region", "tr:curvature=1,cg_iters=300"},
		{"GD", fmt.Sprintf("gd:lr=%v", 1/smooth)},
		{"Nesterov, restarts", fmt.Sprintf("nesterov:lr=%v,restart=doubling", 1/smooth)},
		{"GD, Armijo", fmt.Sprintf("gd:lr=%v,line_search=armijo", 1/smooth)},
		{"Nesterov, backtracking", fmt.Sprintf("nesterov:lr=%v,line_search=backtracking", 1/smooth)},
	}
}

// runLinear takes steps from 0.5 everywhere, until the loss has not fallen for ten.
func runLinear(ctx context.Context, model *linearModel, spec string, steps int) (*curveOf, error) {
	m, err := optimizers.Parse(spec)
	if err != nil {
		return nil, err
	}
	w := make([]float64, model.d)
	for i := range w {
		w[i] = 0.5
	}
	c := &curveOf{}
	trials, lowest, since := 0, math.Inf(1), 0
	err = model.follow(ctx, w, m, func(step int, loss float64, last *optimizers.Report) bool {
		if last != nil {
			trials += last.Trials
		}
		c.Loss, c.Trials = append(c.Loss, loss), append(c.Trials, trials)
		if since++; loss < lowest {
			lowest, since = loss, 0
		}
		return step < steps && since < 10
	})
	return c, err
}

// constants are those of logistic regression: L = |X'X/n|/4, and a bound on the
// Lipschitz constant of the Hessian, 4L·max|x_i|/(6√3), as the author's code has it.
func constants(ctx context.Context, rows *data.LIBSVM) (smooth, lipschitz float64, err error) {
	m, err := newLinearModel(rows, pointLoss{second: func(_, _ float64) (float64, float64) { return 0.25, 0.25 }}, 0, 0)
	if err != nil {
		return 0, 0, err
	}
	start := make([]float64, m.d)
	for i := range start {
		start[i] = 1 + 1/float64(i+2)
	}
	if err := m.full.Linearize(start); err != nil {
		return 0, 0, err
	}
	var l optimizers.Lanczos[float64]
	if err := l.Start(start); err != nil {
		return 0, 0, err
	}
	for more := true; more; {
		if more, err = l.Step(ctx, m.full.HessianMul); err != nil {
			return 0, 0, err
		}
	}
	values, _, err := l.Ritz()
	if err != nil {
		return 0, 0, err
	}
	smooth = values[len(values)-1]
	longest := 0.0
	for _, s := range m.norms {
		longest = max(longest, math.Sqrt(s))
	}
	return smooth, 4 * smooth * longest / (6 * math.Sqrt(3)), nil
}
