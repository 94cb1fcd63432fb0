package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// normedRun is a run of a network with batch normalisation.
func normedRun(t *testing.T, seed uint64) string {
	t.Helper()
	return trainedAs(t, "2-12-10-3:batchnorm", seed, func(c *train.Config, _ *nn.Model[float32]) { c.Epochs = 10 })
}

// trainedModel is the model of such a run, of the seed 1, and its data.
func trainedModel[T train.Float](t *testing.T, dir string) (*task.Task, *nn.Model[T]) {
	t.Helper()
	d, m, _ := built[T](t, "2-12-10-3:batchnorm", 1)
	if _, err := train.LoadWeights(filepath.Join(dir, "last.safetensors"), m); err != nil {
		t.Fatal(err)
	}
	return d, m
}

// measured runs a measurement that must be done.
func measured(t *testing.T, args ...string) {
	t.Helper()
	if code, out, errs := call(context.Background(), args...); code != cli.ExitDone {
		t.Fatalf("%v: status %d: %s\n%s", args, code, out, errs)
	}
}

// At weights that were saved, their statistics fit; between two runs they do not,
// and what looks like a barrier is lower with those of the point.
func TestPathWithFrozenStatistics(t *testing.T) {
	a, b := normedRun(t, 1), normedRun(t, 2)
	line := func(word ...string) map[string][]float64 {
		measured(t, append([]string{"path", a, "-to", b, "-points", "5"}, word...)...)
		_, column := readTable(t, a, "landscape", "path-to-run.csv")
		return column
	}
	frozen, anew := line("-batchnorm", "frozen"), line("-batchnorm", "reestimated")
	for name, loss := range frozen {
		if name == "alpha" {
			continue
		}
		for _, end := range []int{0, 4} {
			if r := loss[end] / anew[name][end]; math.Abs(math.Log(r)) > 0.1 {
				t.Errorf("%s at the end %d: frozen %v, re-estimated %v", name, end, loss[end], anew[name][end])
			}
		}
	}
	name := "training loss, as it is"
	if f, r := frozen[name][2], anew[name][2]; r > 0.9*f {
		t.Errorf("in the middle: frozen %v, re-estimated %v", f, r)
	}
	for name, loss := range line() {
		if !slices.Equal(loss, anew[name]) {
			t.Errorf("%s: what is not asked for is not re-estimated", name)
		}
	}
	measured(t, "path", a, "-points", "3") // the first weights have statistics of their own
}

// A net with batch normalisation has no Gauss length, and says so.
func TestNoGaussLengthOfBatchNormalisation(t *testing.T) {
	dir := normedRun(t, 1)
	const why = "depend on the others by batch normalisation"
	for range 2 { // measured, and recalled
		if code, out, errs := call(context.Background(), "path", dir, "-points", "3"); code != cli.ExitDone || !strings.Contains(out, "no Gauss length: ") || !strings.Contains(out, why) {
			t.Errorf("status %d: %s\n%s", code, out, errs)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "landscape", "path.json"))
	if err != nil || !strings.Contains(string(b), why) || strings.Contains(string(b), `"gauss_length"`) {
		t.Errorf("%v: %s", err, b)
	}
	if _, out, _ := call(context.Background(), "path", dir, "-points", "3", "-gauss-examples", "0"); strings.Contains(out, "Gauss length") {
		t.Errorf("it is not asked for: %s", out)
	}
}

// A curve that is trained with frozen statistics has them in proportion between those
// of its ends, where it is as the line is, and gets below the line.
func TestCurveWithFrozenStatistics(t *testing.T) {
	a, b := normedRun(t, 1), normedRun(t, 2)
	measured(t, "path", a, "-to", b, "-points", "5", "-batchnorm", "frozen", "-curve", "bezier", "-curve-steps", "200")
	_, column := readTable(t, a, "landscape", "path-to-run.csv")
	for _, kind := range []string{"training loss, as it is", "training loss, matched", "test loss, as it is", "test loss, matched"} {
		line, curve := column[kind], column[kind+", bezier"]
		for _, end := range []int{0, 4} {
			if math.Abs(curve[end]-line[end]) > 1e-6*line[end] { // roundings of float32
				t.Errorf("%s at the end %d: curve %v, line %v", kind, end, curve[end], line[end])
			}
		}
		if strings.HasPrefix(kind, "training") && curve[2] > 0.9*line[2] {
			t.Errorf("%s in the middle: curve %v, line %v", kind, curve[2], line[2])
		}
	}
}

