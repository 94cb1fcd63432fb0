package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/safetensors"
	"github.com/saddle-ml/saddle/nn"
)

// averagings are specifications whose iterates are not the weights to use.
var averagings = []string{
	"sgd:lr=0.3+ema:decay=0.8", "sgd:lr=0.3+polyak", "sgd:lr=0.3+swa:start=4", "sgd:lr=0.3+swa:start=4,batch_norm=false", "sgd:lr=0.3+ema:decay=0.8,batch_norm",
	"sgd:lr=0.3+lookahead:k=5", "sgd:lr=0.3+lookahead:k=5+ema:decay=0.8+sam",
	"schedule_free_sgd:lr=0.3", "schedule_free_adamw:lr=0.02,warmup_steps=3", "asgd:lr=0.3,t0=3",
}

// stateFile reads the vectors of a directory's optimizer state.
func stateFile(t *testing.T, dir string) map[string][]float64 {
	t.Helper()
	names, err := states(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("states %v, error %v", names, err)
	}
	f, err := safetensors.Parse([]byte(readFile(t, filepath.Join(dir, names[0]))))
	if err != nil {
		t.Fatal(err)
	}
	vectors := map[string][]float64{}
	for _, tensor := range f.Tensors {
		v := make([]float64, product(tensor.Shape))
		if err := safetensors.Read(tensor, v); err != nil {
			t.Fatal(err)
		}
		vectors[tensor.Name] = v
	}
	return vectors
}

// TestWhatIsSavedIsWhatWasMeasured: the scores that a run reports are those of the
// model that it returns and of the weights in its files, whatever the iterates are.
func TestWhatIsSavedIsWhatWasMeasured(t *testing.T) {
	for _, spec := range averagings {
		m, d := small[float64](t)
		c := Config{Optimizer: parse(t, spec), Epochs: 3, Batch: 40, Seed: 5, Val: d, Test: d, Dir: t.TempDir()}
		h := mustFit(t, m, d, c)
		check := func(what string, got *nn.Model[float64], want *Scores) {
			t.Helper()
			s, err := Evaluate(context.Background(), got, d)
			if err != nil {
				t.Fatal(err)
			}
			if s.Loss != want.Loss || s.Metrics["accuracy"] != want.Metrics["accuracy"] {
				t.Errorf("%s: %s has loss %v, reported was %v", spec, what, s.Loss, want.Loss)
			}
		}
		check("the model", m, h.Result.Test)
		best := h.Rows[0].Val
		for _, row := range h.Rows {
			if row.Val.Loss < best.Loss {
				best = row.Val
			}
		}
		for file, want := range map[string]*Scores{lastFile: h.Result.Test, bestFile: best} {
			other, _ := small[float64](t)
			if _, err := LoadWeights(filepath.Join(c.Dir, file), other); err != nil {
				t.Fatal(err)
			}
			check(file, other, want)
		}
		kept := stateFile(t, c.Dir)
		if far(kept[iterateName], m.Params) == 0 {
			t.Errorf("%s: the weights for evaluation are the iterates; this test shows nothing", spec)
		}
		// Who is told of the end of an epoch sees what was measured; who is told of a step, where it went.
		again, _ := small[float64](t)
		c.Dir = ""
		c.Observers = []Observer{ObserverFunc(func(e Event) error {
			switch e := e.(type) {
			case *EpochDone:
				check("the model at the end of an epoch", again, e.Test)
			case *Finished:
				check("the model at the end", again, e.Result.Test)
			case *Stepped:
				if e.Step == h.Result.Steps && far(again.Params, kept[iterateName]) != 0 {
					t.Errorf("%s: after the last step the model is not at the iterate", spec)
				}
			}
			return nil
		})}
		mustFit(t, again, d, c)
	}
}

// TestAveragingDoesNotChangeTheRun: the iterates of an averaged run, and their
// running statistics, are those of the run without.
func TestAveragingDoesNotChangeTheRun(t *testing.T) {
	m, d := small[float64](t)
	c := Config{Optimizer: parse(t, "sgd:lr=0.3"), Epochs: 3, Batch: 40, Seed: 5, Test: d}
	mustFit(t, m, d, c)
	for _, spec := range averagings[:5] {
		c.Optimizer, c.Dir = parse(t, spec), t.TempDir()
		c.Every = 2 // measuring must not either
		other, _ := small[float64](t)
		mustFit(t, other, d, c)
		kept := stateFile(t, c.Dir)
		if far(kept[iterateName], m.Params) != 0 || far(kept[statisticName], m.Buffers) != 0 {
			t.Errorf("%s: the iterates went elsewhere", spec)
		}
	}
}

