package train

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// quick has settings for methods whose default rate is for longer runs.
var quick = map[string]string{"radam": "radam:lr=0.01", "lion": "lion:lr=0.003", "sophia": "sophia:lr=0.003", "shampoo": "shampoo:lr=0.1"}

// batches has those of methods that 50 examples do not serve: K-FAC's factors of
// a layer with more inputs than that are singular, and its damping starts from 1.
var batches = map[string]int{"kfac": 150}

func TestEveryOptimizerLearnsBlobs(t *testing.T) {
	for _, m := range optimizers.Methods() {
		model, d := small[float32](t, plain()...)
		h := mustFit(t, model, d, Config{Optimizer: parse(t, cmp.Or(quick[m.Name], m.Name)), Epochs: 150, Batch: cmp.Or(batches[m.Name], 50), Test: d})
		if accuracy, ok := h.Result.Test.Accuracy(); !ok || accuracy < 0.85 {
			t.Errorf("%s: accuracy %v after 150 epochs", m.Name, accuracy)
		}
	}
}

func TestEventsComeInOrder(t *testing.T) {
	m, d := small[float32](t)
	var got []string
	c := Config{Epochs: 2, Batch: 100, Dir: t.TempDir(), Observers: []Observer{ObserverFunc(func(e Event) error {
		got = append(got, e.event())
		return nil
	})}}
	mustFit(t, m, d, c)
	if want := "start saved step step epoch saved step step epoch saved end"; strings.Join(got, " ") != want {
		t.Errorf("events %s, want %s", strings.Join(got, " "), want)
	}
	var logged []string
	for line := range strings.Lines(readFile(t, filepath.Join(c.Dir, logFile))) {
		var e struct{ Event string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		logged = append(logged, e.Event)
	}
	if strings.Join(logged, " ") != strings.Join(got, " ") {
		t.Errorf("the log has %v", logged)
	}
}

func TestObserversStopARun(t *testing.T) {
	after := func(step int, err error) Observer {
		return ObserverFunc(func(e Event) error {
			if s, ok := e.(*Stepped); ok && s.Step == step {
				return err
			}
			return nil
		})
	}
	m, d := small[float32](t)
	h := mustFit(t, m, d, Config{Epochs: 5, Batch: 50, Test: d, Observers: []Observer{after(4, ErrStop)}})
	if len(h.Rows) != 2 || h.Result.Steps != 4 || h.Result.Test == nil {
		t.Errorf("stopped after step 4 of 15: %d epochs, result %+v", len(h.Rows), h.Result)
	}
	own := errors.New("disk on fire")
	m, d = small[float32](t)
	c := Config{Epochs: 5, Batch: 50, Dir: t.TempDir(), Observers: []Observer{after(4, own)}}
	if _, err := Fit(context.Background(), m, d, c); !errors.Is(err, own) {
		t.Errorf("error %v, want the observer's", err)
	}
	fresh, _ := small[float32](t)
	if notes, err := LoadWeights(filepath.Join(c.Dir, lastFile), fresh); err != nil || notes["step"] != "4" {
		t.Errorf("the run was not saved when the observer failed: %v %v", notes, err)
	}
}

// The training scores of an epoch are the mean over its examples, each minibatch
// at the parameters before its step.
func TestTrainingScoresAreMeansOverExamples(t *testing.T) {
	m, d := small[float64](t, plain()...)
	still := optimizers.Of[float64](optimizers.StepFunc[float64](func(_ context.Context, _ []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
		loss, err := p.Batch().Loss(m.Params)
		return optimizers.Report{Loss: loss}, err
	}))
	h := mustFit(t, m, d, Config{Optimizer: still, Batch: 64, Test: d})
	row := h.Rows[0]
	for name, pair := range map[string][2]float64{
		"loss":     {row.Train.Loss, row.Test.Loss},
		"accuracy": {row.Train.Metrics["accuracy"], row.Test.Metrics["accuracy"]},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Errorf("%s of a model at rest: %v in training, %v measured", name, pair[0], pair[1])
		}
	}
}

func TestEvaluateIsTheMeanOfSingleExamples(t *testing.T) {
	m, d := small[float64](t, plain()...)
	got, err := Evaluate(context.Background(), m, d)
	if err != nil {
		t.Fatal(err)
	}
	loss, right := 0.0, 0.0
	for i := range d.Len() {
		b := batch[float64](t, d, i, i+1)
		z, err := m.Predict(b.X)
		if err != nil {
			t.Fatal(err)
		}
		sum, best := 0.0, 0
		for j, v := range z {
			sum += math.Exp(v)
			if v > z[best] {
				best = j
			}
		}
		loss += (math.Log(sum) - z[int(b.Y[0])]) / float64(d.Len())
		if best == int(b.Y[0]) {
			right++
		}
	}
	if math.Abs(got.Loss-loss) > 1e-12*loss || math.Abs(got.Metrics["accuracy"]-right/float64(d.Len())) > 1e-12 {
		t.Errorf("got %+v, want loss %v accuracy %v", got, loss, right/float64(d.Len()))
	}
}

