package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// trained makes a run on spirals, as cmd/train does.
func trained(t *testing.T) string {
	t.Helper()
	return trainedAs(t, "2-12-10-3", 1, nil)
}

// built is a model of spirals with its first weights.
func built[T train.Float](t *testing.T, model string, seed uint64) (*task.Task, *nn.Model[T], task.Spec) {
	t.Helper()
	s := task.Spec{Data: "spirals", Model: model, Precision: "float32", Seed: seed}
	d, err := task.Load(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := task.Build[T](d, s)
	if err != nil {
		t.Fatal(err)
	}
	return d, m, s
}

// trainedAs makes a run of a model and a seed, with other settings by change.
func trainedAs(t *testing.T, model string, seed uint64, change func(c *train.Config, m *nn.Model[float32])) string {
	t.Helper()
	d, m, s := built[float32](t, model, seed)
	c := train.Config{Optimizer: &optimizers.Adam{LR: 0.01}, Epochs: 2, Batch: 50, Test: d.Test, Dir: filepath.Join(t.TempDir(), "run"), Settings: s, Data: "spirals", Model: s.Model}
	if change != nil {
		change(&c, m)
	}
	if _, err := train.Fit(context.Background(), m, d.Train, c); err != nil {
		t.Fatal(err)
	}
	return c.Dir
}

// call runs the command and gives its status and both streams.
func call(ctx context.Context, args ...string) (int, string, string) {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func expectFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".partial*")); len(left) > 0 {
		t.Errorf("half-written: %v", left)
	}
}

