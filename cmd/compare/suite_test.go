package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
)

// tiny is a suite that takes a second.
func tiny() *suite {
	spec := func(data, model string) task.Spec { return task.Spec{Data: data, Model: model, Val: 0.2} }
	return &suite{name: "tiny", tasks: []suiteTask{
		{"easy", "", spec("blobs", "softmax"), "val_accuracy=0.85", 5, 2, 4},
		{"hard", "", spec("spirals", "2-32-3"), "val_loss=0.3", 30, 2, 1},
		{"never", "", spec("blobs", "softmax"), "val_accuracy=1", 1, 0.05, 1},
	}}
}

func race(t *testing.T, dir string, tune int, opts ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	b := &bench{settings: settings{Spec: task.Spec{Precision: "float32"}, Opts: opts, Seeds: 2, Tune: tune, Suite: "tiny"}, dir: dir, stdout: &stdout, progress: newProgress(io.Discard, true)}
	methods, err := b.methods()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.race(context.Background(), tiny(), methods); err != nil {
		t.Fatal(err)
	}
	return stdout.String()
}

func TestSuiteIsTablesAProfileAndPictures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "suite")
	out := race(t, dir, 0, "adam:lr=0.03", "sgd:lr=1e-9", "hf:curvature=200")
	rows := table(t, dir, "suite.csv")
	if len(rows) != 9 {
		t.Fatalf("%d rows", len(rows))
	}
	times := map[string][]float64{}
	for _, row := range rows {
		want := map[bool]string{true: "0", false: "2"}[row["method"] == "sgd:lr=1e-9" || row["task"] == "never"]
		if row["method"] != "hf:curvature=200" && row["reached"] != want {
			t.Errorf("%v, want %s reached", row, want)
		}
		v := -1.0
		if row["seconds"] != "" {
			v = number(t, row["seconds"])
		}
		times[row["task"]] = append(times[row["task"]], v)
	}
	// A method without a schedule goes on until its seconds are over.
	for _, run := range table(t, dir, "runs.csv") {
		if run["task"] == "never" && run["method"] == "hf:curvature=200" && (run["status"] != string(study.OutOfTime) || run["epochs"] != strconv.Itoa(endless)) {
			t.Errorf("%v", run)
		}
	}
	profile := table(t, dir, "profile.csv")
	// On a busy machine another may come in too late to have a score by seconds.
	last := slices.IndexFunc(profile, func(row map[string]string) bool { return row["method"] == "sgd:lr=1e-9" })
	if len(profile) != 3 || last < 1 || profile[last]["score_seconds"] != "0" || profile[0]["tasks"] != "3" {
		t.Errorf("profile.csv: %v", profile)
	}
	for _, row := range profile {
		for _, name := range []string{"easy", "hard", "never"} {
			k := 0
			for i, opt := range []string{"adam:lr=0.03", "sgd:lr=1e-9", "hf:curvature=200"} {
				if opt == row["method"] {
					k = i
				}
			}
			best := -1.0
			for _, v := range times[name] {
				if v >= 0 && (best < 0 || v < best) {
					best = v
				}
			}
			if v := times[name][k]; v >= 0 {
				if got := number(t, row["seconds_ratio_"+name]); got < v/best*(1-1e-6) || got > v/best*(1+1e-6) {
					t.Errorf("%s on %s: ratio %v, want %v", row["method"], name, got, v/best)
				}
			} else if row["seconds_ratio_"+name] != "" {
				t.Errorf("%s missed %s and has the ratio %s", row["method"], name, row["seconds_ratio_"+name])
			}
		}
	}
	for _, want := range []string{"easy (blobs, softmax): val_accuracy=0.85 in 2 s", "score by seconds", "2 of 3", "2 of 2"} {
		if !strings.Contains(out, want) {
			t.Errorf("stdout lacks %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"easy", "hard", "never", "profile"} {
		picture(t, dir, name)
	}
	if again := race(t, dir, 0, "adam:lr=0.03", "sgd:lr=1e-9", "hf:curvature=200"); again != out {
		t.Errorf("again:\n%s, want\n%s", again, out)
	}
}

// Tuned settings reach the targets that the defaults they are drawn around miss,
// and what the user has set stays.
func TestTuningIsByTheTarget(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "suite")
	out := race(t, dir, 4, "sgd", "adam:lr=0.03+constant")
	specs := map[string]int{}
	for _, row := range table(t, dir, "suite.csv") {
		specs[row["optimizer"]]++
		if row["method"] == "adam:lr=0.03+constant" && row["optimizer"] != row["method"] {
			t.Errorf("a setting of the user was tuned: %v", row)
		}
		if row["method"] == "sgd" && (!strings.HasPrefix(row["optimizer"], "sgd:lr=") || !strings.HasSuffix(row["optimizer"], "+onecycle")) {
			t.Errorf("no tuned rate: %v", row)
		}
	}
	if !strings.Contains(out, "the best of 4 random trials") || !strings.Contains(out, "settings") {
		t.Errorf("stdout:\n%s", out)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "easy", "runs"))
	// 4 trials and 2 seeds of the best, one of which is a trial, of sgd; of adam
	// those that differ in their epochs.
	if err != nil || len(entries) < 6 || len(entries) > 9 {
		t.Errorf("%d runs (%v)", len(entries), err)
	}
}

func TestSpaceOfTrials(t *testing.T) {
	b := &bench{}
	x := &suiteTask{epochs: 8}
	for opt, want := range map[string][]string{
		"sgd":           {"lr", "epochs"},
		"adam:lr=1":     {"epochs"},
		"hf":            {"damping"},
		"hf:damping=2":  nil,
		"adam+constant": {"lr", "epochs"},
	} {
		m := method{label: opt}
		var err error
		if m.spec, err = b.spelled(opt); err != nil {
			t.Fatal(err)
		}
		space, err := b.tuning(x, m)
		if err != nil || !reflect.DeepEqual(space.Names(), want) {
			t.Errorf("%s: %v (%v), want %v", opt, space.Names(), err, want)
		}
	}
}

// The suite that people run names data, models, measures and optimizers that
// there are.
func TestSuitesCanBegin(t *testing.T) {
	for _, s := range suites() {
		for _, x := range s.tasks {
			if _, err := study.ParseTarget(x.target); err != nil {
				t.Errorf("%s, %s: %v", s.name, x.name, err)
			}
			if x.epochs < 1 || x.seconds <= 0 || x.points < 1 || x.spec.Val <= 0 {
				t.Errorf("%s, %s: %+v", s.name, x.name, x)
			}
			if x.spec.Data == "mnist" {
				continue // nn and data test that
			}
			b := &bench{settings: settings{Spec: task.Spec{Precision: "float32"}}}
			if err := (&study.Runner{}).Check(context.Background(), x.job(b, "adam+onecycle", x.epochs, 0)); err != nil {
				t.Errorf("%s, %s: %v", s.name, x.name, err)
			}
		}
	}
}
