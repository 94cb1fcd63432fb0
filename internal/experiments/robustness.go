package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "robustness",
		About: "final loss over three orders of magnitude of each method's main setting, second-order methods beside Adam and momentum",
		Paper: "Xu, Roosta-Khorasani & Mahoney 2018, arXiv 1708.07827, the sensitivity of trust regions and SGD with momentum to their settings",
		Claim: "second-order methods are robust to their one main setting, which adapts itself from whatever it is at first; SGD's learning rate has to be tuned",
		Differs: `a network of one hidden layer on 10,000 images of MNIST in the place of CIFAR-10, minibatches of the size that each
			method works best with, work equal to 60 forward passes over all images, constant rates, 3 seeds. The loss has an L2
			penalty, half of 1e-3 times the squared length of the weights, without which it goes to 0 and twice the best means
			little. A method's range is that of the settings next to each other around its best one whose loss is at most twice
			the best, medians of the seeds; settings go from -1.5 to 1.5 decades around the default, so that it is 3 decades at
			most. It says nothing of how low the loss is: no setting brings TR, ARC or HF within twice of what Adam and momentum
			reach at their best. K-FAC alone is both, robust and as low as any.`,
		Takes: "2 min",
		Run:   robustness,
	})
}

const (
	robustModel  = "784-64-10"
	robustImages = 10_000
	robustDecay  = 1e-3 // L2 penalty: half of it times the squared length of the weights
	robustPasses = 60   // forward passes over the images that a run may spend
	robustSeeds  = 3    // runs of a setting
	robustFactor = 2    // times the best loss is still good
	robustEach   = 3    // settings on either side of the default
	robustDecade = 2    // settings in a decade
)

// tunable is a method with its main setting.
type tunable struct {
	name    string
	setting string  // in words
	word    string  // of the method, with further settings, as optimizers.Parse reads it
	key     string  // of the setting there
	at      float64 // the default
	batch   int
}

func tunables() []tunable {
	return []tunable{
		{"TR", "first radius", "tr", "radius", 1, 2000},
		{"ARC", "first σ", "arc", "cubic", 1, 2000},
		{"HF", "first damping", "hf", "damping", 0.1, 4000},
		{"K-FAC", "first damping", "kfac", "damping", 0.1, 500},
		{"Adam", "learning rate", "adam", "lr", 0.001, 128},
		{"SGD, momentum 0.9", "learning rate", "sgd", "lr", 0.01, 128},
	}
}

// spec is the method with its setting at a multiple of the default. Of sgd it is that
// with momentum.
func (m tunable) spec(times float64) string {
	s := fmt.Sprintf("%s:weight_decay=%g,%s=%s", m.word, robustDecay, m.key, strconv.FormatFloat(m.at*times, 'g', 3, 64))
	if m.word == "sgd" {
		s += ",momentum=0.9"
	}
	return s
}

// times are the settings over the default.
func times() (list []float64) {
	for k := -robustEach; k <= robustEach; k++ {
		list = append(list, math.Pow(10, float64(k)/robustDecade))
	}
	return list
}

// robustEnd is where a run has come to.
type robustEnd struct {
	Loss     float64 // of the training set
	Passes   float64 // forward passes over the training set that were spent
	Steps    int
	Diverged bool
}

func robustness(ctx context.Context, e *Env) (*Result, error) {
	t, err := task.Load(ctx, task.Spec{Data: "mnist", DataDir: e.Data, Model: robustModel, Limit: robustImages, Precision: "float32"})
	if err != nil {
		return nil, err
	}
	csv := [][]any{{"method", "optimizer", "setting_over_default", "seed", "loss", "passes", "steps", "diverged"}}
	var found []*robustMethod
	lowest := math.Inf(1)
	for _, m := range tunables() {
		r := &robustMethod{tunable: m, ends: make([][]float64, robustSeeds)}
		for _, x := range times() {
			spec := m.spec(x)
			for k := range r.ends {
				seed := e.Seed + uint64(k)
				end, err := Keep(ctx, e, fmt.Sprintf("%s seed%d", spec, seed), func() (robustEnd, error) {
					if k == 0 {
						e.Note("%s", spec)
					}
					return robustRun(ctx, t, spec, m.batch, seed)
				})
				if err != nil {
					return nil, err
				}
				loss, shown := end.Loss, any(end.Loss)
				if end.Diverged {
					r.diverged++
					loss, shown = math.Inf(1), ""
				}
				r.ends[k] = append(r.ends[k], loss)
				csv = append(csv, []any{m.name, spec, x, seed, shown, end.Passes, end.Steps, end.Diverged})
			}
		}
		r.sumUp()
		lowest = min(lowest, r.medians[r.best])
		found = append(found, r)
	}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return robustResult(found, robustFactor*lowest), e.Plot("robustness", robustCharts(found, robustFactor*lowest))
}

// robustMethod is what has been found of a method.
type robustMethod struct {
	tunable
	ends     [][]float64 // losses by seed and setting; +Inf where a run diverged
	diverged int         // runs
	medians  []float64   // by setting
	best     int         // the setting with the lowest
	width    float64     // decades of settings around it that are as good, see within
}

func (r *robustMethod) sumUp() {
	for j := range times() {
		var losses []float64
		for _, v := range r.ends {
			losses = append(losses, v[j])
		}
		r.medians = append(r.medians, study.StatOf(losses).Median)
	}
	r.width, r.best = within(r.medians, robustFactor)
}

