package experiments

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// images are digits of MNIST for autoencoders, with what simple predictors reach on
// those to train with: squared errors summed over pixels, means over images.
type images struct {
	train, test data.Dataset
	levels      imageLevels
}

type imageLevels struct {
	Mean    float64 // of the mean image
	Entropy float64 // its cross-entropy
	PCA     float64 // of 30 principal components
}

// loadImages has the first n training images, binary where pixels become 1 above 127.
func loadImages(ctx context.Context, e *Env, n int, binary bool) (*images, error) {
	t, err := task.Load(ctx, task.Spec{Data: "mnist", DataDir: e.Data, Model: "autoencoder", Limit: n, Precision: "float32"})
	if err != nil {
		return nil, err
	}
	s := &images{}
	var x []float32
	if s.train, x, err = pixels(t.Train, n, binary); err != nil {
		return nil, err
	}
	if s.test, _, err = pixels(t.Test, 2000, binary); err != nil {
		return nil, err
	}
	s.levels, err = Keep(ctx, e, fmt.Sprintf("levels %d binary=%v", n, binary), func() (imageLevels, error) { return levelsOf(ctx, x, 28*28, 30) })
	return s, err
}

// pixels are the first n images as their own targets.
func pixels(d data.Dataset, n int, binary bool) (data.Dataset, []float32, error) {
	const size = 28 * 28
	index := make([]int, min(n, d.Len()))
	for i := range index {
		index[i] = i
	}
	x := make([]float32, len(index)*size)
	if err := data.Read(d, x, nil, index); err != nil {
		return nil, nil, err
	}
	if binary {
		for i, v := range x {
			x[i] = 0
			if v > 127.5/255 {
				x[i] = 1
			}
		}
	}
	set, err := data.New(x, []int{size}, x, data.Target{Shape: []int{size}})
	return set, x, err
}

