package experiments

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "hessian-outliers",
		About: "a trained classifier's Hessian has about as many outliers as classes, less one; they are the Gauss-Newton matrix's",
		Paper: "Sagun, Evci, Güney, Dauphin & Bottou 2017, arXiv 1706.04454; Papyan 2018, arXiv 1811.07062",
		Claim: `of k classes come about k - 1 eigenvalues that stand apart from a bulk near zero; they are those of the Gauss-Newton
			matrix, the first term of the Hessian, and shrink with the number of classes, not with the network`,
		Differs: `the first 4 and 7 digits of MNIST and all 10, 300 images of each, in place of 1000 points of 2 to 10 classes or
			the whole of MNIST; one network of 128 hidden units, trained for 3 epochs, to about 98 % and more. The outliers are counted by
			a rule: they end at the largest ratio of two neighbours among the 18 largest eigenvalues, of those behind the
			second. Where training goes on to a loss near zero, which few images decide, the gap closes: that is shown without
			a tolerance.`,
		Takes: "1 min",
		Run:   hessianOutliers,
	})
}

// outlierSpectrum is what is measured of one network.
type outlierSpectrum struct {
	Hessian, GaussNewton []float64 // the largest eigenvalues
	Residual             float64   // the largest, relative to its value
	Shared               []float64 // share of the first k eigenvectors of the Hessian in the first k of the other
	Bulk, BulkError      float64   // share of the eigenvalues within 1 % of the largest, and its standard error
	Least                float64   // the smallest eigenvalue
	Loss, Accuracy       float64
	Products             int
}

const outlierTop = 18