// Directions are of the loss that is drawn: along the gradient its slope is the length
// of that, and along the eigenvector it bends by the eigenvalue.
func TestDirectionsWithFrozenStatistics(t *testing.T) {
	dir := normedRun(t, 1)
	d, m := trainedModel[float64](t, dir)
	p, err := landscape.At(m, d.Train, 0)
	if err != nil {
		t.Fatal(err)
	}
	length := landscape.Distance(m.Params, make([]float64, len(m.Params)))
	for _, word := range []string{"reestimated", "frozen"} {
		if word == "frozen" {
			if err := p.Freeze(m.Buffers, m.Buffers); err != nil {
				t.Fatal(err)
			}
		}
		section := func(directions string) []float64 {
			measured(t, "surface", dir, "-directions", directions, "-points", "3", "-range", "1e-5", "-batchnorm", word, "-precision", "float64")
			_, column := readTable(t, dir, "landscape", "surface-sections.csv")
			return column["training_loss"]
		}
		const h = 1e-5 // which few kinks of the relus are in
		g, _, err := p.Gradient()
		if err != nil {
			t.Fatal(err)
		}
		slope := landscape.Distance(g, make([]float64, len(g)))
		if l := section("gradient"); math.Abs((l[2]-l[0])/(2*h*length)-slope) > 1e-3*slope {
			t.Errorf("%s: slope %v along the gradient, whose length is %v", word, (l[2]-l[0])/(2*h*length), slope)
		}
		top, err := landscape.Eigen(context.Background(), p.Hessian(), landscape.EigenOptions{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		if l := section("eigen"); math.Abs((l[0]-2*l[1]+l[2])/(h*h)-top.Pairs[0].Value) > 1e-3*top.Pairs[0].Value {
			t.Errorf("%s: the loss bends by %v along the eigenvector of %v", word, (l[0]-2*l[1]+l[2])/(h*h), top.Pairs[0].Value)
		}
	}
}

// With frozen statistics the losses at the weights are those that were reported.
func TestSurfaceWithFrozenStatistics(t *testing.T) {
	dir := normedRun(t, 1)
	d, m := trainedModel[float32](t, dir)
	training, err := train.Evaluate(context.Background(), m, d.Train)
	if err != nil {
		t.Fatal(err)
	}
	test, err := train.Evaluate(context.Background(), m, d.Test)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want, tol float64) {
		t.Helper()
		if math.Abs(got-want) > tol*want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for word, tol := range map[string]float64{"frozen": 1e-5, "reestimated": 0.1} { // roundings of float32; running averages
		measured(t, "surface", dir, "-points", "3", "-batchnorm", word)
		_, plane := readTable(t, dir, "landscape", "surface.csv")
		near(word+", plane", plane["loss"][4], training.Loss, tol)
		n, sections := readTable(t, dir, "landscape", "surface-sections.csv")
		if n != 6 {
			t.Errorf("%d rows of sections", n)
		}
		for i, at := range sections["at"] {
			if at == 0 {
				near(word+", section", sections["training_loss"][i], training.Loss, tol)
				near(word+", section, test", sections["test_loss"][i], test.Loss, tol)
			}
		}
		// Along a the middle row of the plane, along b the middle column.
		for i, k := range []int{1, 4, 7, 3, 4, 5} {
			near(word+", section and plane", sections["training_loss"][i], plane["loss"][k], 1e-5)
		}
	}
	expectFiles(t, filepath.Join(dir, "landscape"), "surface-sections.png", "surface-sections.svg")
}

func TestWrongStatistics(t *testing.T) {
	plain, normed := trained(t), normedRun(t, 1)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"path", plain, "-batchnorm", "frozen"}, "model 2-12-10-3 has no batch normalisation"},
		{[]string{"path", plain, "-to", plain, "-batchnorm", "reestimated"}, "has no batch normalisation"},
		{[]string{"surface", plain, "-batchnorm", "frozen"}, "has no batch normalisation"},
		{[]string{"surface", normed, "-batchnorm", "frozn"}, `did you mean "frozen"?`},
		{[]string{"path", normed, "-batchnorm", "frozn"}, `did you mean "frozen"?`},
		{[]string{"path", normed, "-batchnorm", ""}, "-batchnorm is empty"},
	} {
		code, _, errs := call(context.Background(), c.args...)
		if code != cli.ExitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%v: status %d, %q; want %q", c.args[2:], code, errs, c.want)
		}
	}
}