// levelsOf is what the mean of the rows and so many principal components reach.
func levelsOf(ctx context.Context, x []float32, d, components int) (l imageLevels, err error) {
	n := len(x) / d
	mean := make([]float64, d)
	for i, v := range x {
		mean[i%d] += float64(v) / float64(n)
	}
	for _, p := range mean {
		if p > 0 && p < 1 {
			l.Entropy -= p*math.Log(p) + (1-p)*math.Log(1-p)
		}
	}
	cov := mat.NewSymDense(d, nil)
	const part = 4000
	for from := 0; from < n; from += part {
		if err := ctx.Err(); err != nil {
			return l, fmt.Errorf("experiments: principal components: %w", err)
		}
		rows := min(part, n-from)
		centred := mat.NewDense(d, rows, nil)
		for i := range rows {
			for j := range d {
				centred.Set(j, i, float64(x[(from+i)*d+j])-mean[j])
			}
		}
		cov.SymRankK(cov, 1/float64(n), centred)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(cov, false) {
		return l, errors.New("experiments: the eigenvalues of the images' covariance do not converge")
	}
	for k, v := range eigen.Values(nil) { // ascending
		l.Mean += v
		if k < d-components {
			l.PCA += v
		}
	}
	return l, nil
}

// deepAutoencoder has hidden layers of these sizes and back, sigmoid, with a linear code.
func deepAutoencoder(sizes []int) nn.Layer {
	var net nn.Sequential
	for i := range 2 * len(sizes) {
		units := 28 * 28
		if k := min(i, 2*len(sizes)-2-i); k >= 0 {
			units = sizes[k]
		}
		net = append(net, nn.Dense{Units: units, Init: nn.Sparse{}})
		if i != len(sizes)-1 && i != 2*len(sizes)-1 {
			net = append(net, nn.Sigmoid{})
		}
	}
	return net
}

// autoencoderJob is a run of an autoencoder.
type autoencoderJob struct {
	name    string
	spec    string
	sizes   []int
	start   string  // zero, near-zero or sparse
	batch   int     // 0: all images
	every   int     // steps from one measurement to the next
	seconds float64 // of training after which it ends; 0: no limit
	props   float64 // propagations after which it ends; 0: no limit
	steps   int     // after which it ends; 0: no limit
	seed    uint64
}

// autoencoderRun is the measurements of a run.
type autoencoderRun struct {
	Steps, Seconds, Props []float64
	Error, Loss, Test     []float64 // squared error and loss of training images, squared error of test images
}

// end is a measurement's last value.
func end(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	return v[len(v)-1]
}

// autoencode trains, or goes on with a run that was interrupted. Propagations are counted
// as those of Xu et al.
func autoencode(ctx context.Context, e *Env, set *images, j autoencoderJob) (*autoencoderRun, error) {
	name := fmt.Sprintf("%s %s seed%d", j.start, j.name, j.seed)
	return Keep(ctx, e, name, func() (*autoencoderRun, error) {
		e.Note("%s: %s", j.start, j.name)
		method, err := optimizers.Parse(j.spec + "+props:as=xu2018")
		if err != nil {
			return nil, err
		}
		m, err := nn.Build[float32](deepAutoencoder(j.sizes), nn.SigmoidCrossEntropy{}, set.train.Shape(), nn.Seed(j.seed))
		if err != nil {
			return nil, err
		}
		beginAt(m.Params, j.start, j.seed)
		probe := set.train
		if probe.Len() > 5000 {
			if probe, err = data.Limit(probe, 5000); err != nil {
				return nil, err
			}
		}
		c := train.Config{Optimizer: method, Batch: j.batch, Epochs: 1 << 20, Seed: j.seed, Probe: probe, Test: set.test, Every: j.every, Dir: e.Path("runs/" + name)}
		if c.Batch == 0 {
			c.Batch = set.train.Len()
		}
		if err := os.MkdirAll(e.Path("runs"), 0o777); err != nil {
			return nil, fmt.Errorf("experiments: %w", err)
		}
		if _, err := os.Stat(c.Dir + "/config.json"); err == nil {
			c.Resume = true
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("experiments: %w", err)
		}
		c.Observers = []train.Observer{&autoencoderEnd{job: j, log: c.Dir + "/log.jsonl"}}
		h, err := train.Fit(ctx, m, set.train, c)
		var step *train.StepError
		if err != nil && !(errors.As(err, &step) && ctx.Err() == nil) {
			return nil, err
		}
		if step != nil {
			e.Note("%v", err)
		}
		props, err := propsOf(c.Dir + "/log.jsonl")
		if err != nil {
			return nil, err
		}
		r := &autoencoderRun{}
		for _, p := range h.Points {
			r.Steps, r.Seconds = append(r.Steps, float64(p.Step)), append(r.Seconds, p.Seconds)
			r.Props = append(r.Props, props[min(p.Step, len(props)-1)])
			r.Error, r.Loss, r.Test = append(r.Error, p.Probe.Metrics["squared_error"]), append(r.Loss, p.Probe.Loss), append(r.Test, p.Test.Metrics["squared_error"])
		}
		return r, nil
	})
}

// autoencoderEnd ends a run at its limits.
type autoencoderEnd struct {
	job   autoencoderJob
	log   string
	props float64
}

// Observe counts propagations; those of a run that goes on are in its log.
func (o *autoencoderEnd) Observe(event train.Event) error {
	switch s := event.(type) {
	case *train.Started:
		if s.Step > 0 {
			props, err := propsOf(o.log)
			if err != nil {
				return err
			}
			o.props = props[len(props)-1]
		}
	case *train.Stepped:
		o.props += float64(s.Report.Props)
		if o.job.seconds > 0 && s.Seconds >= o.job.seconds || o.job.props > 0 && o.props >= o.job.props || o.job.steps > 0 && s.Step >= o.job.steps {
			return train.ErrStop
		}
	}
	return nil
}

// beginAt sets the first weights: zero, a random direction of length 1 (near-zero), or
// as they are (sparse).
func beginAt(w []float32, start string, seed uint64) {
	if start == "sparse" {
		return
	}
	rng := rand.New(rand.NewPCG(seed, 0x1e0))
	length := 0.0
	for i := range w {
		if w[i] = 0; start == "near-zero" {
			v := rng.NormFloat64()
			w[i] = float32(v)
			length += v * v
		}
	}
	if length == 0 {
		return
	}
	for i := range w {
		w[i] *= float32(1 / math.Sqrt(length))
	}
}

// propsOf are the propagations after each step of a log, from 0 before the first.
func propsOf(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("experiments: %w", err)
	}
	defer f.Close()
	sums := []float64{0}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s struct {
			Event string  `json:"event"`
			Props float64 `json:"props"`
		}
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("experiments: %s: %w", path, err)
		}
		if s.Event == "step" {
			sums = append(sums, sums[len(sums)-1]+s.Props)
		}
	}
	return sums, lines.Err()
}

// autoencoderChart is the squared error of runs against seconds or propagations.
func autoencoderChart(title, x string, names []string, runs []*autoencoderRun, levels imageLevels) chart.Chart {
	c := chart.Chart{Title: title, X: chart.Axis{Label: x}, Y: chart.Axis{Label: "squared error an image", Log: true}, Width: 5, Height: 4,
		Lines: []chart.Line{{Name: "mean image", At: levels.Mean}, {Name: "30 principal components", At: levels.PCA}}}
	for i, r := range runs {
		s := chart.Series{Name: names[i], Color: i + 1, X: r.Seconds, Y: r.Error}
		if x == "propagations" {
			s.X = r.Props
		}
		c.Series = append(c.Series, s)
	}
	return c
}
