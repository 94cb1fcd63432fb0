package experiments

import (
	"context"
	"fmt"
	"strings"

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
		Name:  "mli",
		About: "on the line from the first weights to the trained ones the loss falls monotonically, unless rates are large, methods adaptive or layers normalised",
		Paper: "Lucas, Bae, Zhang, Fort, Zemel & Grosse 2021, arXiv 2104.11044",
		Claim: `linear interpolation is monotone in most settings; less often with large learning rates, with Adam and with batch
			normalisation; where the outputs turn more along the way (a longer Gauss length) the loss rises higher`,
		Differs: `1000 images of MNIST, 20 epochs in minibatches of 100, in place of all and 200 in minibatches of 512; classifiers of
			2 layers of 100 units with relu, 5 of 64 with tanh and 8 of 64 with relu, and autoencoders 784-128-h-128-784 with h of
			50, 10 and 2, in place of widths of 512; 5 rates for each method, two seeds of the classifiers and one of the
			autoencoders. Runs count that have brought the loss to a tenth (autoencoders: to 9 tenths) of that at the start. A curve is
			monotone here if it never rises by more than 1e-4 of the loss at the start, which is rounding (the paper allows 0.1
			or so). With batch normalisation the statistics are those of the weights on the line.`,
		Takes: "2 min",
		Run:   interpolations,
	})
}

// mliRun is a run and the line to it.
type mliRun struct {
	Family, Method, Norm string
	LR                   float64
	Seed                 uint64
	Level                int // of the rate among those of its method
	Trained              bool
	Loss                 []float64 // along the line
	Delta                float64   // over the loss at the start
	Gauss                float64   // -1 where it is not measured
	Distance             float64   // over the length of the first weights
}

// monotoneTol is how far a curve may rise, in shares of the loss at the start.
const monotoneTol = 1e-4

// mliFamilies are the networks: hidden layers of classifiers, codes of autoencoders.
var mliFamilies = []string{"2 relu", "5 tanh", "8 relu", "h=50", "h=10", "h=2"}

func (r *mliRun) monotone() bool { return r.Delta <= monotoneTol }

func interpolations(ctx context.Context, e *Env) (*Result, error) {
	rates := map[string][]float64{"SGD": {0.01, 0.03, 0.1, 0.3, 1}, "Adam": {1e-3, 3e-3, 1e-2, 3e-2, 0.1}}
	t, err := e.digits(ctx, 1000)
	if err != nil {
		return nil, err
	}
	var runs []*mliRun
	for _, family := range mliFamilies {
		for _, method := range []string{"SGD", "Adam"} {
			for _, norm := range []string{"plain", "batch norm"} {
				seeds := uint64(2)
				if strings.HasPrefix(family, "h=") {
					seeds = 1
				}
				for level, lr := range rates[method] {
					for seed := range seeds {
						name := fmt.Sprintf("%s-%s-%s-lr%g-seed%d", strings.ReplaceAll(family, "=", ""), method, strings.ReplaceAll(norm, " ", "-"), lr, e.Seed+seed)
						r, err := Keep(ctx, e, name, func() (*mliRun, error) {
							if level == 0 && seed == 0 {
								e.Note("%s, %s, %s", family, method, norm)
							}
							r := &mliRun{Family: family, Method: method, Norm: norm, LR: lr, Seed: seed, Level: level}
							return r, r.measure(ctx, e, name, t.Train, e.Seed+seed)
						})
						if err != nil {
							return nil, err
						}
						runs = append(runs, r)
					}
				}
			}
		}
	}
	return mliResult(e, runs)
}

// measure trains the network and goes along the line.
func (r *mliRun) measure(ctx context.Context, e *Env, name string, d data.Dataset, seed uint64) error {
	m, d, err := r.network(d, seed)
	if err != nil {
		return err
	}
	first := wide(m.Params)
	method := optimizers.Method(&optimizers.SGD{LR: r.LR, Momentum: 0.9})
	if r.Method == "Adam" {
		method = &optimizers.Adam{LR: r.LR}
	}
	diverged, err := trained(ctx, e, name, m, d, train.Config{Optimizer: method, Epochs: 20, Batch: 100, Seed: seed})
	if err != nil || diverged {
		return err
	}
	last := wide(m.Params)
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return err
	}
	alpha := landscape.Linspace(0, 1, 50)
	if r.Loss, err = p.Line(ctx, first, last, alpha); err != nil {
		return err
	}
	start, end := r.Loss[0], r.Loss[len(r.Loss)-1]
	enough := 0.1
	if strings.HasPrefix(r.Family, "h=") {
		enough = 0.9
	}
	r.Trained = end <= enough*start
	r.Delta = landscape.Delta(r.Loss) / start
	r.Distance = landscape.Distance(first, last) / landscape.Distance(first, make([]float64, len(first)))
	r.Gauss = -1
	if r.Norm == "plain" {
		g, err := landscape.GaussLength(ctx, m, d, 50, first, last, alpha)
		if err != nil {
			return err
		}
		r.Gauss = g.Value
	}
	return nil
}

