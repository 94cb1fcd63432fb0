package experiments

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/optimize"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/functions"
	"github.com/saddle-ml/saddle/optimizers"
)

func init() {
	register(Experiment{
		Name:  "functions",
		About: "Newton-type methods on the test functions of gonum whose minima are known, beside gonum's own methods",
		Paper: "gonum.org/v1/gonum/optimize/functions: after Moré, Garbow & Hillstrom 1981 and the surveys it names",
		Claim: "trust region, ARC and Newton-CG reach a listed minimum, or a point with no gradient and no negative curvature, from every start",
		Differs: `gonum's functions whose derivatives do not exist where one would arrive, or whose minima are unknown, are left out. A
         gradient here comes with the value, which is not counted again, and a product with the Hessian counts once; gonum
         asks for values and gradients apart, and its Newton for whole Hessians.`,
		Takes: "20 s",
		Run:   gonumFunctions,
	})
}

// rival is a method on the functions, ours by its specification or gonum's.
type rival struct {
	name  string
	spec  string
	gonum func() optimize.Method
	must  bool // arrive from every start
}

func rivals() []rival {
	return []rival{
		{name: "tr", spec: "tr", must: true},
		{name: "arc", spec: "arc", must: true},
		{name: "newton_cg", spec: "newton_cg", must: true},
		{name: "regnewton", spec: "regnewton:nonconvex"},
		{name: "lbfgs", spec: "lbfgs:iterations=1,tol_grad=0,tol_change=0"},
		{name: "gonum Newton", gonum: func() optimize.Method { return &optimize.Newton{} }},
		{name: "gonum BFGS", gonum: func() optimize.Method { return &optimize.BFGS{} }},
		{name: "gonum LBFGS", gonum: func() optimize.Method { return &optimize.LBFGS{} }},
	}
}

// A run ends at a gradient of this norm, or after so many steps.
const functionsTol, functionsSteps = 1e-8, 20000

func (r *rival) run(ctx context.Context, f *functions.Function, start int) (functions.Outcome, error) {
	if r.gonum != nil {
		return functions.RunGonum(f, start, r.gonum(), functionsTol, functionsSteps), ctx.Err()
	}
	m, err := optimizers.Parse(r.spec)
	if err != nil {
		return functions.Outcome{}, err
	}
	return functions.Run(ctx, f, start, m, functionsTol, functionsSteps)
}

func gonumFunctions(ctx context.Context, e *Env) (*Result, error) {
	csv := [][]any{{"function", "dimension", "start", "gradient_by", "hessian_by", "method", "end", "value", "excess", "gradient_norm", "lowest_curvature", "values", "gradients", "products", "steps", "why"}}
	list := rivals()
	table := cli.Table{Header: []string{"function, dimension, start"}}
	counts := make([]map[functions.End]int, len(list))
	for i, r := range list {
		table.Header = append(table.Header, r.name)
		counts[i] = map[functions.End]int{}
	}
	misses := cli.Table{Header: []string{"not at a listed minimum: from", "value", "|gradient|", "lowest curvature", "what it is", "methods"}, Left: map[int]bool{4: true, 5: true}}
	starts := 0
	for _, f := range functions.All() {
		for start, x := range f.Starts {
			starts++
			where := fmt.Sprintf("%s %d #%d", f.Name, len(x), start+1)
			cells := []string{where}
			var missed []miss
			for i, r := range list {
				o, err := r.run(ctx, &f, start)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", where, r.name, err)
				}
				counts[i][o.End]++
				cells = append(cells, mark(o.End)+fmt.Sprintf(" %d/%d/%d", o.Losses, o.Gradients, o.Products))
				if o.End != functions.Minimum {
					missed = with(missed, r.name, &o)
				}
				csv = append(csv, []any{o.Function, o.Dim, start + 1, f.GradientBy(), f.HessianBy(), r.name, string(o.End), o.Value, o.Excess, o.GradNorm, o.Curvature,
					o.Losses, o.Gradients, o.Products, o.Steps, o.Why})
			}
			table.Add(cells...)
			for _, m := range missed {
				misses.Add(where, Number(m.o.Value), Number(m.o.GradNorm), Number(m.o.Curvature), m.why, strings.Join(m.methods, ", "))
			}
		}
	}
	res := &Result{Table: []cli.Table{table, misses}, Notes: []string{"Cells: values/gradients/products with the Hessian; * not at a listed minimum."}}
	for i, r := range list {
		arrived := counts[i][functions.Minimum] + counts[i][functions.Resting]
		row := Row{What: fmt.Sprintf("%s: arrived, of %d starts", r.name, starts), Ours: float64(arrived)}
		if r.must {
			row.Want = AtLeast(float64(starts))
		}
		res.Rows = append(res.Rows, row, Row{What: "  at a listed minimum", Ours: float64(counts[i][functions.Minimum])})
	}
	return res, e.CSV("runs.csv", csv)
}

// mark tells ends apart in a cell.
func mark(end functions.End) string {
	if end == functions.Minimum {
		return ""
	}
	return "*"
}

// miss is a point other than a listed minimum, with the methods that have ended there.
type miss struct {
	o       *functions.Outcome
	why     string
	methods []string
}

// with adds an end to a list: to its point, or as a new one.
func with(list []miss, method string, o *functions.Outcome) []miss {
	why := reason(o)
	for i, m := range list {
		if m.why == why && math.Abs(m.o.Value-o.Value) <= 1e-7*max(1, math.Abs(o.Value)) {
			list[i].methods = append(m.methods, method)
			return list
		}
	}
	return append(list, miss{o, why, []string{method}})
}

// special are places that a test of the curvature does not tell.
var special = map[string]string{
	"DropWave":   "on a circle of minima, along which there is no curvature",
	"DixonPrice": "the minimum at (1/3, 0, ..., 0), of order four in the last variable",
	"BiggsEXP5":  "on a plain: exponents have met, and the difference of their factors matters alone",
	"BiggsEXP6":  "on a plain: exponents have met, and the sum of their factors matters alone",
}

// reason explains an end that is no listed minimum.
func reason(o *functions.Outcome) string {
	strict := o.Curvature > 1e-5 // the second-order condition of a minimum, well above rounding
	switch {
	case o.End == functions.Resting && o.GradNorm > functionsTol && o.Steps < functionsSteps && o.Why != string(optimizers.GradNormReached):
		return "near one: " + o.Why
	case o.End == functions.Resting && math.IsNaN(o.Excess) && strict:
		return "a minimum; none is listed"
	case o.End == functions.Resting && strict:
		return "another minimum"
	case o.End == functions.Resting && special[o.Function] != "":
		return special[o.Function]
	case o.End == functions.Resting:
		return "no gradient and no negative curvature"
	case o.End == functions.SaddleAt:
		return "a saddle, where the method sees no more than that the gradient is 0"
	}
	return "not there: " + strings.TrimSpace(o.Why)
}