// A number that is not finite stops training with the step and the tensor that
// had it first, and the last finite weights stay.
func TestNonFiniteNumbersStopTraining(t *testing.T) {
	_, d := small[float32](t, plain()...)
	bad, err := data.Func(d.Len(), d.Shape(), d.Target(), func(i int, x, y []float64) error {
		if err := d.Read64(x, y, []int{i}); err != nil {
			return err
		}
		if i == 70 {
			x[2] = math.NaN()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		d    data.Dataset
		opt  string
		want []string
	}{
		"in the data": {bad, "adam", []string{"step ", `input "x" has NaN`}},
		"a huge rate": {d, "sgd:lr=1e38", []string{"step 2", "loss: sum", "+Inf"}},
	} {
		m, _ := small[float32](t, plain()...)
		dir := t.TempDir()
		_, err := Fit(context.Background(), m, c.d, Config{Optimizer: parse(t, c.opt), Epochs: 2, Batch: 50, Dir: dir})
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		for _, part := range append(c.want, "last finite checkpoint", lastFile) {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not say %q", name, err, part)
			}
		}
		kept, _ := small[float32](t, plain()...)
		if _, err := LoadWeights(filepath.Join(dir, lastFile), kept); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, v := range kept.Params {
			if !finite(float64(v)) {
				t.Fatalf("%s: saved weight %d is %v", name, i, v)
			}
		}
	}
}

// Weights that overflow in an epoch's last step have no minibatch to show them.
func TestWeightsThatAreNotFiniteAreNotSaved(t *testing.T) {
	m, d := small[float32](t, plain()...)
	c := Config{Optimizer: parse(t, "sgd:lr=1e39"), Batch: 150, Dir: t.TempDir()}
	_, err := Fit(context.Background(), m, d, c)
	if err == nil || !strings.Contains(err.Error(), "not finite") {
		t.Errorf("error %v", err)
	}
	if notes, err := LoadWeights(filepath.Join(c.Dir, lastFile), m); err != nil || notes["step"] != "0" {
		t.Errorf("the first checkpoint is gone: %v %v", notes, err)
	}
}

func TestWrongUseIsAnError(t *testing.T) {
	m, d := small[float32](t)
	images, err := data.Reshape(d, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	four, err := data.Blobs(20, 4, 5, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		d data.Dataset
		c Config
	}{
		"no examples":                    {nil, Config{}},
		"shape [1 5], the model takes":   {images, Config{}},
		"the test set's examples":        {d, Config{Test: images}},
		"the validation set's targets":   {d, Config{Val: four}},
		"-1 epochs":                      {d, Config{Epochs: -1}},
		"minibatches of -1":              {d, Config{Batch: -1}},
		"squared per-example gradients":  {d, Config{Optimizer: parse(t, "hf:precondition=squares")}},
		"nesterov":                       {d, Config{Optimizer: &optimizers.SGD{Nesterov: true}}},
		"no learning rate that onecycle": {d, Config{Optimizer: &optimizers.Scheduled{Of: &optimizers.HF{}, Schedule: &optimizers.OneCycle{}}}},
	} {
		if _, err := Fit(context.Background(), m, c.d, c.c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := Fit[float32](context.Background(), nil, d, Config{}); err == nil {
		t.Error("a nil model trains")
	}
}

func TestWriteFileKeepsTheOldOneUntilTheNewIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := writeBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	own := errors.New("no more")
	err := writeFile(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 3<<20)); err != nil {
			return err
		}
		return own
	})
	if !errors.Is(err, own) || readFile(t, path) != "old" {
		t.Errorf("after a failed write: error %v, content %q", err, readFile(t, path))
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

func TestNewDirsAreNumbered(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	for _, want := range []string{"a-1", "a-2", "a-3"} {
		if dir, err := NewDir(root, "a"); err != nil || filepath.Base(dir) != want {
			t.Errorf("got %s (%v), want %s", dir, err, want)
		}
	}
}

// Result and table for people's own programs.
func TestFilesOfARun(t *testing.T) {
	m, d := small[float32](t)
	dir := t.TempDir()
	mustFit(t, m, d, Config{Epochs: 2, Val: d, Test: d, Dir: dir, Data: "blobs", Model: "small", Seed: 3, Settings: map[string]int{"a": 1}})
	lines := strings.Split(strings.TrimSpace(readFile(t, filepath.Join(dir, metricsFile))), "\n")
	if want := "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,test_loss,test_accuracy,seconds,examples_per_second,work"; lines[0] != want || len(lines) != 3 {
		t.Errorf("metrics.csv:\n%s", strings.Join(lines, "\n"))
	}
	var r map[string]any
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(dir, resultFile))), &r); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"data", "model", "optimizer", "parameters", "seed", "epochs", "steps", "train_loss", "test_loss", "test_accuracy", "train_seconds", "seconds"} {
		if _, ok := r[key]; !ok {
			t.Errorf("result.json has no %s: %v", key, r)
		}
	}
	var settings map[string]int
	c, err := ReadConfig(dir, &settings)
	if err != nil || settings["a"] != 1 || c.Seed != 3 || c.Parameters != len(m.Params) || len(c.Layers) != 5 {
		t.Errorf("config.json: %+v %v %v", c, settings, err)
	}
	auto, err := nn.Build[float32](nn.Sequential{nn.Dense{Units: 2}, nn.Dense{Units: 5}}, nn.MeanSquaredError{}, []int{5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	h := mustFit(t, auto, data.Autoencode(d), Config{Test: data.Autoencode(d)})
	text, err := json.Marshal(h.Result)
	if err != nil || strings.Contains(string(text), "accuracy") || !strings.Contains(string(text), "test_squared_error") {
		t.Errorf("result of an autoencoder: %s %v", text, err)
	}
}
