package main

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/optimizers"
)

// -opt list has a line for every method, wrapper and schedule, with its memory
// and what it is for, and below it one for each setting with its default.
func TestOptListIsComplete(t *testing.T) {
	r := invoke(t, t.TempDir(), "-opt", "list")
	if r.code != cli.ExitDone || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	lines := strings.Split(r.stdout, "\n")
	find := func(from int, begin string, parts ...string) int {
		for i := from; i < len(lines); i++ {
			if words := strings.Fields(lines[i]); len(words) > 0 && strings.HasPrefix(strings.Join(words, " ")+" ", begin+" ") {
				for _, part := range parts {
					if !strings.Contains(lines[i], part) {
						t.Errorf("the line of %s does not say %q: %s", begin, part, lines[i])
					}
				}
				return i
			}
		}
		t.Errorf("there is no line that begins with %s", begin)
		return from
	}
	at := 0
	for _, info := range slices.Concat(optimizers.Methods(), optimizers.Wrappers(), optimizers.Schedules()) {
		memory := ""
		switch {
		case info.Memory == 1:
			memory = "(keeps 1 number a parameter)"
		case info.Memory > 1:
			memory = "numbers a parameter)"
		}
		at = find(at, info.Name, info.Use, memory)
		for _, s := range info.Settings {
			find(at, s.Name+"="+s.Default, s.Help, s.Allowed)
		}
	}
	at = find(at, "every schedule")
	for _, s := range optimizers.ScheduleSettings() {
		find(at, s.Name+"="+s.Default, s.Help)
	}
}

// Settings of optimizers on the command line, and what is said of those that are
// wrong: what is allowed, and the nearest match.
func TestOptimizersOnTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		args string
		code int
		want string // in stdout or stderr
	}{
		{"-schedule cosine:warmup=5,final=0.01", cli.ExitDone, "test accuracy"},
		{"-opt adam:beta1=0.8+clip:norm=0.1,per_tensor+lookahead:k=3+step:unit=epoch", cli.ExitDone, "test accuracy"},
		{"-epochs 2 -val 0.1 -schedule plateau:patience=0", cli.ExitDone, "test accuracy"},
		{"-epochs 2 -schedule sequential:schedules=(linear:total_iters=0)/cosine,unit=epoch", cli.ExitDone, "test accuracy"},
		{"-schedule sutskever", cli.ExitDone, "test accuracy"},
		{"-group bias:lr=0.1x -group dense1:freeze", cli.ExitDone, "test accuracy"},
		{"-opt adamw -group bias,norm:weight_decay=0 -schedule cosine", cli.ExitDone, "test accuracy"},

		{"-schedule cosin", cli.ExitUsage, `unknown schedule "cosin"; allowed are constant, linear, step,`},
		{"-schedule cosin", cli.ExitUsage, `did you mean "cosine"?`},
		{"-schedule cosine:warmpu=5", cli.ExitUsage, `did you mean "warmup"?`},
		{"-schedule cosine:final=-1", cli.ExitUsage, "cosine: final is -1; allowed are numbers in [0, inf)"},
		{"-schedule cosine:warmup=3,unit=epoch -epochs 3", cli.ExitUsage, "warmup is 3 epochs, the whole run 3"},
		{"-schedule cosine:warmup=100000", cli.ExitFailed, "warmup is 100000 steps"},
		{"-schedule chained:schedules=(cosine:warmup=3)/step", cli.ExitUsage, "warmup belongs to the schedule as a whole"},
		{"-schedule chained:schedules=plateau/cosine", cli.ExitUsage, "plateau follows a metric and cannot be a part"},
		{"-schedule sequential", cli.ExitUsage, "no schedules given; give them as schedules=(linear:total_iters=500)/cosine"},
		{"-opt sgd -schedule sutskever", cli.ExitUsage, "sgd has no momentum that sutskever could set"},
		{"-opt adam+lookahead+lookahead", cli.ExitUsage, "lookahead cannot stand around"},
		{"-opt adam+lookahed", cli.ExitUsage, `did you mean "lookahead"?`},
		{"-opt adam+sgd", cli.ExitUsage, `unknown wrapper "sgd"; allowed are clip`},
		{"-opt clip", cli.ExitUsage, "clip wraps a method and stands after it, as in adam+clip"},
		{"-opt aggmo:betas=0/1.5", cli.ExitUsage, "allowed are lists of numbers, as 0/0.9/0.99, in [0, 1]"},
		{"-group bias", cli.ExitUsage, "says nothing about its tensors; write it as bias,norm:weight_decay=0"},
		{"-group bias:weight_decy=0", cli.ExitUsage, `did you mean "weight_decay"?`},
		{"-group bias:beta1=2", cli.ExitUsage, "group bias: adam: beta1 is 2; allowed are numbers in [0, 1)"},
		{"-opt hf -group bias:lr=0.1x", cli.ExitUsage, "no learning rate to be multiplied"},
		{"-opt adam+cosine+group:bias:freeze", cli.ExitUsage, "a schedule stands around the groups"},
		{"-group dens1:freeze", cli.ExitFailed, `no tensor is named "dens1"; there are dense1.weight, dense1.bias`},
		{"-group dens1:freeze", cli.ExitFailed, `did you mean "dense1"?`},
	} {
		args := append([]string{"-data", "blobs", "-model", "softmax", "-epochs", "1", "-quiet", "-out", "run"}, strings.Fields(c.args)...)
		r := invoke(t, dir, args...)
		if r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.want) {
			t.Errorf("%s: status %d, want %d with %q\n%s%s", c.args, r.code, c.code, c.want, r.stdout, r.stderr)
		}
		removeRun(t, dir, "run", c.code == cli.ExitDone)
	}
}

