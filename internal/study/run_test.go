package study

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/train"
)

// job is one that takes milliseconds.
func job(opt string) Job {
	return Job{Spec: task.Spec{Data: "blobs", Model: "20-16-10", Limit: 600, Val: 0.2, Precision: "float32"}, Opt: opt, Epochs: 3, Batch: 60, Points: 2}
}

func mustRun(t *testing.T, r *Runner, dir string, j Job) *Outcome {
	t.Helper()
	o, err := r.Run(context.Background(), dir, j)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// untimed is an outcome without what differs from run to run.
func untimed(o *Outcome) Outcome {
	c := *o
	c.Points = append([]train.Point(nil), o.Points...)
	for i := range c.Points {
		c.Points[i].Seconds = 0
	}
	return c
}

func TestOutcomesOfRuns(t *testing.T) {
	r := &Runner{}
	reached, slow := job("adam:lr=0.02"), job("adam")
	reached.Epochs, reached.Target = 50, "val_accuracy=0.8"
	slow.Epochs, slow.Seconds = 1_000_000, 1e-9
	all := job("adam")
	all.Precision = "float64"
	for name, c := range map[string]struct {
		job    Job
		status Status
		step   int
	}{
		"all epochs":     {all, Done, 24},
		"diverges":       {job("sgd:lr=1e30"), Diverged, 0},
		"at the target":  {reached, Reached, 0},
		"out of seconds": {slow, OutOfTime, 1},
	} {
		dir := filepath.Join(t.TempDir(), "runs", "x")
		o := mustRun(t, r, dir, c.job)
		if o.Status != c.status || c.step > 0 && o.Step != c.step || o.Good() != (c.status != Diverged) {
			t.Errorf("%s: %s at step %d (%s)", name, o.Status, o.Step, o.Note)
		}
		if end, ok := o.End(); !ok || c.status != Diverged && end.Step != o.Step {
			t.Errorf("%s: it ends at step %d with point %+v", name, o.Step, end)
		}
		if c.status == Diverged && (!strings.Contains(o.Note, "step 2 ") || strings.Contains(o.Note, dir)) {
			t.Errorf("%s: %q", name, o.Note)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "optimizer-*")); c.status != Diverged && left != nil {
			t.Errorf("%s: the optimizer's state stays: %v", name, left)
		}
		// What is kept is told again, without training.
		r.Observers = func(Job) []train.Observer { t.Errorf("%s: trained again", name); return nil }
		if again := mustRun(t, r, dir, c.job); !reflect.DeepEqual(again, o) {
			t.Errorf("%s: kept %+v, want %+v", name, again, o)
		}
		r.Observers = nil
		other := c.job
		other.Epochs++
		if _, err := r.Run(context.Background(), dir, other); err == nil || !strings.Contains(err.Error(), "of another run") {
			t.Errorf("%s: another run in its place: %v", name, err)
		}
	}
	target, _ := ParseTarget(reached.Target)
	o := mustRun(t, r, filepath.Join(t.TempDir(), "x"), reached)
	hit, ok := o.Hit(target)
	if end, _ := o.End(); !ok || hit.Step != end.Step {
		t.Errorf("the target is met at %+v, the run ends at %+v", hit, end)
	}
	for _, p := range o.Points[:len(o.Points)-1] {
		if target.Met(p) {
			t.Errorf("the run goes on after its target, %+v", p)
		}
	}
}

