package experiments

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
)

func init() {
	register(Experiment{
		Name:  "xu2018-autoencoder",
		About: "sub-sampled trust regions and cubic regularisation on a deep autoencoder of binary MNIST, from three starts",
		Paper: "Xu, Roosta-Khorasani & Mahoney 2018, arXiv 1708.07827, the deep autoencoder of MNIST; curves, no numbers",
		Claim: "sub-sampled trust regions leave flat regions and saddles, as those at zero weights, where Gauss-Newton and SGD with momentum stay much longer",
		Differs: `the short form has 3000 images and a network 784-100-50-30 and back, for 150 propagations an image, which are counted as in
			the published code, but a gradient of SGD as one of all others (theirs counts it twice). One seed. ARC, which their
			code has for least squares alone, has the rules of Cartis et al. here: with those of the paper its first step takes
			the whole run. HF is that of Martens (2010); K-FAC is not in the paper. -full is the published network and data to 1e7
			propagations, a tenth of the paper's axis.
			What the paper's methods do is go to the mean image, a saddle, and stay there for most of the run. From zero none
			leaves it. Near zero TR and ARC have left it by the end, GN begins to, HF, SGD and K-FAC are still there; but with 4000
			images SGD left it early, and with 3000 K-FAC with its former defaults, among them a first damping of 1 and
			minibatches that did not grow. From the sparse start GN leaves it first, HF at the end, ARC begins to, TR and SGD stay. K-FAC leaves it
			early there, for training errors below that of 30 principal components. So the
			tolerances are that TR and ARC leave it near zero, and elsewhere that they are no worse than it, which is all that -full asks.`,
		Takes: "4 min",
		Full:  "the published network on all images to 1e7 propagations, about 8 hours",
		Run:   xuAutoencoder,
	})
}

// xuLeft is the share of the mean image's squared error below which its saddle has been
// left.
const xuLeft = 0.97

func xuAutoencoder(ctx context.Context, e *Env) (*Result, error) {
	n, props, sizes, every, near := 3000, 4.5e5, []int{100, 50, 30}, 10, AtMost(xuLeft)
	if e.Full {
		n, props, sizes, every, near = 60_000, 1e7, []int{1000, 500, 250, 30}, 200, AtMost(1.01)
	}
	methods := []aeMethod{
		{"TR 5 %", "tr:preset=xu2018", 0, 1},
		{"ARC 5 %", "arc:curvature=0.05", 0, 1},
		{"GN 5 %", "gn:preset=xu2018", 0, 1},
		{"HF", "hf:preset=martens2010", 0, 1},
		{"SGD, momentum", "sgd:momentum=0.9,lr=0.05", n / 20, 20},
		{"K-FAC (ours)", "kfac", 500, every},
	}
	set, err := loadImages(ctx, e, n, true)
	if err != nil {
		return nil, err
	}
	res := &Result{Notes: []string{fmt.Sprintf("The mean image has a squared error of %s and a loss of %s, 30 principal components %s.", Number(set.levels.Mean), Number(set.levels.Entropy), Number(set.levels.PCA)),
		fmt.Sprintf("A method has left the mean image where its squared error is below %g of that.", xuLeft)}}
	csv := [][]any{{"start", "method", "optimizer", "step", "seconds", "props", "train_squared_error", "train_loss", "test_squared_error"}}
	var rows [][]chart.Chart
	for _, start := range []string{"zero", "near-zero", "sparse"} {
		var names []string
		var runs []*autoencoderRun
		table := cli.Table{Header: []string{"from " + start, "left the mean image at", "steps", "propagations", "seconds", "loss", "squared error", "test"}}
		for i, m := range methods {
			r, err := autoencode(ctx, e, set, autoencoderJob{name: m.name, spec: m.spec, sizes: sizes, start: start, batch: m.batch, every: m.every, props: props, seed: e.Seed})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			names, runs = append(names, m.name), append(runs, r)
			for k := range r.Steps {
				csv = append(csv, []any{start, m.name, m.spec, r.Steps[k], r.Seconds[k], r.Props[k], r.Error[k], r.Loss[k], r.Test[k]})
			}
			left := "not"
			if at := r.leaves(xuLeft * set.levels.Mean); !math.IsInf(at, 1) {
				left = fmt.Sprintf("%.2e", at)
			}
			table.Add(m.name, left, Number(end(r.Steps)), fmt.Sprintf("%.2e", end(r.Props)), Number(end(r.Seconds)), Number(end(r.Loss)), Number(end(r.Error)), Number(end(r.Test)))
			row := Row{What: fmt.Sprintf("from %s, %s: squared error over the mean image's", start, m.name), Ours: end(r.Error) / set.levels.Mean}
			switch {
			case start == "near-zero" && i < 2:
				row.Paper, row.Want = "leaves", near
			case i < 2:
				row.Paper, row.Want = "leaves", AtMost(1.01)
			}
			res.Rows = append(res.Rows, row)
		}
		res.Table = append(res.Table, table)
		charts := []chart.Chart{autoencoderChart("from "+start, "propagations", names, runs, set.levels), autoencoderChart("from "+start, "seconds", names, runs, set.levels)}
		for i := range charts {
			charts[i].X.Log = true
		}
		rows = append(rows, charts)
	}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("xu2018-autoencoder", chart.Grid{Title: fmt.Sprintf("autoencoder of binary MNIST, %d images", n), Rows: rows})
}

// leaves is after how many propagations the squared error has fallen below a level; +Inf
// where it has not.
func (r *autoencoderRun) leaves(level float64) float64 {
	for k, v := range r.Error {
		if v < level {
			return r.Props[k]
		}
	}
	return math.Inf(1)
}