// removeRun removes the directory of a run, which is there if it has begun, and
// only then.
func removeRun(t *testing.T, dir, name string, began bool) {
	t.Helper()
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); (err == nil) != began {
		t.Errorf("the run began: %v, and its directory: %v", began, err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// Groups stand next to the method, whatever else is around it.
func TestGroupsStandNextToTheMethod(t *testing.T) {
	for args, want := range map[string]string{
		"-group bias,norm:lr=0.1x -group dense1:freeze -schedule cosine":           "adam+group:bias,norm:lr=0.1x+group:dense1:freeze+cosine",
		"-group bias:beta1=0.5 -opt adam:lr=1e-2+lookahead -clip 2":                "adam:lr=1e-2+group:bias:beta1=0.5+lookahead+clip:norm=2+onecycle",
		"-group bias:lr=2x -opt adam:lr=1e+0 -weight-decay 1":                      "adam:lr=1e+0,weight_decay=1+group:bias:lr=2x+onecycle",
		"-opt adam+group:weight:lr=2x -group *.bias:freeze -schedule step":         "adam+group:*.bias:freeze+group:weight:lr=2x+step",
		"-schedule onecycle:unit=epoch":                                            "adam+onecycle:unit=epoch,max_lr=0.005",
		"-opt adamw -schedule chained:schedules=cosine/(sutskever:max_momentum=0)": "adamw+chained:schedules=cosine/(sutskever:max_momentum=0)",
	} {
		o, _, err := parse(append([]string{"-data", "blobs"}, strings.Fields(args)...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.optimizer(); err != nil || got != want {
			t.Errorf("%s: %q (%v), want %q", args, got, err, want)
		}
	}
}

// -lr-find suggests a rate, and leaves a table and two pictures.
func TestLRFind(t *testing.T) {
	dir := t.TempDir()
	r := invoke(t, dir, "-data", "blobs", "-model", "20-32-10", "-lr-find", "-opt", "sgd", "-out", "found")
	if r.code != cli.ExitDone || !strings.HasPrefix(r.stdout, "suggested learning rate 0.") || !strings.Contains(r.stdout, "saved in "+filepath.Join("found", "lr-find.csv")) {
		t.Fatalf("%+v", r)
	}
	rate, err := strconv.ParseFloat(strings.Fields(strings.ReplaceAll(r.stdout, ":", ""))[3], 64)
	if err != nil || !(rate > 1e-3 && rate < 1) {
		t.Errorf("suggested %v: %v", rate, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(read(t, dir, "found", "lr-find.csv"))).ReadAll()
	if err != nil || len(rows) < 50 {
		t.Errorf("%d rows: %v", len(rows), err)
	}
	if _, err := png.Decode(bytes.NewReader(read(t, dir, "found", "lr-find.png"))); err != nil {
		t.Error(err)
	}
	var svg struct{ XMLName xml.Name }
	if err := xml.Unmarshal(read(t, dir, "found", "lr-find.svg"), &svg); err != nil || svg.XMLName.Local != "svg" {
		t.Errorf("%v %v", svg, err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "found", "*")); len(files) != 3 {
		t.Errorf("files %v", files)
	}
	if again := invoke(t, dir, "-data", "blobs", "-model", "20-32-10", "-lr-find", "-opt", "sgd", "-quiet"); again.code != cli.ExitDone || again.stderr != "" ||
		!bytes.Equal(read(t, dir, "lr-find.csv"), read(t, dir, "found", "lr-find.csv")) {
		t.Errorf("in the directory itself: %+v", again)
	}
	for args, want := range map[string]string{
		"-opt hf":          "-lr-find: hf has no learning rate to be found",
		"-opt adam+cosine": "has the schedule cosine that does; leave it out",
		"-schedule cosine": "-schedule is not allowed beside it",
		"-lr 0.1":          "-lr is not allowed beside it",
		"-epochs 3":        "-epochs is not allowed beside it",
		"-opt adma":        `did you mean "adam"?`,
		"-resume found":    "-lr-find is not allowed beside it",
	} {
		if r := invoke(t, dir, append([]string{"-lr-find"}, strings.Fields(args)...)...); r.code != cli.ExitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v; want %s", args, r, want)
		}
	}
}
