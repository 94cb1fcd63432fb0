package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// binary is this command, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "train")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "train.exe")
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

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunWritesResultsAndNotesApart(t *testing.T) {
	dir := t.TempDir()
	r := invoke(t, dir, "-data", "spirals", "-model", "2-32-3", "-epochs", "3", "-val", "0.1", "-opt", "adam:beta1=0.8+clip:norm=5", "-weight-decay", "1e-4")
	if r.code != cli.ExitDone {
		t.Fatalf("status %d: %s", r.code, r.stderr)
	}
	if lines := strings.Split(strings.TrimSpace(r.stdout), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "test accuracy ") || lines[1] != "saved in "+filepath.Join("runs", "spirals-2-32-3-adam-1") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if strings.ContainsAny(r.stderr, "\r\x1b") {
		t.Errorf("control characters in %q", r.stderr)
	}
	for _, want := range []string{"dense1", "epoch 3/3", "val loss", "onecycle", "weight_decay=0.0001"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, r.stderr)
		}
	}
	run := filepath.Join(dir, "runs", "spirals-2-32-3-adam-1")
	var got map[string]any
	if err := json.Unmarshal(read(t, run, "result.json"), &got); err != nil {
		t.Fatal(err)
	}
	if got["data"] != "spirals" || got["model"] != "2-32-3" || got["epochs"] != 3.0 || got["parameters"] != 195.0 || !strings.HasPrefix(fmt.Sprint(got["optimizer"]), "adam:") {
		t.Errorf("result.json: %v", got)
	}
	rows, err := csv.NewReader(bytes.NewReader(read(t, run, "metrics.csv"))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Errorf("metrics.csv: %v %v", rows, err)
	}
	quiet := invoke(t, dir, "-data", "spirals", "-model", "2-32-3", "-epochs", "1", "-quiet", "-out", "mine")
	if quiet.code != cli.ExitDone || quiet.stderr != "" || !strings.HasSuffix(quiet.stdout, "saved in mine\n") {
		t.Errorf("-quiet: %+v", quiet)
	}
	if again := invoke(t, dir, "-data", "spirals", "-out", "mine", "-quiet"); again.code != cli.ExitFailed || !strings.Contains(again.stderr, "holds a run already") {
		t.Errorf("a run over another: %+v", again)
	}
}

func TestProfileTellsWhereTheTimeWent(t *testing.T) {
	dir := t.TempDir()
	r := invoke(t, dir, "-data", "blobs", "-model", "20-32-10", "-epochs", "2", "-profile", "-out", "p")
	if r.code != cli.ExitDone {
		t.Fatalf("status %d: %s", r.code, r.stderr)
	}
	table := string(read(t, dir, "p", "profile.txt"))
	for _, want := range []string{"gradient of 128 examples", "evaluation of", "GFLOP/s", "dense1", "s in all"} {
		if !strings.Contains(table, want) || !strings.Contains(r.stderr, want) {
			t.Errorf("the profile does not say %q:\n%s", want, table)
		}
	}
	var trace struct{ TraceEvents []map[string]any }
	if err := json.Unmarshal(read(t, dir, "p", "trace.json"), &trace); err != nil {
		t.Fatal(err)
	}
	if len(trace.TraceEvents) < 100 {
		t.Errorf("the trace has %d events", len(trace.TraceEvents))
	}
	if again := invoke(t, dir, "-resume", "p", "-profile", "-quiet"); again.code != cli.ExitDone {
		t.Errorf("resumed: %+v", again)
	}
}

// Kernels of another processor are the same to rounding; of none, an error.
func TestKernelsByEnvironment(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-data", "blobs", "-model", "softmax", "-epochs", "1", "-quiet"}
	t.Setenv("SADDLE_CPU", "generic")
	if r := invoke(t, dir, args...); r.code != cli.ExitDone {
		t.Errorf("generic: %+v", r)
	}
	t.Setenv("SADDLE_CPU", "sse2")
	want := "train: kernel: SADDLE_CPU is \"sse2\"; allowed are generic, avx2 and avx512\n"
	if r := invoke(t, t.TempDir(), args...); r.code != cli.ExitFailed || r.stdout != "" || r.stderr != want {
		t.Errorf("an unknown set of kernels: %+v, want %q before anything else", r, want)
	}
}