// network builds the run's network, and its data.
func (r *mliRun) network(d data.Dataset, seed uint64) (*nn.Model[float32], data.Dataset, error) {
	layers := nn.Sequential{nn.Flatten{}}
	hidden := func(units int, activation nn.Layer) {
		layers = append(layers, nn.Dense{Units: units, Init: nn.HeNormal})
		if r.Norm == "batch norm" {
			layers = append(layers, nn.BatchNorm{})
		}
		layers = append(layers, activation)
	}
	classifier := true
	switch r.Family {
	case "2 relu":
		hidden(100, nn.ReLU{})
		hidden(100, nn.ReLU{})
	case "5 tanh":
		for range 5 {
			hidden(64, nn.Tanh{})
		}
	case "8 relu":
		for range 8 {
			hidden(64, nn.ReLU{})
		}
	default:
		classifier = false
	}
	if classifier {
		layers = append(layers, nn.Dense{Units: 10})
		m, err := nn.Build[float32](layers, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(seed))
		return m, d, err
	}
	code := 0
	if _, err := fmt.Sscanf(r.Family, "h=%d", &code); err != nil {
		return nil, nil, fmt.Errorf("experiments: autoencoder %q: %w", r.Family, err)
	}
	d = data.Autoencode(data.Flatten(d))
	hidden(128, nn.ReLU{})
	layers = append(layers, nn.Dense{Units: code})
	hidden(128, nn.ReLU{})
	layers = append(layers, nn.Dense{Units: 784})
	m, err := nn.Build[float32](layers, nn.MeanSquaredError{}, d.Shape(), nn.Seed(seed))
	return m, d, err
}

// share is the share of monotone runs among those that have trained and are of a
// kind, with their number.
func share(runs []*mliRun, of func(*mliRun) bool) (share float64, n int) {
	for _, r := range runs {
		if r.Trained && of(r) {
			n++
			if r.monotone() {
				share++
			}
		}
	}
	return share / float64(n), n
}

func indicator(is bool) int {
	if is {
		return 1
	}
	return 0
}

