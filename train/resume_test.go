package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// specs are every method, every wrapper around one, and schedules.
func specs() []string {
	var list []string
	for _, m := range optimizers.Methods() {
		list = append(list, m.Name)
	}
	for _, w := range optimizers.Wrappers() {
		if w.Name == "group" {
			w.Name += ":bias,norm:lr=0.5x,beta1=0.8+group:dense2:freeze"
		}
		list = append(list, "adam+"+w.Name)
	}
	// A schedule that knows the rate of any step is like the other; these remember.
	list = append(list, "adam+cosine:warmup=2", "adam+plateau:patience=0,threshold=0.5", "adam+chained:schedules=cosine/(sutskever:period=2),warmup=2",
		"adam+sequential:schedules=(linear:total_iters=0)/(step:step_size=1),milestones=1,unit=epoch")
	return append(list, "sgd:momentum=0.9,nesterov=true+clip:norm=0.5+onecycle", "hf:hessian=true,curvature=40", "adam:amsgrad=true", "hf:objective=full,curvature=20",
		"kfac:inverse=ekfac,average=3,invert_every=2", "kfac:rescale=false,kl_clip=0.01,targets=exact,sharing=reduce,joint_bias=false")
}

// A run that is stopped after any of its steps and resumed ends with the same
// bits in its weights as one that was not; so does one whose process dies.
func TestResumedRunsEndWithTheSameBits(t *testing.T) {
	for _, spec := range specs() {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			resumed[float32](t, spec)
		})
	}
	t.Run("float64", func(t *testing.T) { resumed[float64](t, "adam+clip+cosine") })
}

// needsSingle tells whether a method asks for single examples.
func needsSingle(spec string) bool {
	return strings.HasPrefix(spec, "saga") || strings.Contains(spec, "norm_test")
}

func resumed[T Float](t *testing.T, spec string) {
	root := t.TempDir()
	var layers []nn.Layer
	if needsSingle(spec) { // not what batch normalisation leaves
		layers = plain()
	}
	config := func(dir string) (*nn.Model[T], data.Dataset, Config) {
		m, d := small[T](t, layers...)
		val, err := data.Blobs(40, 3, 5, 0.7, 4)
		if err != nil {
			t.Fatal(err)
		}
		return m, d, Config{Optimizer: parse(t, spec), Epochs: 3, Batch: 64, Seed: 9, Val: val, Test: d, Dir: filepath.Join(root, dir)}
	}
	m, d, c := config("whole")
	whole := mustFit(t, m, d, c)
	want := readFile(t, filepath.Join(c.Dir, lastFile))
	if whole.Result.Steps != 9 {
		t.Fatalf("%d steps, want 9", whole.Result.Steps)
	}
	finish := func(dir string) {
		t.Helper()
		m, d, c := config(dir)
		c.Resume = true
		h, err := Fit(context.Background(), m, d, c)
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		if readFile(t, filepath.Join(c.Dir, lastFile)) != want {
			t.Errorf("%s: the resumed run ends with other bits", dir)
		}
		if best := readFile(t, filepath.Join(c.Dir, bestFile)); best != readFile(t, filepath.Join(root, "whole", bestFile)) {
			t.Errorf("%s: the best weights have other bits", dir)
		}
		for i, r := range h.Rows {
			w := whole.Rows[i]
			if r.Step != w.Step || r.Train.Loss != w.Train.Loss || r.Val.Loss != w.Val.Loss || r.Test.Metrics["accuracy"] != w.Test.Metrics["accuracy"] || r.Work != w.Work || r.LR != w.LR || !reflect.DeepEqual(r.Curvature, w.Curvature) {
				t.Errorf("%s: epoch %d is %+v, want %+v", dir, i+1, r, w)
			}
		}
		if len(h.Rows) != len(whole.Rows) {
			t.Errorf("%s: %d epochs, want %d", dir, len(h.Rows), len(whole.Rows))
		}
	}
	for _, step := range []int{1, 2, 3, 5, 8, 9} {
		dir := fmt.Sprint("stopped after ", step)
		ctx, cancel := context.WithCancel(context.Background())
		m, d, c := config(dir)
		c.Observers = []Observer{ObserverFunc(func(e Event) error {
			if s, ok := e.(*Stepped); ok && s.Step == step {
				cancel()
			}
			return nil
		})}
		if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: error %v", step, err)
		}
		finish(dir)
	}
	m, d, c = config("dies")
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok && (s.Step == 2 || s.Step == 5) {
			copyDir(t, c.Dir, filepath.Join(root, fmt.Sprint("dead after ", s.Step)))
		}
		return nil
	})}
	mustFit(t, m, d, c)
	finish("dead after 2")
	finish("dead after 5")
	finish("whole") // one that has ended stays as it is
}