func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	csvFile := "a,b,kind\n" + strings.Repeat("0,1,x\n1,0,y\n", 20)
	if err := os.WriteFile(filepath.Join(dir, "t.csv"), []byte(csvFile), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"bad.csv": "a,b\n1\n", "one.csv": "a,kind\n1,x\n2,x\n3,x\n",
		"t.libsvm": strings.Repeat("+1 1:1 7:0.5\n-1 2:1 # no\n", 20), "bad.svm": "1 1:1\n-1 2:1 2:2\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	blobs := []string{"-data", "blobs", "-model", "softmax", "-epochs", "1", "-quiet"}
	for _, c := range []struct {
		args string
		code int
		want string // in stdout or stderr
	}{
		{"-h", cli.ExitDone, "usage: train"},
		{"-list", cli.ExitDone, "autoencoder"},
		{"-opt list", cli.ExitDone, "nesterov=false"},
		{"-data t.csv -model softmax -epochs 20 -min-acc 1 -batch 4", cli.ExitDone, "test accuracy 100.00 %"},
		{"-data t.libsvm -model softmax -epochs 20 -min-acc 1 -batch 4", cli.ExitDone, "test accuracy 100.00 %"},
		{"-data bad.svm", cli.ExitFailed, "line 2, column 8"},
		{"-data mushrooms -epochs 2 -min-acc 0.9", cli.ExitDone, "test accuracy 9"},
		{"-min-acc 1", exitAccuracy, "below the 1 of -min-acc"},
		{"-data bad.csv", cli.ExitFailed, "bad.csv: "},
		{"-data none.csv", cli.ExitFailed, "none.csv"},
		{"-data mnist -data-dir " + filepath.Join(dir, "nothing"), cli.ExitFailed, "nothing"},
		{"-resume nowhere", cli.ExitFailed, "not the directory of a run"},
		{"-opt sgd:lr=1e38 -epochs 3", cli.ExitFailed, "step "},
		{"-opt adm", cli.ExitUsage, `did you mean "adam"?`},
		{"-opt adam:beta3=1", cli.ExitUsage, "beta1"},
		{"-opt adam:beta1=1", cli.ExitUsage, "[0, 1)"},
		{"-opt sgd:nesterov", cli.ExitUsage, "momentum"},
		{"-opt hf -lr 1", cli.ExitUsage, "hf has no lr"},
		{"-opt hf -schedule cosine", cli.ExitUsage, "no learning rate"},
		{"-opt adam+cosine -schedule cosine", cli.ExitUsage, "already"},
		{"-schedule cosin", cli.ExitUsage, `did you mean "cosine"?`},
		{"-model lenett", cli.ExitUsage, `did you mean "lenet"?`},
		{"-model 3-4", cli.ExitUsage, "begin with 20"},
		{"-model lenet", cli.ExitUsage, "images"},
		{"-data lse -model lse:rho=0.5,init=ones -epochs 2", cli.ExitDone, "loss "},
		{"-data lse -model lse -batch 10", cli.ExitFailed, "must be all 500"},
		{"-data a9a -model logistic:l3=1", cli.ExitUsage, `did you mean "l2"?`},
		{"-model logistic", cli.ExitUsage, "two classes apart, the data has 10 classes"},
		{"-data a9a -model lse", cli.ExitUsage, "targets are numbers"},
		{"-data lse -model lse -min-acc 1", cli.ExitUsage, "has no accuracy"},
		{"-model autoencoder", cli.ExitUsage, "[0, 1]"},
		{"-data mnits", cli.ExitUsage, `did you mean "mnist"?`},
		{"-modle mlp", cli.ExitUsage, "did you mean -model?"},
		{"-precision float16", cli.ExitUsage, "float32 and float64"},
		{"-epochs 0", cli.ExitUsage, "-epochs is 0"},
		{"-batch -1", cli.ExitUsage, "-batch is -1"},
		{"-limit 0", cli.ExitUsage, "-limit is 0"},
		{"-threads 0", cli.ExitUsage, "-threads is 0"},
		{"-threads 1025", cli.ExitUsage, "1 to 1024"},
		{"-epochs 9223372036854775807", cli.ExitUsage, "1 to 1000000000"},
		{"-epochs 99999999999999999999", cli.ExitUsage, `-epochs is "99999999999999999999"; allowed are whole numbers`},
		{"-seed -1", cli.ExitUsage, "0 to 18446744073709551615"},
		{"-quiet=maybe", cli.ExitUsage, "true and false"},
		{"-lr -1", cli.ExitUsage, "-lr is -1"},
		{"-lr Inf", cli.ExitUsage, "-lr is +Inf"},
		{"-lr 0.1 -opt sgd:lr=0.2", cli.ExitUsage, "-lr 0.1 beside -opt sgd:lr=0.2"},
		{"-weight-decay NaN", cli.ExitUsage, "-weight-decay is NaN"},
		{"-weight-decay 1 -opt sgd:weight_decay=0.2", cli.ExitUsage, "which sets weight_decay already"},
		{"-clip Inf", cli.ExitUsage, "-clip is +Inf"},
		{"-data-dir /", cli.ExitUsage, "needs no files"},
		{"-data one.csv", cli.ExitFailed, `the one class "x"`},
		{"-data none.CSV.GZ", cli.ExitFailed, "none.CSV.GZ"},
		{"-limit 2 -val 0.1", cli.ExitUsage, "leaves one part empty"},
		{"-val 1", cli.ExitUsage, "-val is 1"},
		{"-min-acc 97", cli.ExitUsage, "0 to 1"},
		{"-snapshots evry=3", cli.ExitUsage, `did you mean "every"?`},
		{"-snapshots every", cli.ExitUsage, `every is ""; allowed are whole numbers from 1 on`},
		{"-snapshots log=1", cli.ExitUsage, "whole numbers from 2 on"},
		{"-snapshots epoch=2", cli.ExitUsage, "true and false"},
		{"-snapshots log=2000", cli.ExitFailed, "allowed are 2 to "},
		{"-resume runs -snapshots epoch", cli.ExitUsage, "-snapshots is not allowed"},
		{"-lr-find -snapshots epoch", cli.ExitUsage, "-lr-find tries"},
		{"-clip 0", cli.ExitUsage, "-clip is 0"},
		{"-clip NaN", cli.ExitUsage, "-clip is NaN"},
		{"-lr x", cli.ExitUsage, `-lr is "x"; allowed are numbers`},
		{"-resume runs -seed 1", cli.ExitUsage, "-seed is not allowed"},
		{"mlp", cli.ExitUsage, `unexpected argument "mlp"`},
	} {
		args := strings.Fields(c.args)
		if c.args[0] == '-' && args[0] != "-resume" {
			args = append(append([]string{}, blobs...), args...)
		}
		r := invoke(t, dir, args...)
		if r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.want) {
			t.Errorf("%s: status %d, want %d with %q\n%s%s", c.args, r.code, c.code, c.want, r.stdout, r.stderr)
		}
		if c.code == cli.ExitUsage && (r.stdout != "" || !strings.Contains(r.stderr, "-h")) {
			t.Errorf("%s: a usage error is a note on stderr that names -h: %+v", c.args, r)
		}
	}
	// What fails before it begins leaves no directory.
	if left, _ := filepath.Glob(filepath.Join(dir, "runs", "*")); len(left) > 6 {
		t.Errorf("directories are left: %v", left)
	}
}