// However often a run is interrupted, it ends as one that was not.
func TestInterruptedRunsGoOn(t *testing.T) {
	for _, opt := range []string{"adam+onecycle", "hf:curvature=50"} {
		want := mustRun(t, &Runner{}, filepath.Join(t.TempDir(), "x"), job(opt))
		dir := filepath.Join(t.TempDir(), "y")
		stops := 0
		for {
			ctx, cancel := context.WithCancel(context.Background())
			steps := 0
			r := &Runner{Observers: func(Job) []train.Observer {
				return []train.Observer{train.ObserverFunc(func(e train.Event) error {
					if _, ok := e.(*train.Stepped); ok {
						if steps++; steps == 5 {
							cancel()
						}
					}
					return nil
				})}
			}}
			o, err := r.Run(ctx, dir, job(opt))
			cancel()
			if errors.Is(err, context.Canceled) {
				stops++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if stops < 4 || !reflect.DeepEqual(untimed(o), untimed(want)) {
				t.Errorf("%s: after %d stops\n%+v, want\n%+v", opt, stops, untimed(o), untimed(want))
			}
			break
		}
	}
}

func TestCheckRefusesWhatCannotBegin(t *testing.T) {
	ctx := context.Background()
	change := func(f func(*Job)) Job { j := job("adam"); f(&j); return j }
	for want, j := range map[string]Job{
		"0 epochs":                 change(func(j *Job) { j.Epochs = 0 }),
		"minibatches of -1":        change(func(j *Job) { j.Batch = -1 }),
		"-1 measurements":          change(func(j *Job) { j.Points = -1 }),
		"budget of -1 seconds":     change(func(j *Job) { j.Seconds = -1 }),
		`did you mean "adam"`:      change(func(j *Job) { j.Opt = "adm" }),
		`did you mean "blobs"`:     change(func(j *Job) { j.Data = "blob" }),
		`did you mean "test_loss"`: change(func(j *Job) { j.Target = "test_los=1" }),
		"no validation set":        change(func(j *Job) { j.Val, j.Target = 0, "val_loss=1" }),
		"have no squared error":    change(func(j *Job) { j.Target = "val_squared_error=1" }),
		"-precision":               change(func(j *Job) { j.Precision = "half" }),
	} {
		if err := (&Runner{}).Check(ctx, j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (&Runner{}).Check(ctx, job("hf")); err != nil {
		t.Error(err)
	}
}

func TestNamesOfJobsAreTheirOwn(t *testing.T) {
	seen := map[string]Job{}
	long := "adam:beta1=0.123456789,beta2=0.987654321,eps=1e-12,weight_decay=0.0001+clip:norm=5+onecycle:pct_start="
	for _, opt := range []string{"adam", "sgd:lr=1", "sgd_lr=1", long + "0.1", long + "0.2", "../../adam"} {
		for _, epochs := range []int{1, 2} {
			for seed := range uint64(2) {
				j := job(opt)
				j.Epochs, j.Seed = epochs, seed
				name := j.Name()
				if other, ok := seen[name]; ok || strings.ContainsAny(name, `/\:*?"<>|`) || len(name) > 120 || strings.HasPrefix(name, ".") && strings.Contains(name, "/") {
					t.Errorf("%q for %+v and %+v", name, j, other)
				}
				seen[name] = j
			}
		}
	}
}

func TestDamagedOutcomesAreErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, outcomeFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Runner{}).Run(context.Background(), dir, job("adam")); err == nil || !strings.Contains(err.Error(), outcomeFile) {
		t.Errorf("%v", err)
	}
}

// summary is of made-up runs.
func summary() *Summary {
	run := func(status Status, losses ...float64) *Outcome {
		o := &Outcome{Status: status}
		for i, l := range losses {
			o.Points = append(o.Points, train.Point{Step: i, Epoch: float64(i), Seconds: float64(i) * l, Work: int64(10 * i), Test: &train.Scores{Loss: l}})
		}
		return o
	}
	return &Summary{Label: "m", Outcomes: []*Outcome{run(Done, 5, 3, 1), run(Diverged, 5, 4), run(Done, 5, 5, 2)}}
}

func TestSummariesAreOverSeeds(t *testing.T) {
	s := summary()
	target, _ := ParseTarget("test_loss=3")
	if f := s.Final("test_loss"); f.N != 2 || f.Mean != 1.5 {
		t.Errorf("final loss %+v", f)
	}
	if w := s.Spent(Work); w.N != 2 || w.Mean != 20 {
		t.Errorf("work %+v", w)
	}
	if n := s.Reached(target); n != 2 {
		t.Errorf("%d reached the target", n)
	}
	if to := s.To(target, Steps); to.Min != 1 || to.Median != 2 || !math.IsInf(to.Max, 1) {
		t.Errorf("steps to the target %+v", to)
	}
	c := s.Curve(Epochs, func(p train.Point) (float64, bool) { return p.Test.Loss, true })
	if !reflect.DeepEqual(c.X, []float64{0, 1, 2}) || !reflect.DeepEqual(c.Y, []float64{5, 4, 1.5}) || !reflect.DeepEqual(c.Low, []float64{5, 3, 1}) || !reflect.DeepEqual(c.High, []float64{5, 5, 2}) {
		t.Errorf("curve %+v", c)
	}
}

func TestCSVHasNoNumbersThatAreNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := WriteCSV(path, [][]any{{"a", "b,c"}, {math.NaN(), 0.1}, {math.Inf(1), 3}}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "a,\"b,c\"\n,0.1\n,3\n" {
		t.Errorf("%q (%v)", b, err)
	}
}