func TestSpectrum(t *testing.T) {
	dir := trained(t)
	args := []string{"spectrum", dir, "-examples", "300", "-layers", "-top", "4", "-steps", "20", "-probes", "3"}
	code, out, errs := call(context.Background(), args...)
	if code != cli.ExitDone {
		t.Fatalf("status %d: %s", code, errs)
	}
	for _, want := range []string{"Hessian of 199 parameters", "Gauss-Newton", "trace", "dense1", "saved in"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	folder := filepath.Join(dir, "landscape")
	expectFiles(t, folder, "spectrum.json", "eigenvalues.csv", "layers.csv", "density-hessian.png", "density-hessian.svg", "density-hessian.csv",
		"density-ggn.png", "eigenvectors-hessian.safetensors")
	var r spectrumResult
	b, err := os.ReadFile(filepath.Join(folder, "spectrum.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &r); err != nil || !r.Done || len(r.Matrices) != 2 || len(r.Matrices[0].Layers) != 3 {
		t.Errorf("%v: %+v", err, r)
	}
	// The same again is there already.
	if code, again, _ := call(context.Background(), args...); code != cli.ExitDone || again != out {
		t.Errorf("status %d, again:\n%s", code, again)
	}
}

// An interrupted measurement keeps what was done and goes on with the rest: here
// the file of one that has done the eigenvalues only.
func TestInterruptedResultsGoOn(t *testing.T) {
	dir := trained(t)
	path := filepath.Join(dir, "landscape", "spectrum.json")
	args := []string{"spectrum", dir, "-examples", "200", "-top", "3", "-steps", "10", "-probes", "2", "-matrix", "hessian"}
	code, whole, errs := call(context.Background(), args...)
	if code != cli.ExitDone {
		t.Fatalf("status %d: %s", code, errs)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r spectrumResult
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	r.Done, r.Matrices[0].Trace, r.Matrices[0].Density = false, nil, nil
	r.Matrices[0].Largest.Products = 1234 // shows that it is not done again
	if b, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code, _, errs := call(ctx, args...); code != cli.ExitInterrupted {
		t.Errorf("interrupted: status %d, %s", code, errs)
	}
	code, again, errs := call(context.Background(), args...)
	if code != cli.ExitDone {
		t.Fatalf("status %d: %s", code, errs)
	}
	if !strings.Contains(again, "1234 products") || len(again) < len(whole)-10 {
		t.Errorf("from the beginning:\n%s\ngone on:\n%s", whole, again)
	}
	// Other settings are made anew.
	if code, out, errs := call(context.Background(), append(args, "-seed", "7")...); code != cli.ExitDone || strings.Contains(out, "1234") || !strings.Contains(errs, "other settings") {
		t.Errorf("status %d: %s\n%s", code, out, errs)
	}
}

func TestSymmetry(t *testing.T) {
	dir := trained(t)
	code, out, errs := call(context.Background(), "symmetry", dir, "-examples", "100")
	if code != cli.ExitDone || !strings.Contains(out, "translation") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	expectFiles(t, filepath.Join(dir, "landscape"), "symmetry.json", "symmetry.csv")
}

func TestWrongUsage(t *testing.T) {
	dir := trained(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, cli.ExitUsage, "no measurement given"},
		{[]string{"spectum", dir}, cli.ExitUsage, `did you mean "spectrum"?`},
		{[]string{"spectrum"}, cli.ExitUsage, "0 runs given"},
		{[]string{"spectrum", dir, "-matrix", "hessan"}, cli.ExitUsage, `did you mean "hessian"?`},
		{[]string{"spectrum", dir, "-examples", "0"}, cli.ExitUsage, "-examples is 0"},
		{[]string{"spectrum", dir, "-examples", "100000"}, cli.ExitUsage, "the training set has"},
		{[]string{"spectrum", dir, "-top", "0"}, cli.ExitUsage, "-top 0"},
		{[]string{"spectrum", dir, "-top", "99999999"}, cli.ExitUsage, "parameters, and as many eigenvalues"},
		{[]string{"path", dir, "-to", filepath.Join(dir, "none")}, cli.ExitFailed, "nor another"},
		{[]string{"spectrum", dir, "-exampels", "3"}, cli.ExitUsage, "did you mean -examples?"},
		{[]string{"spectrum", dir, "-checkpoint", "best"}, cli.ExitFailed, "there is no checkpoint"},
		{[]string{"spectrum", t.TempDir()}, cli.ExitFailed, "not the directory of a run"},
	} {
		code, _, errs := call(context.Background(), c.args...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: status %d, %q; want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}

func TestPath(t *testing.T) {
	a, b := trained(t), trained(t)
	folder := filepath.Join(a, "landscape")
	code, out, errs := call(context.Background(), "path", a, "-points", "9")
	if code != cli.ExitDone || !strings.Contains(out, "Gauss length") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	expectFiles(t, folder, "path.json", "path.csv", "path.png", "path.svg")
	code, out, errs = call(context.Background(), "path", a, "-to", b, "-points", "5", "-examples", "100")
	if code != cli.ExitDone || !strings.Contains(out, "distance after matching 0") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	expectFiles(t, folder, "path-to-run.json", "path-to-run.png")
	code, out, errs = call(context.Background(), "path", a, "-to", b, "-points", "5", "-examples", "50", "-curve", "bezier", "-curve-steps", "20")
	if code != cli.ExitDone || !strings.Contains(out, "training loss, matched, bezier") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	for args, want := range map[string]string{"-curve bezier": "-to names the other", "-curve bezer -to " + b: `did you mean "bezier"?`, "-curve polygon -curve-lr 0 -to " + b: "numbers above 0",
		"-curve-steps 9": "-curve bezier or"} {
		if code, _, errs := call(context.Background(), append([]string{"path", a}, strings.Fields(args)...)...); code != cli.ExitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d: %s", args, code, errs)
		}
	}
	if code, _, errs := call(context.Background(), "path", a, "-to", t.TempDir()); code != cli.ExitFailed || !strings.Contains(errs, "no checkpoint") {
		t.Errorf("status %d: %s", code, errs)
	}
}

func TestSurface(t *testing.T) {
	a, b := trained(t), trained(t)
	folder := filepath.Join(a, "landscape")
	for _, more := range [][]string{{}, {"-directions", "eigen", "-range", "0.5"}, {"-directions", "gradient", "-scale", "layer"},
		{"-directions", "runs", "-to", filepath.Join(b, "best.safetensors") + "," + b}} {
		args := append([]string{"surface", a, "-points", "5", "-examples", "100"}, more...)
		code, out, errs := call(context.Background(), args...)
		if len(more) > 1 && more[1] == "runs" { // best is not there without validation
			if code != cli.ExitFailed {
				t.Errorf("%v: status %d: %s", more, code, out)
			}
			continue
		}
		if code != cli.ExitDone || !strings.Contains(out, "5 x 5 losses") {
			t.Errorf("%v: status %d: %s\n%s", more, code, out, errs)
		}
	}
	expectFiles(t, folder, "surface.json", "surface.csv", "surface-map.png", "surface-map.svg", "surface-3d.png", "surface.html")
	page, err := os.ReadFile(filepath.Join(folder, "surface.html"))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(page); strings.Contains(s, "http") || !strings.Contains(s, `"loss":[`) {
		t.Error("the page reads from the network, or has no losses")
	}
	for args, want := range map[string]string{
		"-directions randm":                `did you mean "random"?`,
		"-scale filtre":                    `did you mean "filter"?`,
		"-directions runs":                 "needs two runs",
		"-points 1":                        "-points 1",
		"-range -1":                        "-range -1",
		"-directions checkpoints -to " + b: "needs two checkpoints and more",
	} {
		code, _, errs := call(context.Background(), append([]string{"surface", a}, strings.Fields(args)...)...)
		if code != cli.ExitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: status %d, %s", args, code, errs)
		}
	}
}

// Eigenvectors that spectrum has saved are where the search for directions begins; of
// another model they are left, with a word.
func TestSavedEigenvectorsAreDirections(t *testing.T) {
	dir := trained(t)
	args := []string{"surface", dir, "-directions", "eigen", "-points", "3", "-examples", "100"}
	measured(t, args...)
	_, anew := readTable(t, dir, "landscape", "surface.csv")
	measured(t, "spectrum", dir, "-examples", "100", "-top", "3", "-matrix", "hessian", "-probes", "2", "-steps", "5")
	if err := os.Remove(filepath.Join(dir, "landscape", "surface.json")); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call(context.Background(), args...)
	if code != cli.ExitDone || !strings.Contains(errs, "beginning with the eigenvectors that spectrum has saved") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	_, again := readTable(t, dir, "landscape", "surface.csv")
	// The directions are the same up to signs and the tolerance of the search.
	if a, b := slices.Sorted(slices.Values(anew["loss"])), slices.Sorted(slices.Values(again["loss"])); math.Abs(a[8]-b[8]) > 0.02*a[8] || a[0] != b[0] {
		t.Errorf("losses %v, from the saved eigenvectors %v", a, b)
	}
	if err := landscape.SaveVectors(filepath.Join(dir, "landscape", "eigenvectors-hessian.safetensors"), []landscape.Eigenpair{{Vector: []float64{1, 2}}}); err != nil {
		t.Fatal(err)
	}
	code, _, errs = call(context.Background(), append(args, "-seed", "3")...)
	if code != cli.ExitDone || !strings.Contains(errs, "vector0 has shape [2]") {
		t.Errorf("status %d: %s", code, errs)
	}
}

// weightsOf are saved beside a run after a change.
func weightsOf(t *testing.T, dir, name string, change func(x []float32)) string {
	t.Helper()
	_, m, _ := built[float32](t, "2-12-10-3", 1)
	if _, err := train.LoadWeights(filepath.Join(dir, "last.safetensors"), m); err != nil {
		t.Fatal(err)
	}
	change(m.Params)
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Save(f, nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// Around weights that have diverged there is no landscape, and nothing is written of it.
func TestDivergedWeights(t *testing.T) {
	dir := trained(t)
	broken := weightsOf(t, dir, "broken.safetensors", func(x []float32) { x[3] = float32(math.NaN()) })
	huge := weightsOf(t, dir, "huge.safetensors", func(x []float32) {
		for i := range x {
			x[i] *= 1e25
		}
	})
	zero := weightsOf(t, dir, "zero.safetensors", func(x []float32) { clear(x) })
	for _, c := range []struct{ name, file, want string }{
		{"spectrum", broken, "dense1.weight is NaN at element 3"}, {"surface", broken, "dense1.weight is NaN"}, {"path", broken, "dense1.weight is NaN"},
		{"symmetry", broken, "dense1.weight is NaN"}, {"sharpness", broken, "dense1.weight is NaN"}, {"noise", broken, "dense1.weight is NaN"}, {"features", broken, "dense1.weight is NaN"},
		{"spectrum", huge, "the loss at the weights is"}, {"surface", huge, "the loss at the weights is"}, {"path", huge, "the loss at the weights is"},
		{"sharpness", huge, "the loss at the weights is"}, {"noise", huge, "the loss at the weights is"},
		{"surface", zero, "parallel, or one is 0"}, {"sharpness", zero, "all weights are 0"},
	} {
		out := t.TempDir()
		code, _, errs := call(context.Background(), c.name, dir, "-checkpoint", c.file, "-examples", "50", "-out", out)
		if code != cli.ExitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%s of %s: status %d: %s; want %q", c.name, filepath.Base(c.file), code, errs, c.want)
		}
		if left, _ := filepath.Glob(filepath.Join(out, "*")); left != nil {
			t.Errorf("%s of %s: left %v", c.name, filepath.Base(c.file), left)
		}
	}
}

// Where losses far from the weights overflow the picture does without them.
func TestSurfaceThatOverflows(t *testing.T) {
	dir := trained(t)
	code, out, errs := call(context.Background(), "surface", dir, "-points", "5", "-examples", "50", "-range", "1e20")
	if code != cli.ExitDone || !strings.Contains(out, "are not finite and not drawn") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	_, column := readTable(t, dir, "landscape", "surface.csv")
	if v := column["loss"]; !math.IsInf(v[0], 1) || !(v[12] < 10) {
		t.Errorf("losses %v", v)
	}
}

func TestTablesAndReport(t *testing.T) {
	dir := trained(t)
	folder := filepath.Join(dir, "landscape")
	if code, _, errs := call(context.Background(), "report", dir); code != cli.ExitFailed || !strings.Contains(errs, "no measurements yet") {
		t.Errorf("status %d: %s", code, errs)
	}
	for _, c := range []struct{ name, want string }{{"sharpness", "worst rise, adaptive"}, {"noise", "noise scale"}, {"features", "rank of the Jacobian"}, {"symmetry", "rescale"}} {
		code, out, errs := call(context.Background(), c.name, dir, "-examples", "60")
		if code != cli.ExitDone || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d: %s\n%s", c.name, code, out, errs)
		}
		expectFiles(t, folder, c.name+".json", c.name+".csv")
		if _, again, _ := call(context.Background(), c.name, dir, "-examples", "60"); again != out {
			t.Errorf("%s, again:\n%s", c.name, again)
		}
	}
	if code, out, errs := call(context.Background(), "path", dir, "-points", "5", "-examples", "60"); code != cli.ExitDone {
		t.Errorf("status %d: %s\n%s", code, out, errs)
	}
	code, out, errs := call(context.Background(), "report", dir)
	if code != cli.ExitDone || !strings.Contains(out, "5 sections") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	page, err := os.ReadFile(filepath.Join(folder, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(page); strings.Contains(s, "http") || !strings.Contains(s, "data:image/png;base64,") || !strings.Contains(s, "noise scale") {
		t.Error("the page reads from the network, or lacks a picture or a table")
	} else if !strings.Contains(s, "<td></td><td>of gradients of single examples</td>") {
		t.Error("a number without a standard error does not have an empty cell for it")
	}
	if code, _, errs := call(context.Background(), "sharpness", dir, "-radius", "0"); code != cli.ExitUsage || !strings.Contains(errs, "-radius 0") {
		t.Errorf("status %d: %s", code, errs)
	}
}

// A run that was watched has pictures of what it would have conserved.
func TestWatchedSymmetryIsDrawn(t *testing.T) {
	dir := trainedAs(t, "2-6-3", 1, func(c *train.Config, m *nn.Model[float32]) {
		c.Optimizer, c.Epochs = &optimizers.SGD{LR: 0.1, WeightDecay: 0.01}, 1
		w, err := landscape.NewSymmetryWatch(m, c.Optimizer, 4)
		if err != nil {
			t.Fatal(err)
		}
		c.Watch = []train.Watcher{w}
	})
	code, out, errs := call(context.Background(), "symmetry", dir, "-examples", "20")
	if code != cli.ExitDone || !strings.Contains(out, "symmetry-translation.png, symmetry-rescale.png") {
		t.Fatalf("status %d: %s\n%s", code, out, errs)
	}
	expectFiles(t, filepath.Join(dir, "landscape"), "symmetry-translation.png", "symmetry-translation.svg", "symmetry-rescale.png", "symmetry-rescale.svg")
}

// A run with normalisation has a picture and numbers of its effective rates as well.
func TestWatchedEffectiveRatesAreDrawn(t *testing.T) {
	for _, model := range []string{"mlp:batchnorm", "mlp:layernorm"} {
		dir := trainedAs(t, model, 1, func(c *train.Config, m *nn.Model[float32]) {
			c.Optimizer, c.Epochs = &optimizers.SGD{LR: 0.02, WeightDecay: 0.01}, 3
			w, err := landscape.NewSymmetryWatch(m, c.Optimizer, 2)
			if err != nil {
				t.Fatal(err)
			}
			c.Watch = []train.Watcher{w}
		})
		code, out, errs := call(context.Background(), "symmetry", dir, "-examples", "20")
		if code != cli.ExitDone || !strings.Contains(out, "symmetry-rates.png") {
			t.Fatalf("status %d: %s\n%s", code, out, errs)
		}
		folder := filepath.Join(dir, "landscape")
		expectFiles(t, folder, "symmetry-scale.png", "symmetry-rescale.png", "symmetry-rates.png", "symmetry-rates.svg")
		f, err := os.Open(filepath.Join(folder, "symmetry-rates.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil || len(rows) != 2 || rows[1][0] != "dense1" {
			t.Fatalf("%v (%v)", rows, err)
		}
		if off, err := strconv.ParseFloat(rows[1][4], 64); err != nil || !(off <= 0.01) {
			t.Errorf("%s: the law is off by %s (%v)", model, rows[1][4], err)
		}
		if code, out, errs := call(context.Background(), "report", dir); code != cli.ExitDone || !strings.Contains(out, "1 sections") {
			t.Errorf("status %d: %s\n%s", code, out, errs)
		}
	}
}