// An empty word is what a shell makes of a variable that is not set: no flag
// takes it for nothing at all.
func TestEmptyValuesAreUsageErrors(t *testing.T) {
	for _, name := range []string{"data", "data-dir", "model", "opt", "group", "schedule", "precision", "out", "resume", "watch", "snapshots"} {
		r := invoke(t, t.TempDir(), "-data", "blobs", "-epochs", "1", "-"+name, "")
		if r.code != cli.ExitUsage || !strings.Contains(r.stderr, "-"+name+" is empty") {
			t.Errorf("-%s '': %+v", name, r)
		}
	}
}

// What stands where the run is to be stays there.
func TestOutLeavesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(file, []byte("mine"), 0o666), os.Mkdir(filepath.Join(dir, "empty"), 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"-out file", "-out " + filepath.Join("file", "below"), "-out empty -model nil", "-resume file", "-resume empty", "-out empty -opt sgd:lr=1e38"} {
		r := invoke(t, dir, append([]string{"-data", "blobs", "-quiet"}, strings.Fields(args)...)...)
		if strings.HasPrefix(args, "-resume") {
			r = invoke(t, dir, strings.Fields(args)...)
		}
		if r.code == cli.ExitDone || r.stderr == "" {
			t.Errorf("%s: %+v", args, r)
		}
		if string(read(t, file)) != "mine" {
			t.Fatalf("%s: the file has changed", args)
		}
		if _, err := os.Stat(filepath.Join(dir, "empty")); err != nil {
			t.Fatalf("%s: %v", args, err)
		}
	}
}