func hessianOutliers(ctx context.Context, e *Env) (*Result, error) {
	const perClass = 300
	res := &Result{}
	csv := [][]any{{"classes", "epochs", "index", "hessian", "gauss_newton"}}
	all := chart.Chart{Title: "largest eigenvalues", X: chart.Axis{Label: "number, from the largest"}, Y: chart.Axis{Label: "eigenvalue of the Hessian", Log: true}, Width: 5.5, Height: 4}
	both := chart.Chart{Title: "10 classes: Hessian and Gauss-Newton", X: all.X, Y: chart.Axis{Label: "eigenvalue", Log: true}, Width: 5.5, Height: 4}
	table := cli.Table{Header: []string{"", "loss", "accuracy", "λ1", "λ(k-1)", "λ(k)", "lowest seen", "residual at most", "products"}}
	for _, setting := range [][2]int{{4, 3}, {7, 3}, {10, 3}, {10, 15}} {
		classes, epochs := setting[0], setting[1]
		s, err := Keep(ctx, e, fmt.Sprintf("%d-classes-%d-epochs", classes, epochs), func() (*outlierSpectrum, error) {
			e.Note("%d classes, %d epochs", classes, epochs)
			return outliers(ctx, e, classes, perClass, epochs)
		})
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%d classes", classes)
		count, same, shared, bulk := Between(float64(classes-2), float64(classes)), AtMost(0.1), AtLeast(0.9), AtLeast(0.99)
		if epochs > 3 {
			name += " at zero loss"
			count = Want{} // they fade into the bulk
		}
		res.Rows = append(res.Rows,
			Row{name + ": outliers of the Hessian", fmt.Sprintf("about %d", classes-1), float64(edge(s.Hessian)), count},
			Row{"  of the Gauss-Newton matrix", "the same", float64(edge(s.GaussNewton)), count},
			Row{"  largest difference of these, relative", "", apart(s.Hessian[:classes-1], s.GaussNewton[:classes-1]), same},
			Row{"  part of their eigenvectors that is shared", "", s.Shared[classes-2], shared},
			Row{"  share of all within 1 % of the largest", "nearly all", s.Bulk, bulk})
		line := chart.Series{Name: name, Markers: true}
		for i, v := range s.Hessian {
			line.X, line.Y = append(line.X, float64(i+1)), append(line.Y, v)
			csv = append(csv, []any{classes, epochs, i + 1, v, s.GaussNewton[i]})
		}
		all.Series = append(all.Series, line)
		if name == "10 classes" {
			both.Series = []chart.Series{{Name: name, X: line.X, Y: line.Y, NoLine: true, Markers: true, Color: 3},
				{Name: "Gauss-Newton matrix, 10 classes", X: line.X, Y: s.GaussNewton, Color: 7}}
		}
		table.Add(name, Number(s.Loss), Number(s.Accuracy), Number(s.Hessian[0]), Number(s.Hessian[classes-2]), Number(s.Hessian[classes-1]),
			Number(s.Least), Number(s.Residual), fmt.Sprint(s.Products))
	}
	res.Table = []cli.Table{table}
	if err := e.CSV("eigenvalues.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("hessian-outliers", chart.Grid{Title: "a network of 128 hidden units on digits of MNIST", Rows: [][]chart.Chart{{all, both}}})
}

// edge is the number of outliers: they end at the largest ratio of neighbours behind
// the second.
func edge(values []float64) int {
	at, most := 0, 0.0
	for k := 2; k < len(values); k++ {
		if values[k] <= 0 {
			break
		}
		if r := values[k-1] / values[k]; r > most {
			at, most = k, r
		}
	}
	return at
}

// apart is the largest relative difference of two lists.
func apart(a, b []float64) (most float64) {
	for i := range a {
		most = math.Max(most, math.Abs(a[i]-b[i])/math.Abs(a[i]))
	}
	return most
}

// outliers trains a network on the first digits and measures its spectrum.
func outliers(ctx context.Context, e *Env, classes, perClass, epochs int) (*outlierSpectrum, error) {
	t, err := e.digits(ctx, 0)
	if err != nil {
		return nil, err
	}
	d, err := firstClasses(t.Train, classes, perClass)
	if err != nil {
		return nil, err
	}
	m, err := nn.Build[float32](nn.Sequential{nn.Flatten{}, nn.Dense{Units: 128}, nn.ReLU{}, nn.Dense{Units: classes}}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(e.Seed))
	if err != nil {
		return nil, err
	}
	c := train.Config{Optimizer: &optimizers.SGD{LR: 0.02, Momentum: 0.9}, Epochs: epochs, Batch: 64, Seed: e.Seed}
	if _, err := trained(ctx, e, fmt.Sprintf("%d-classes-%d-epochs", classes, epochs), m, d, c); err != nil {
		return nil, err
	}
	scores, err := train.Evaluate(ctx, m, d)
	if err != nil {
		return nil, err
	}
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return nil, err
	}
	r := &outlierSpectrum{Loss: scores.Loss}
	r.Accuracy, _ = scores.Accuracy()
	hessian := p.Hessian()
	top := func(a landscape.Matrix, o landscape.EigenOptions) (*landscape.Eigenpairs, error) {
		pairs, err := landscape.Eigen(ctx, a, o)
		if err == nil {
			r.Products += pairs.Products
			for _, p := range pairs.Pairs {
				r.Residual = max(r.Residual, p.Residual/math.Abs(p.Value))
			}
		}
		return pairs, err
	}
	h, err := top(hessian, landscape.EigenOptions{Count: outlierTop, Tol: 1e-2})
	if err != nil {
		return nil, err
	}
	g, err := top(p.GaussNewton(), landscape.EigenOptions{Count: outlierTop, Tol: 1e-2})
	if err != nil {
		return nil, err
	}
	for k := range h.Pairs {
		r.Hessian, r.GaussNewton = append(r.Hessian, h.Pairs[k].Value), append(r.GaussNewton, g.Pairs[k].Value)
		sum := 0.0
		for _, v := range h.Pairs[:k+1] {
			sum += landscape.Overlap(v.Vector, g.Pairs[:k+1])
		}
		r.Shared = append(r.Shared, sum/float64(k+1))
	}
	density, err := landscape.Quadrature(ctx, hessian, landscape.QuadratureOptions{Probes: 8, Steps: 40, Seed: e.Seed})
	if err != nil {
		return nil, err
	}
	r.Products += density.Products
	r.Least = density.Bounds()[0]
	near := density.Mean(func(x float64) float64 {
		if math.Abs(x) <= 0.01*r.Hessian[0] {
			return 1
		}
		return 0
	})
	r.Bulk, r.BulkError = near.Value, near.Error
	return r, nil
}

// firstClasses is the first n examples of each of the first classes.
func firstClasses(d data.Dataset, classes, n int) (data.Dataset, error) {
	y := make([]float64, d.Len())
	all := make([]int, d.Len())
	for i := range all {
		all[i] = i
	}
	if err := data.Read(d, nil, y, all); err != nil {
		return nil, err
	}
	var index []int
	have := make([]int, classes)
	for i, c := range y {
		if k := int(c); k < classes && have[k] < n {
			have[k]++
			index = append(index, i)
		}
	}
	size := 1
	for _, k := range d.Shape() {
		size *= k
	}
	x, targets := make([]float32, len(index)*size), make([]float32, len(index))
	if err := data.Read(d, x, targets, index); err != nil {
		return nil, err
	}
	return data.New(x, d.Shape(), targets, data.Target{Classes: classes})
}