func mliResult(e *Env, runs []*mliRun) (*Result, error) {
	res := &Result{}
	table := cli.Table{Header: []string{"monotone of those trained", "1st rate", "2nd", "3rd", "4th", "5th", "all"}}
	csv := [][]any{{"family", "method", "norm", "lr", "trained", "monotone", "delta_over_first_loss", "gauss_length", "relative_distance", "alpha", "loss"}}
	byRate := chart.Chart{Title: "share of monotone runs", X: chart.Axis{Label: "rate, from the smallest"}, Y: chart.Axis{Label: "share of those trained (2 and more)", Min: -0.02, Max: 1.05}, Width: 5, Height: 4}
	for _, method := range []string{"SGD", "Adam"} {
		for _, norm := range []string{"plain", "batch norm"} {
			line := chart.Series{Name: method + ", " + norm, Markers: true}
			cells := []string{line.Name}
			for level := range 6 {
				s, n := share(runs, func(r *mliRun) bool {
					return r.Method == method && r.Norm == norm && (level == 5 || r.Level == level)
				})
				cells = append(cells, fmt.Sprintf("%.0f of %d", s*float64(n), n))
				if level < 5 && n > 1 {
					line.X, line.Y = append(line.X, float64(level+1)), append(line.Y, s)
				}
			}
			table.Add(cells...)
			byRate.Series = append(byRate.Series, line)
		}
	}
	res.Table = []cli.Table{table}
	var gauss, distance, delta, far []float64
	points := map[string]*chart.Series{}
	for _, f := range mliFamilies {
		points[f] = &chart.Series{Name: f, NoLine: true, Markers: true}
	}
	for _, r := range runs {
		for i, v := range r.Loss {
			csv = append(csv, []any{r.Family, r.Method, r.Norm, r.LR, r.Trained, r.monotone(), r.Delta, r.Gauss, r.Distance, float64(i) / float64(len(r.Loss)-1), v})
		}
		if len(r.Loss) == 0 {
			continue
		}
		distance, far = append(distance, r.Distance), append(far, r.Delta)
		if r.Norm == "plain" {
			gauss, delta = append(gauss, r.Gauss), append(delta, r.Delta)
			s := points[r.Family]
			s.X, s.Y = append(s.X, r.Gauss), append(s.Y, max(r.Delta, 1e-6))
		}
	}
	all := func(*mliRun) bool { return true }
	of := func(f func(*mliRun) bool) float64 { s, _ := share(runs, f); return s }
	total, trained := share(runs, all)
	low, high := of(func(r *mliRun) bool { return r.Level < 2 }), of(func(r *mliRun) bool { return r.Level > 2 })
	res.Rows = []Row{
		{"runs that have trained", "", float64(trained), AtLeast(60)},
		{"share of them that is monotone", "most", total, AtLeast(0.6)},
		{"  at the two smallest rates", "nearly all", low, AtLeast(0.9)},
		{"  at the two largest rates, less that", "below 0", high - low, AtMost(-0.1)},
		{"  of SGD", "", of(func(r *mliRun) bool { return r.Method == "SGD" }), Want{}},
		{"  of Adam", "less", of(func(r *mliRun) bool { return r.Method == "Adam" }), AtMost(of(func(r *mliRun) bool { return r.Method == "SGD" }))},
		{"  without batch normalisation", "", of(func(r *mliRun) bool { return r.Norm == "plain" }), Want{}},
		{"  with it", "less", of(func(r *mliRun) bool { return r.Norm != "plain" }), AtMost(of(func(r *mliRun) bool { return r.Norm == "plain" }))},
		{"rank correlation of Gauss length and highest rise", "above 0", spearman(gauss, delta), AtLeast(0.3)},
		{"rank correlation of distance and highest rise", "above 0", spearman(distance, far), AtLeast(0.3)},
	}
	plain, normed, pairs := 0, 0, 0
	for _, r := range runs {
		for _, q := range runs {
			if r.Norm == "plain" && q.Norm != "plain" && r.Trained && q.Trained && r.Family == q.Family && r.Method == q.Method && r.LR == q.LR && r.Seed == q.Seed {
				pairs++
				plain += indicator(r.monotone())
				normed += indicator(q.monotone())
			}
		}
	}
	res.Notes = []string{fmt.Sprintf("Of the %d pairs of runs that differ by batch normalisation alone and both trained, %d are monotone without it and %d with it:", pairs, plain, normed),
		"at one rate it does not make lines less monotone here, where its statistics are those of the line; it lets runs train at rates",
		"at which the others do not, and there lines are not monotone."}
	if err := e.CSV("lines.csv", csv); err != nil {
		return nil, err
	}
	scatter := chart.Chart{Title: "rise against Gauss length (1e-6: none)", X: chart.Axis{Label: "Gauss length", Log: true}, Y: chart.Axis{Label: "highest rise over the first loss", Log: true}, Width: 5, Height: 4}
	for _, f := range mliFamilies {
		scatter.Series = append(scatter.Series, *points[f])
	}
	if err := scatter.Save(e.Path("mli-gauss")); err != nil {
		return nil, err
	}
	lines := chart.Chart{Title: "5 layers with tanh, SGD", X: chart.Axis{Label: "share of the way to the trained weights"}, Y: chart.Axis{Label: "training loss", Log: true}, Width: 5, Height: 4}
	seen := map[float64]bool{}
	for _, r := range runs {
		if r.Family == "5 tanh" && r.Method == "SGD" && r.Norm == "plain" && len(r.Loss) > 0 && !seen[r.LR] {
			seen[r.LR] = true
			lines.Series = append(lines.Series, chart.Series{Name: fmt.Sprintf("lr=%g", r.LR), X: landscape.Linspace(0, 1, len(r.Loss)), Y: r.Loss, Color: 5 + len(seen)})
		}
	}
	return res, e.Plot("mli", chart.Grid{Title: "from the first weights to the trained ones", Rows: [][]chart.Chart{{byRate, lines}}})
}