// keys are the fields of a JSON object in their order.
func keys(t *testing.T, text []byte) (list []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, key.(string))
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// The files of a run have these fields, by these names and in this order.
func TestFieldsOfResultAndMetrics(t *testing.T) {
	dir := t.TempDir()
	text := "a,b,c,kind\n" + strings.Repeat("0,1,0.5,x\n1,0,0.25,y\n0.5,0.5,1,x\n", 20)
	if err := os.WriteFile(filepath.Join(dir, "unit.csv"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, result, metrics, stdout string }{
		{"-data blobs",
			"data model optimizer parameters seed epochs steps train_loss train_accuracy test_loss test_accuracy work gradients train_seconds seconds",
			"epoch,step,lr,train_loss,train_accuracy,test_loss,test_accuracy,seconds,examples_per_second,work", "test accuracy "},
		{"-data blobs -val 0.2",
			"data model optimizer parameters seed epochs steps train_loss train_accuracy val_loss val_accuracy test_loss test_accuracy work gradients train_seconds seconds",
			"epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,test_loss,test_accuracy,seconds,examples_per_second,work", "test accuracy "},
		{"-data unit.csv -model autoencoder -val 0.2 -opt sgd",
			"data model optimizer parameters seed epochs steps train_loss train_squared_error val_loss val_squared_error test_loss test_squared_error work gradients train_seconds seconds",
			"epoch,step,lr,train_loss,train_squared_error,val_loss,val_squared_error,test_loss,test_squared_error,seconds,examples_per_second,work", "test squared error "},
	} {
		out := filepath.Join(dir, "run")
		r := invoke(t, dir, append(strings.Fields(c.args), "-epochs", "1", "-quiet", "-out", out)...)
		if r.code != cli.ExitDone || !strings.HasPrefix(r.stdout, c.stdout) {
			t.Fatalf("%s: %+v", c.args, r)
		}
		if got := strings.Join(keys(t, read(t, out, "result.json")), " "); got != c.result {
			t.Errorf("%s: result.json has\n%s, want\n%s", c.args, got, c.result)
		}
		if got, _, _ := strings.Cut(string(read(t, out, "metrics.csv")), "\n"); got != c.metrics {
			t.Errorf("%s: metrics.csv has\n%s, want\n%s", c.args, got, c.metrics)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
}

// A run on a file may be resumed from any directory, but not on other data.
func TestResumeOfARunOnAFile(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	text := "a,b,kind\n" + strings.Repeat("0,1,x\n1,0,y\n", 20)
	path := filepath.Join(dir, "t.csv")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, dir, "-data", "t.csv", "-epochs", "2", "-out", "run", "-quiet"); r.code != cli.ExitDone {
		t.Fatalf("%+v", r)
	}
	run := filepath.Join(dir, "run")
	weights := string(read(t, run, "last.safetensors"))
	// One that has ended is told of again, and stays as it is.
	if r := invoke(t, other, "-resume", run, "-quiet", "-min-acc", "0.9"); r.code != cli.ExitDone || !strings.HasPrefix(r.stdout, "test accuracy 100.00 %") || string(read(t, run, "last.safetensors")) != weights {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, "1,0,y", "1,0.001,y", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, other, "-resume", run, "-quiet"); r.code != cli.ExitFailed || !strings.Contains(r.stderr, "data is not what it was") {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(filepath.Join(run, "config.json"), []byte(`{"format":1,"settings":{"opt":"adam","precision":"float8"}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, other, "-resume", run, "-quiet"); r.code != cli.ExitFailed || !strings.Contains(r.stderr, "float8") || !strings.Contains(r.stderr, "config.json") {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(filepath.Join(run, "config.json"), []byte(`{"format":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, other, "-resume", run, "-quiet"); r.code != cli.ExitFailed || !strings.Contains(r.stderr, "another program") {
		t.Errorf("%+v", r)
	}
}

// The flags together spell one optimizer, which config.json keeps.
func TestFlagsSpellAnOptimizer(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "adam+onecycle:max_lr=0.005",
		"-schedule onecycle":    "adam+onecycle:max_lr=0.005",
		"-lr 0.01":              "adam:lr=0.01+onecycle",
		"-opt adam:lr=0.01":     "adam:lr=0.01+onecycle",
		"-schedule cosine":      "adam+cosine",
		"-opt sgd:momentum=0.9": "sgd:momentum=0.9+onecycle:max_lr=0.05",
		"-opt sgd -lr 0.2 -schedule constant -clip 1 -weight-decay 1e-4": "sgd:lr=0.2,weight_decay=0.0001+clip:norm=1+constant",
		"-schedule onecycle:pct_start=0.1":                               "adam+onecycle:pct_start=0.1,max_lr=0.005",
		"-schedule onecycle:max_lr=0.1":                                  "adam+onecycle:max_lr=0.1",
		"-opt adam+cosine":                                               "adam+cosine",
		"-schedule cosine:warmup=500,final=0.01":                         "adam+cosine:warmup=500,final=0.01",
		"-schedule onecycle:unit=epoch":                                  "adam+onecycle:unit=epoch,max_lr=0.005",
		"-opt adamw -schedule chained:schedules=cosine/sutskever":        "adamw+chained:schedules=cosine/sutskever",
		"-opt hf": "hf",
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

// Threads and progress say nothing about the result; the seed does.
func TestSeedAloneDeterminesTheWeights(t *testing.T) {
	dir := t.TempDir()
	weights := func(out string, args ...string) string {
		args = append(args, "-data", "blobs", "-epochs", "2", "-quiet", "-out", out)
		if r := invoke(t, dir, args...); r.code != cli.ExitDone {
			t.Fatalf("%v: %+v", args, r)
		}
		return string(read(t, dir, out, "last.safetensors"))
	}
	one := weights("a", "-seed", "4", "-threads", "1")
	if one != weights("b", "-seed", "4", "-threads", "3") {
		t.Error("the weights depend on the number of threads")
	}
	if one == weights("c", "-seed", "5") {
		t.Error("the weights do not depend on the seed")
	}
	if one == weights("d", "-seed", "4", "-limit", "1000") {
		t.Error("-limit does nothing")
	}
	if one == weights("e", "-seed", "4", "-precision", "float64") {
		t.Error("-precision does nothing")
	}
}