// robustResult has the ranges as rows; good is a loss that is good for any method.
func robustResult(found []*robustMethod, good float64) *Result {
	losses := cli.Table{Header: []string{fmt.Sprintf("loss, median of %d seeds, at", robustSeeds)}}
	for _, x := range times() {
		losses.Header = append(losses.Header, timesText(x))
	}
	ranges := cli.Table{Header: []string{"", "default", "best at", "best loss", "worst over best", "decades within 2x", "of single seeds", "within 2x of all methods' best", "diverged"}, Left: map[int]bool{6: true, 7: true}}
	res := &Result{Table: []cli.Table{losses, ranges}, Notes: []string{"The tolerance is a range at least as wide as the wider one of Adam and SGD."}}
	firstOrder := 0.0
	for _, r := range found {
		if r.key == "lr" {
			firstOrder = max(firstOrder, r.width)
		}
	}
	for _, r := range found {
		row := Row{What: fmt.Sprintf("%s: decades of %s within 2x of its best", r.name, r.setting), Ours: r.width}
		if r.key != "lr" {
			row.Paper, row.Want = "robust", AtLeast(firstOrder)
		}
		res.Rows = append(res.Rows, row)
		cells := []string{r.name}
		worst, below := 0.0, 0
		for _, v := range r.medians {
			cells = append(cells, lossText(v))
			worst = max(worst, v/r.medians[r.best])
			if v <= good {
				below++
			}
		}
		res.Table[0].Add(cells...)
		least, most := math.Inf(1), 0.0
		for _, v := range r.ends {
			w, _ := within(v, robustFactor)
			least, most = min(least, w), max(most, w)
		}
		res.Table[1].Add(r.name, Number(r.at), timesText(times()[r.best]), Number(r.medians[r.best]), lossText(worst), Number(r.width), fmt.Sprintf("%s to %s", Number(least), Number(most)),
			fmt.Sprintf("%d of %d settings", below, len(r.medians)), fmt.Sprintf("%d of %d", r.diverged, len(r.medians)*robustSeeds))
	}
	return res
}

// robustCharts draws medians with bands over the seeds that have not diverged.
func robustCharts(found []*robustMethod, good float64) chart.Grid {
	c := chart.Chart{X: chart.Axis{Label: "setting over the method's default", Log: true}, Y: chart.Axis{Label: "training loss with penalty at the end", Log: true}, Width: 6.5, Height: 5,
		Lines: []chart.Line{{Name: "2x the lowest", At: good}}}
	for i, r := range found {
		s := chart.Series{Name: fmt.Sprintf("%s: %s, default %g", r.name, r.setting, r.at), Color: i + 1, X: times(), Y: r.medians, Markers: true}
		for j := range s.X {
			low, high := math.Inf(1), math.Inf(-1)
			for _, v := range r.ends {
				if !math.IsInf(v[j], 1) {
					low, high = min(low, v[j]), max(high, v[j])
				}
			}
			s.Low, s.High = append(s.Low, low), append(s.High, high)
		}
		c.Series = append(c.Series, s)
	}
	return chart.Grid{Title: fmt.Sprintf("%s on %d images of MNIST, equal work: median and range of %d seeds", robustModel, robustImages, robustSeeds), Rows: [][]chart.Chart{{c}}}
}

// timesText is a setting over the default.
func timesText(x float64) string { return Number(math.Round(1000*x)/1000) + "x" }

// lossText is a loss; one that is not finite has diverged.
func lossText(v float64) string {
	if math.IsInf(v, 1) {
		return "diverged"
	}
	return Number(v)
}

// within is how many decades the settings next to each other around the best one
// span whose loss is at most so many times the best; best is its place.
func within(losses []float64, factor float64) (decades float64, best int) {
	for j, v := range losses {
		if v < losses[best] {
			best = j
		}
	}
	most := factor * losses[best]
	low, high := best, best
	for low > 0 && losses[low-1] <= most {
		low--
	}
	for high < len(losses)-1 && losses[high+1] <= most {
		high++
	}
	return float64(high-low) / robustDecade, best
}

// robustRun trains until the work is done: the last step may go beyond it.
func robustRun(ctx context.Context, t *task.Task, spec string, batch int, seed uint64) (r robustEnd, err error) {
	method, err := optimizers.Parse(spec)
	if err != nil {
		return r, err
	}
	m, err := task.Build[float32](t, task.Spec{Model: robustModel, Seed: seed})
	if err != nil {
		return r, err
	}
	c := train.Config{Optimizer: method, Batch: batch, Epochs: 1 << 20, Seed: seed}
	c.Observers = []train.Observer{train.ObserverFunc(func(event train.Event) error {
		if s, ok := event.(*train.Stepped); ok {
			r.Steps = s.Step
			r.Passes += float64(s.Report.Work) / float64(t.Train.Len())
			if r.Passes >= robustPasses {
				return train.ErrStop
			}
		}
		return nil
	})}
	_, err = train.Fit(ctx, m, t.Train, c)
	var step *train.StepError
	if errors.As(err, &step) && ctx.Err() == nil {
		r.Diverged = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	scores, err := train.Evaluate(ctx, m, t.Train)
	if err != nil {
		return r, err
	}
	squared := 0.0
	for _, v := range m.Params {
		squared += float64(v) * float64(v)
	}
	if r.Loss = scores.Loss + robustDecay/2*squared; math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
		r.Loss, r.Diverged = 0, true
	}
	return r, nil
}
