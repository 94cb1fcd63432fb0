package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// snapped is a run of 9 steps in 3 epochs that keeps snapshots.
func snapped(t *testing.T, dir, spec string, s Snapshots) (*nn.Model[float32], data.Dataset, Config) {
	m, d := small[float32](t)
	return m, d, Config{Optimizer: parse(t, spec), Epochs: 3, Batch: 64, Seed: 9, Dir: dir, Snapshots: s}
}

func stepsOf(t *testing.T, dir string) (steps []int) {
	t.Helper()
	list, err := ListSnapshots(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		steps = append(steps, s.Step)
	}
	return steps
}

// The files are the model, buffers too, as observers of that step see it.
func TestSnapshotsAreTheWeightsOfTheirSteps(t *testing.T) {
	for _, c := range []struct {
		s    Snapshots
		want []int
	}{
		{Snapshots{}, nil},
		{Snapshots{Every: 2}, []int{0, 2, 4, 6, 8}},
		{Snapshots{Epoch: true}, []int{0, 3, 6, 9}},
		{Snapshots{Log: 3}, []int{0, 1, 3, 9}},             // 9^0, 9^½, 9^1
		{Snapshots{Log: 9}, []int{0, 1, 2, 3, 4, 5, 7, 9}}, // of 9^(i/8), some round to one step
		{Snapshots{Every: 4, Epoch: true, Log: 2}, []int{0, 1, 3, 4, 6, 8, 9}},
	} {
		m, d, config := snapped(t, t.TempDir(), "adam", c.s)
		seen := map[int][]float32{0: slices.Concat(m.Params, m.Buffers)}
		config.Observers = []Observer{ObserverFunc(func(e Event) error {
			if s, ok := e.(*Stepped); ok {
				seen[s.Step] = slices.Concat(m.Params, m.Buffers)
			}
			return nil
		})}
		mustFit(t, m, d, config)
		if got := stepsOf(t, config.Dir); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: snapshots of steps %v, want %v", c.s, got, c.want)
		}
		list, _ := ListSnapshots(config.Dir)
		for _, s := range list {
			notes, err := LoadWeights(s.Path, m)
			if err != nil || notes["step"] != fmt.Sprint(s.Step) || !reflect.DeepEqual(slices.Concat(m.Params, m.Buffers), seen[s.Step]) {
				t.Errorf("%v: step %d: notes %v, error %v, or the weights are others", c.s, s.Step, notes, err)
			}
		}
	}
}

