package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// binary is this command, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "compare")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "compare.exe")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
			return 1
		}
		return m.Run()
	}())
}

// result is what a process has left.
type result struct {
	code           int
	stdout, stderr string
}

// invoke runs the command in dir.
func invoke(t *testing.T, dir string, args ...string) result {
	t.Helper()
	c := exec.Command(binary, args...)
	var stdout, stderr bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// table reads a CSV as rows of cells by the names of its columns.
func table(t *testing.T, path ...string) (rows []map[string]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatalf("%v: %v", path, err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// picture checks that there is one in both formats.
func picture(t *testing.T, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	f, err := os.Open(name + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width < 500 || c.Height < 300 {
		t.Errorf("%s.png: %+v (%v)", name, c, err)
	}
	if b, err := os.ReadFile(name + ".svg"); err != nil || !bytes.Contains(b, []byte("</svg>")) {
		t.Errorf("%s.svg: %v", name, err)
	}
}

// small are flags of a task that takes milliseconds.
var small = []string{"-data", "blobs", "-model", "20-16-10", "-limit", "1000", "-epochs", "3"}

func with(args ...string) []string { return append(append([]string(nil), small...), args...) }

func TestComparisonIsATableFilesAndPictures(t *testing.T) {
	dir := t.TempDir()
	r := invoke(t, dir, with("-opt", "adam:lr=0.02", "-opt", "sgd:lr=1e30", "-opt", "hf:curvature=100", "-seeds", "2", "-out", "c")...)
	if r.code != cli.ExitDone {
		t.Fatalf("status %d: %s", r.code, r.stderr)
	}
	lines := strings.Split(r.stdout, "\n")
	if !strings.HasPrefix(r.stdout, "blobs, 20-16-10: 3 epochs, 2 seeds; mean ± standard deviation") || !strings.HasPrefix(lines[2], "method ") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	// The best is first, and what diverged last: it is a row and not the end.
	if last := lines[5]; !strings.HasPrefix(last, "sgd:lr=1e30 ") || !strings.Contains(last, "diverged at step 1 (all 2 seeds)") {
		t.Errorf("the last row is %q", last)
	}
	if strings.ContainsAny(r.stderr, "\r\x1b") || !strings.Contains(r.stderr, "[6/6] hf:curvature=100, seed 1: train loss ") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
	methods, runs, points := table(t, dir, "c", "compare.csv"), table(t, dir, "c", "runs.csv"), table(t, dir, "c", "points.csv")
	if len(methods) != 3 || len(runs) != 6 || methods[0]["method"] != "adam:lr=0.02" || methods[0]["optimizer"] != "adam:lr=0.02+onecycle" || methods[1]["good"] != "0" {
		t.Errorf("compare.csv: %v", methods)
	}
	// What the table has is what the runs have.
	mean := (number(t, runs[0]["test_accuracy"]) + number(t, runs[1]["test_accuracy"])) / 2
	if got := number(t, methods[0]["test_accuracy"]); got < mean-1e-7 || got > mean+1e-7 || !strings.Contains(r.stdout, fmt.Sprintf("%.2f ± ", 100*mean)) {
		t.Errorf("accuracy %v in compare.csv, %v over runs.csv; stdout:\n%s", got, mean, r.stdout)
	}
	if g, w := number(t, methods[0]["gradients"]), number(t, methods[0]["work"]); g != 3000 || w != 6000 {
		t.Errorf("adam has %v gradients and %v work in 3 epochs of 1000 examples", g, w)
	}
	if len(points) < 40 || points[0]["steps"] != "0" {
		t.Errorf("points.csv has %d rows", len(points))
	}
	picture(t, dir, "c", "curves")

	// The same again trains nothing; a seed more trains what is new.
	kept := invoke(t, dir, with("-opt", "adam:lr=0.02", "-opt", "sgd:lr=1e30", "-opt", "hf:curvature=100", "-seeds", "2", "-out", "c")...)
	if kept.code != cli.ExitDone || kept.stdout != r.stdout || strings.Count(kept.stderr, "(kept)") != 6 {
		t.Errorf("again: %+v", kept)
	}
	more := invoke(t, dir, with("-opt", "adam:lr=0.02", "-opt", "adamw", "-seeds", "3", "-out", "c")...)
	if more.code != cli.ExitDone || strings.Count(more.stderr, "(kept)") != 2 || !strings.Contains(more.stderr, "[6/6] adamw") {
		t.Errorf("more: %+v", more)
	}
	resumed := invoke(t, dir, "-resume", "c", "-quiet")
	if resumed.code != cli.ExitDone || resumed.stdout != more.stdout || resumed.stderr != "" {
		t.Errorf("-resume: %+v, want %s", resumed, more.stdout)
	}
	// Other settings do not go into the same directory.
	other := invoke(t, dir, "-data", "blobs", "-model", "20-16-10", "-limit", "1000", "-epochs", "4", "-opt", "adam", "-out", "c")
	if other.code != cli.ExitFailed || other.stdout != "" || !strings.Contains(other.stderr, "begun with epochs 3, now it is 4") {
		t.Errorf("other settings: %+v", other)
	}
}

func TestTimeToTarget(t *testing.T) {
	dir := t.TempDir()
	r := invoke(t, dir, "-data", "blobs", "-model", "20-16-10", "-epochs", "30", "-val", "0.2", "-opt", "adam:lr=0.02", "-opt", "sgd:lr=1e-9", "-seeds", "2", "-target", "val_accuracy=0.9", "-quiet")
	if r.code != cli.ExitDone || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	out := filepath.Join(dir, "runs", "compare-blobs-20-16-10-1")
	rows := table(t, out, "compare.csv")
	if rows[0]["reached"] != "2" || rows[0]["target"] != "val_accuracy=0.9" || number(t, rows[0]["target_seconds"]) <= 0 || number(t, rows[0]["epochs"]) >= 30 {
		t.Errorf("adam: %v", rows[0])
	}
	if rows[1]["reached"] != "0" || rows[1]["target_seconds"] != "" || rows[1]["epochs"] != "30" {
		t.Errorf("a rate that is too small: %v", rows[1])
	}
	for _, run := range table(t, out, "runs.csv") {
		if want := map[bool]string{true: "target", false: "done"}[run["method"] == "adam:lr=0.02"]; run["status"] != want {
			t.Errorf("%v", run)
		}
	}
	if !strings.Contains(r.stdout, "2 of 2") || !strings.Contains(r.stdout, "0 of 2") || !strings.Contains(r.stdout, "or val_accuracy=0.9") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	picture(t, out, "curves")
}

func TestSweepIsBestFirst(t *testing.T) {
	dir := t.TempDir()
	args := with("-opt", "sgd", "-sweep", "lr=1e-4:1:log,nesterov=true|false,momentum=0.8|0.9,epochs=1|2", "-trials", "6", "-out", "s")
	r := invoke(t, dir, args...)
	if r.code != cli.ExitDone || !strings.Contains(r.stderr, "objective: highest val_accuracy") {
		t.Fatalf("%+v", r)
	}
	rows := table(t, dir, "s", "sweep.csv")
	if len(rows) != 6 {
		t.Fatalf("%d trials", len(rows))
	}
	for i, row := range rows[1:] {
		if number(t, row["val_accuracy"]) > number(t, rows[i]["val_accuracy"]) {
			t.Errorf("trial %d is better than the one before", i+2)
		}
	}
	if want := "best: -opt " + rows[0]["optimizer"] + " -epochs " + rows[0]["epochs"]; !strings.Contains(r.stdout, want) {
		t.Errorf("stdout lacks %q:\n%s", want, r.stdout)
	}
	picture(t, dir, "s", "sweep")
	more := invoke(t, dir, append(args, "-trials", "8")...)
	if more.code != cli.ExitDone || strings.Count(more.stderr, "(kept)") != 6 || len(table(t, dir, "s", "sweep.csv")) != 8 {
		t.Errorf("two more trials: %+v", more)
	}

	grid := invoke(t, dir, with("-opt", "adam+onecycle", "-sweep", "lr=1e-3:1e-1:log:3,onecycle.pct_start=0.1|0.3", "-objective", "test_loss", "-out", "g", "-quiet")...)
	if rows := table(t, dir, "g", "sweep.csv"); grid.code != cli.ExitDone || len(rows) != 6 || !strings.Contains(rows[0]["optimizer"], "+onecycle:pct_start=") {
		t.Errorf("a grid: %+v", grid)
	}
	timed := invoke(t, dir, with("-opt", "adam", "-sweep", "lr=1e-9|0.02", "-target", "val_accuracy=0.8", "-epochs", "20", "-out", "t", "-quiet")...)
	if rows := table(t, dir, "t", "sweep.csv"); timed.code != cli.ExitDone || rows[0]["lr"] != "0.02" || rows[1]["seconds"] == "" || !strings.Contains(timed.stdout, "missed the target") {
		t.Errorf("least seconds: %+v", timed)
	}
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "full", "x"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-epoch 3":                                 "did you mean -epochs?",
		"-epochs 0":                                "-epochs is 0; allowed are 1 to",
		"-opt adm":                                 `did you mean "adam"?`,
		"-opt adam -opt adam":                      "are the same",
		"-opt adam:rate=1":                         "lr",
		"-opt adam -schedule cosinus":              `did you mean "cosine"?`,
		"-data minst -opt adam":                    `did you mean "mnist"?`,
		"-data blobs -model mpl":                   `did you mean "mlp"?`,
		"-target accuracy=0.9":                     "allowed are probe_loss",
		"-target test_acuracy=0.9":                 `did you mean "test_accuracy"?`,
		"-data blobs -target val_loss=1":           "-val keeps a share",
		"-suite smal":                              `did you mean "small"?`,
		"-suite small -epochs 3":                   "-epochs is not allowed beside it",
		"-tune 3":                                  "-tune is for -suite",
		"-trials 3":                                "are for -sweep",
		"-data blobs -sweep lr":                    "name=low:high:log",
		"-data blobs -sweep lr=1e-3:1e-1:log":      "-trials",
		"-data blobs -opt adam -sweep rate=1|2":    "lr",
		"-data blobs -sweep lr=1|2 -opt adam:lr=1": "sets it already",
		"-data blobs -opt adam -sweep lr=1|2 -objective seconds": "to its -target",
		"-data blobs -opt adam -sweep lr=1|2 -objective acc":     "allowed are probe_loss",
		"-data blobs -opt adam -sweep epochs=few|1":              "whole numbers",
		"-resume x -epochs 3":                                    "not allowed beside it",
		"-seconds 0":                                             "above 0",
		"-precision half":                                        "float32 and float64",
		"mnist":                                                  "unexpected argument",
		"-out":                                                   "flag needs an argument",
		"-opt=":                                                  "-opt is empty",
	} {
		r := invoke(t, dir, strings.Fields(args)...)
		if r.code != cli.ExitUsage || r.stdout != "" || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
	for args, want := range map[string]string{
		"-resume none":                      "study.json",
		"-data blobs -opt adam -out full":   "holds files",
		"-data blobs -opt adam -data-dir x": "compare: -data-dir beside -data blobs",
	} {
		if r := invoke(t, dir, strings.Fields(args)...); r.code == cli.ExitDone || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(left) != 1 {
		t.Errorf("wrong usage has left %v", left)
	}
}

func TestHelpAndLists(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string][]string{
		"-h":        {"usage: compare [flags]", "-sweep", "exit status: 0 done"},
		"-list":     {"suite small", "val_accuracy=", "optimizers (-opt", "data sets:"},
		"-opt list": {"sgd", "adam", "onecycle"},
	} {
		r := invoke(t, dir, strings.Fields(args)...)
		for _, w := range want {
			if r.code != cli.ExitDone || r.stderr != "" || !strings.Contains(r.stdout, w) {
				t.Errorf("%s: status %d, stderr %q, stdout lacks %q", args, r.code, r.stderr, w)
			}
		}
	}
}