// TestResumedAveragesEndWithTheSameBits goes on from wherever a run is stopped,
// with a model that is at the weights for evaluation.
func TestResumedAveragesEndWithTheSameBits(t *testing.T) {
	for _, spec := range averagings {
		m, d := small[float32](t)
		c := Config{Optimizer: parse(t, spec), Epochs: 3, Batch: 50, Seed: 5, Val: d, Dir: t.TempDir()}
		mustFit(t, m, d, c)
		want := stateFile(t, c.Dir)
		for _, stop := range []int{2, 5, 9} {
			again, _ := small[float32](t)
			r := c
			r.Dir = t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			r.Observers = []Observer{ObserverFunc(func(e Event) error {
				if s, ok := e.(*Stepped); ok && s.Step == stop {
					cancel()
				}
				return nil
			})}
			_, err := Fit(ctx, again, d, r)
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			stopped, _ := small[float32](t)
			if _, err := LoadWeights(filepath.Join(r.Dir, lastFile), stopped); err != nil {
				t.Fatal(err)
			}
			if far(stopped.Params, again.Params) != 0 || far(stopped.Buffers, again.Buffers) != 0 {
				t.Errorf("%s: after a stop at step %d the model is not what was saved", spec, stop)
			}
			r.Resume, r.Observers = true, nil
			mustFit(t, again, d, r)
			got := stateFile(t, r.Dir)
			for name, v := range want {
				if far(got[name], v) != 0 {
					t.Errorf("%s: resumed after step %d, %s has other bits", spec, stop, name)
				}
			}
			if far(again.Params, m.Params) != 0 || far(again.Buffers, m.Buffers) != 0 {
				t.Errorf("%s: resumed after step %d, the model has other bits", spec, stop)
			}
		}
	}
}

// TestStatisticsAreThoseOfTheAveragedWeights computes them from the definition:
// for each minibatch of an epoch the mean and the unbiased variance of the first
// layer's outputs at the averaged weights, and the mean of those.
func TestStatisticsAreThoseOfTheAveragedWeights(t *testing.T) {
	layers := []nn.Layer{nn.Dense{Units: 4}, nn.BatchNorm{}, nn.Tanh{}, nn.Dense{Units: 3}}
	m, d := small[float64](t, layers...)
	c := Config{Optimizer: parse(t, "sgd:lr=0.3+swa:start=3"), Epochs: 2, Batch: 40, Seed: 5}
	mustFit(t, m, d, c)
	w, b := m.Tensor("dense1.weight"), m.Tensor("dense1.bias")
	mean, variance, seen := make([]float64, 4), make([]float64, 4), 0.0
	l := data.Loader[float64]{Data: d, Batch: 40, Shuffle: true, DropLast: true, Seed: 5}
	for batch, err := range l.Epoch(context.Background(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		for u := range 4 {
			sum, squares := 0.0, 0.0
			for row := range batch.N {
				z := b[u]
				for i, x := range batch.X[row*5 : row*5+5] {
					z += x * w[i*4+u]
				}
				sum += z
				squares += z * z
			}
			n := float64(batch.N)
			mean[u] += sum
			variance[u] += n * (squares - sum*sum/n) / (n - 1)
		}
		seen += float64(batch.N)
	}
	for u := range 4 {
		mean[u] /= seen
		variance[u] /= seen
	}
	gotMean, gotVariance := m.Tensor("batchnorm1.running_mean"), m.Tensor("batchnorm1.running_var")
	if gotMean == nil || gotVariance == nil {
		t.Fatalf("no running statistics among %v", m.BufferList())
	}
	for u := range 4 {
		if math.Abs(gotMean[u]-mean[u]) > 1e-12*(1+math.Abs(mean[u])) || math.Abs(gotVariance[u]-variance[u]) > 1e-11*variance[u] {
			t.Errorf("feature %d has mean %v and variance %v, want %v and %v", u, gotMean[u], gotVariance[u], mean[u], variance[u])
		}
	}
}

// TestDamagedIteratesAreErrors: a state without what training goes on with.
func TestDamagedIteratesAreErrors(t *testing.T) {
	m, d := small[float32](t)
	c := Config{Optimizer: parse(t, "sgd+ema"), Epochs: 1, Dir: t.TempDir()}
	mustFit(t, m, d, c)
	names, _ := states(c.Dir)
	path := filepath.Join(c.Dir, names[0])
	f, err := safetensors.Parse([]byte(readFile(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range f.Tensors {
		if tensor.Name == iterateName {
			f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
			break
		}
	}
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteTo(w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	c.Resume = true
	if _, err := Fit(context.Background(), m, d, c); err == nil || !strings.Contains(err.Error(), "0 parameters and 16 buffers to go on with") {
		t.Errorf("error %v", err)
	}
}