// Of an optimizer that averages, they are the weights to use, as in
// last.safetensors, and keeping them is no part of training.
func TestSnapshotsOfAveragesAreTheWeightsToUse(t *testing.T) {
	m, d, c := snapped(t, t.TempDir(), "adam+swa", Snapshots{Every: 1})
	mustFit(t, m, d, c)
	last := slices.Concat(m.Params, m.Buffers)
	list, err := ListSnapshots(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadWeights(list[len(list)-1].Path, m); err != nil || !reflect.DeepEqual(slices.Concat(m.Params, m.Buffers), last) {
		t.Errorf("the last snapshot is not the last checkpoint (%v)", err)
	}
	plain, d, c := snapped(t, "", "adam+swa", Snapshots{})
	mustFit(t, plain, d, c)
	if !reflect.DeepEqual(slices.Concat(plain.Params, plain.Buffers), last) {
		t.Error("a run with snapshots ends with other weights")
	}
}

func TestResumedRunsHaveTheSameSnapshots(t *testing.T) {
	root := t.TempDir()
	s := Snapshots{Every: 2, Epoch: true}
	for _, spec := range []string{"adam", "adam+swa"} {
		m, d, c := snapped(t, filepath.Join(root, spec), spec, s)
		mustFit(t, m, d, c)
		want := contents(t, filepath.Join(c.Dir, snapshotDir))
		finish := func(dir string) {
			t.Helper()
			m, d, c := snapped(t, dir, spec, s)
			c.Resume = true
			mustFit(t, m, d, c)
			if got := contents(t, filepath.Join(dir, snapshotDir)); got != want {
				t.Errorf("%s: other snapshots, of steps %v", dir, stepsOf(t, dir))
			}
		}
		own := errors.New("disk on fire")
		for _, step := range []int{1, 2, 3, 4, 9} {
			for name, failure := range map[string]error{"stopped": nil, "failed": own} {
				ctx, cancel := context.WithCancel(context.Background())
				m, d, c := snapped(t, filepath.Join(root, fmt.Sprint(spec, " ", name, " ", step)), spec, s)
				c.Observers = []Observer{ObserverFunc(func(e Event) error {
					if s, ok := e.(*Stepped); ok && s.Step == step {
						if failure == nil {
							cancel()
						}
						return failure
					}
					return nil
				})}
				if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) && !errors.Is(err, own) {
					t.Fatalf("%s after step %d: %v", name, step, err)
				}
				finish(c.Dir)
			}
		}
		// A process that died after step 5 has the checkpoint of step 3, a snapshot
		// after it, and half of one.
		m, d, c = snapped(t, filepath.Join(root, spec+" dies"), spec, s)
		dead := filepath.Join(root, spec+" dead")
		c.Observers = []Observer{ObserverFunc(func(e Event) error {
			if s, ok := e.(*Stepped); ok && s.Step == 5 {
				return os.CopyFS(dead, os.DirFS(c.Dir))
			}
			return nil
		})}
		mustFit(t, m, d, c)
		if got := stepsOf(t, dead); !reflect.DeepEqual(got, []int{0, 2, 3, 4}) {
			t.Errorf("before it died it had snapshots of steps %v", got)
		}
		if err := os.WriteFile(filepath.Join(dead, snapshotDir, temporary+"step-000000006.safetensors"), []byte("ha"), 0o666); err != nil {
			t.Fatal(err)
		}
		finish(dead)
	}
}

func TestWrongSnapshotsAreErrors(t *testing.T) {
	m, d, c := snapped(t, t.TempDir(), "adam", Snapshots{Every: 2})
	mustFit(t, m, d, c)
	c.Resume = true
	for name, try := range map[string]struct {
		change func(c *Config)
		want   string
	}{
		"negative":     {func(c *Config) { c.Snapshots.Every = -1 }, "allowed are 1 and more"},
		"one":          {func(c *Config) { c.Snapshots.Log = 1 }, "allowed are 2 to 9"},
		"too many":     {func(c *Config) { c.Snapshots.Log = 10 }, "allowed are 2 to 9"},
		"no directory": {func(c *Config) { c.Dir, c.Resume = "", false }, "need the directory"},
		"others":       {func(c *Config) { c.Snapshots = Snapshots{Log: 4} }, "had snapshots every=2, now it is log=4"},
		"not resumed":  {func(c *Config) { c.Resume = false }, "holds a run already"},
		"left over": {func(c *Config) {
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, snapshotDir), os.DirFS(filepath.Join(c.Dir, snapshotDir))); err != nil {
				t.Fatal(err)
			}
			c.Dir, c.Resume = dir, false
		}, "holds a run already (snapshots)"},
	} {
		changed := c
		try.change(&changed)
		if _, err := Fit(context.Background(), m, d, changed); err == nil || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, try.want)
		}
	}
}

// Weights that are not finite are none to keep.
func TestNoSnapshotsOfWeightsThatAreNotFinite(t *testing.T) {
	m, d, c := snapped(t, t.TempDir(), "sgd", Snapshots{Every: 1})
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok && s.Step == 2 {
			m.Params[3] = float32(math.Inf(1))
		}
		return nil
	})}
	var bad *StepError
	if _, err := Fit(context.Background(), m, d, c); !errors.As(err, &bad) || bad.Step != 2 {
		t.Errorf("error %v", err)
	}
	if got := stepsOf(t, c.Dir); !reflect.DeepEqual(got, []int{0, 1}) {
		t.Errorf("snapshots of steps %v", got)
	}
}