// What the death of a process leaves half-written is not read, and goes.
func TestHalfWrittenFilesAreRemoved(t *testing.T) {
	m, d := small[float32](t)
	c := Config{Epochs: 1, Dir: t.TempDir()}
	mustFit(t, m, d, c)
	left := filepath.Join(c.Dir, temporary+lastFile+"-123")
	if err := os.WriteFile(left, []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	c.Resume = true
	mustFit(t, m, d, c)
	if _, err := os.Stat(left); err == nil {
		t.Error("a half-written file stays")
	}
	states, _ := filepath.Glob(filepath.Join(c.Dir, "optimizer-*"))
	if len(states) != 1 {
		t.Errorf("%d optimizer states, want that of the last checkpoint: %v", len(states), states)
	}
}

func TestResumingAnotherRunIsAnError(t *testing.T) {
	m, d := small[float32](t)
	base := Config{Epochs: 2, Batch: 50, Dir: t.TempDir(), Optimizer: parse(t, "adam")}
	mustFit(t, m, d, base)
	short, err := data.Limit(d, 100)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := small[float32](t, plain()...)
	double, _ := small[float64](t)
	try := func(name, want string, fit func(c Config) error, change func(*Config)) {
		c := base
		c.Resume = true
		if change != nil {
			change(&c)
		}
		if err := fit(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", name, err, want)
		}
	}
	same := func(c Config) error { _, err := Fit(context.Background(), m, d, c); return err }
	try("no directory", "needs the directory", same, func(c *Config) { c.Dir = "" })
	try("no run", "not the directory of a run", same, func(c *Config) { c.Dir = t.TempDir() })
	try("epochs", "epochs 2, now it is 3", same, func(c *Config) { c.Epochs = 3 })
	try("batch", "batch 50, now it is 51", same, func(c *Config) { c.Batch = 51 })
	try("seed", "seed 0, now it is 1", same, func(c *Config) { c.Seed = 1 })
	try("optimizer", "optimizer adam, now it is sgd", same, func(c *Config) { c.Optimizer = parse(t, "sgd") })
	try("settings", "optimizer adam, now it is adam:lr=0.1", same, func(c *Config) { c.Optimizer = parse(t, "adam:lr=0.1") })
	try("examples", "examples 150, now it is 100", func(c Config) error { _, err := Fit(context.Background(), m, short, c); return err }, nil)
	try("model", "parameters", func(c Config) error { _, err := Fit(context.Background(), other, d, c); return err }, nil)
	try("precision", "precision float32, now it is float64", func(c Config) error { _, err := Fit(context.Background(), double, d, c); return err }, nil)
	c := base
	if _, err := Fit(context.Background(), m, d, c); err == nil || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("a run was begun over another: %v", err)
	}
}

func TestDamagedCheckpointsAreErrors(t *testing.T) {
	m, d := small[float32](t)
	c := Config{Epochs: 1, Dir: t.TempDir()}
	mustFit(t, m, d, c)
	states, _ := filepath.Glob(filepath.Join(c.Dir, "optimizer-*"))
	for name, damage := range map[string]func(dir string) error{
		"weights cut":   func(dir string) error { return os.Truncate(filepath.Join(dir, lastFile), 100) },
		"weights gone":  func(dir string) error { return os.Remove(filepath.Join(dir, lastFile)) },
		"state cut":     func(dir string) error { return os.Truncate(filepath.Join(dir, filepath.Base(states[0])), 50) },
		"state gone":    func(dir string) error { return os.Remove(filepath.Join(dir, filepath.Base(states[0]))) },
		"log cut":       func(dir string) error { return os.Truncate(filepath.Join(dir, logFile), 10) },
		"config broken": func(dir string) error { return os.WriteFile(filepath.Join(dir, configFile), []byte("{"), 0o666) },
		"config newer": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, configFile), []byte(`{"format":99}`), 0o666)
		},
	} {
		dir := t.TempDir()
		copyDir(t, c.Dir, dir)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		m, d := small[float32](t)
		before := append([]float32{}, m.Params...)
		r := c
		r.Dir, r.Resume = dir, true
		if _, err := Fit(context.Background(), m, d, r); err == nil {
			t.Errorf("%s: no error", name)
		}
		if name != "log cut" && !strings.HasPrefix(name, "state") && far(before, m.Params) != 0 {
			t.Errorf("%s: the model changed", name)
		}
	}
}
