package experiments

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/optimizers"
)

func env(dir string) *Env { return &Env{Dir: dir, Note: func(string, ...any) {}} }

// claim is an experiment with these rows.
func claim(rows ...Row) *Experiment {
	return &Experiment{Name: "claim", About: "a claim", Paper: "A. Author 1999", Claim: "it is so", Differs: "nothing", Takes: "no time",
		Run: func(context.Context, *Env) (*Result, error) {
			return &Result{Rows: rows, Notes: []string{"seen once"}}, nil
		}}
}

func TestResultsStandBesideThePapers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	var b bytes.Buffer
	x := claim(Row{"loss", "0.10", 0.11, AtMost(0.12)}, Row{"accuracy", "", 0.5, Want{}}, Row{"ratio", "7", 4, AtLeast(5)}, Row{"none", "3", math.NaN(), Between(1, 4)})
	r, err := Run(context.Background(), x, env(dir), &b)
	if err != nil {
		t.Fatal(err)
	}
	if missed := r.Missed(); len(missed) != 2 || missed[0].What != "ratio" || missed[1].What != "none" {
		t.Errorf("missed %v", missed)
	}
	for _, want := range []string{"paper:   A. Author 1999", "claim:   it is so", "differs: nothing", "loss       0.10  0.11  at most 0.12  met", "accuracy      -   0.5\n", "ratio         7     4  at least 5    MISSED", "1 to 4        MISSED", "seen once"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the result lacks %q:\n%s", want, b.String())
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "result.csv"))
	if err != nil || !strings.HasPrefix(string(text), "what,paper,ours,wanted,met\nloss,0.10,0.11,at most 0.12,true\n") {
		t.Errorf("result.csv: %s (%v)", text, err)
	}
	other := env(dir)
	other.Seed = 1
	if _, err := Run(context.Background(), x, other, &b); err == nil || !strings.Contains(err.Error(), "begun with seed 0, now it is 1") {
		t.Errorf("another seed in the same directory: %v", err)
	}
	full := env(filepath.Join(t.TempDir(), "y"))
	full.Full = true
	var usage cli.UsageError
	if _, err := Run(context.Background(), x, full, &b); !errors.As(err, &usage) {
		t.Errorf("a longer form that is not there: %v", err)
	}
}

func TestTolerances(t *testing.T) {
	for _, c := range []struct {
		want Want
		x    float64
		met  bool
	}{{AtMost(2), 2, true}, {AtMost(2), 2.1, false}, {AtLeast(2), 2, true}, {AtLeast(2), 1.9, false}, {Between(1, 2), 1, true}, {Between(1, 2), 2, true},
		{Between(1, 2), 0.9, false}, {Want{}, math.NaN(), true}, {AtMost(2), math.NaN(), false}, {AtLeast(2), math.Inf(1), true}} {
		if c.want.Met(c.x) != c.met {
			t.Errorf("%v %s: met %v", c.x, c.want, !c.met)
		}
	}
	fine := AtMost(0.10345).Digits(6)
	if fine.String() != "at most 0.10345" || fine.Number(0.103477) != "0.103477" || fine.Met(0.103477) || Between(1, 2).Digits(3).String() != "1 to 2" {
		t.Errorf("with more digits: %s, %s", fine, fine.Number(0.103477))
	}
	for v, want := range map[float64]string{0.000343: "3.43e-4", 1.5e-10: "1.50e-10", 35.251: "35.25", -0.0001: "-1.00e-4", 0: "0", 157: "157"} {
		if got := Number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func TestStepsAreKept(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	step := func() ([]float64, error) {
		calls++
		if calls == 1 {
			return nil, errors.New("no luck")
		}
		return []float64{1, 2}, nil
	}
	if _, err := Keep(ctx, env(dir), "a", step); err == nil || err.Error() != "no luck" {
		t.Errorf("the step's error is %v", err)
	}
	for range 3 {
		if v, err := Keep(ctx, env(dir), "a", step); err != nil || len(v) != 2 || v[1] != 2 {
			t.Errorf("%v (%v)", v, err)
		}
	}
	if calls != 2 {
		t.Errorf("the step was done %d times", calls-1)
	}
	if _, err := Keep(ctx, env(dir), "b", func() (float64, error) { return math.NaN(), nil }); err == nil {
		t.Error("a NaN was kept")
	}
	if err := os.WriteFile(filepath.Join(dir, "steps", "c.json"), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Keep(ctx, env(dir), "c", step); err == nil || !strings.Contains(err.Error(), "c.json") {
		t.Errorf("a damaged step: %v", err)
	}
	cancel()
	if _, err := Keep(ctx, env(dir), "d", step); !errors.Is(err, context.Canceled) {
		t.Errorf("a step after the end: %v", err)
	}
	if v, err := Keep(ctx, env(dir), "a", step); err != nil || len(v) != 2 {
		t.Errorf("what is kept is told after the end too: %v (%v)", v, err)
	}
}

func TestRunsAreKept(t *testing.T) {
	j := study.Job{Spec: task.Spec{Data: "blobs", Model: "softmax", Precision: "float32"}, Opt: "adam", Epochs: 1}
	e := env(t.TempDir())
	a, err := e.Train(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	b, err := env(e.Dir).Train(context.Background(), j)
	if err != nil || len(a.Points) == 0 || a.Points[0].Seconds != b.Points[0].Seconds || a.Points[len(a.Points)-1].Seconds != b.Points[len(b.Points)-1].Seconds {
		t.Errorf("%+v, then %+v (%v)", a, b, err)
	}
}

func TestExperimentsAreDescribed(t *testing.T) {
	if len(All()) == 0 {
		t.Fatal("there are none")
	}
	for _, x := range All() {
		for what, text := range map[string]string{"about": x.About, "paper": x.Paper, "claim": x.Claim, "differs": x.Differs, "takes": x.Takes} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no text for %q", x.Name, what)
			}
		}
		if got, err := ByName(x.Name); err != nil || got.Name != x.Name {
			t.Errorf("%s: %v", x.Name, err)
		}
	}
	var usage cli.UsageError
	if _, err := ByName("sparse-feature"); !errors.As(err, &usage) || !strings.Contains(err.Error(), `did you mean "sparse-features"?`) {
		t.Errorf("%v", err)
	}
}

func TestTextsAreWrapped(t *testing.T) {
	text := strings.Repeat("word word ", 40)
	for line := range strings.Lines(wrap(text)) {
		if n := len(strings.TrimSpace(line)); n > 100 || n < 4 {
			t.Errorf("a line of %d letters: %q", n, line)
		}
	}
	if strings.Join(strings.Fields(wrap(text)), " ") != strings.TrimSpace(text) {
		t.Error("the words are others")
	}
}

// The gradient of the diagonal network is that of its loss.
func TestGradientOfTheDiagonalNetwork(t *testing.T) {
	train, test := diagonalData(5, 3, 4, 2)
	rng := newNumpy(7)
	w := make([]float64, 8)
	for i := range w {
		w[i] = rng.randn()
	}
	s := &example{linear: train, i: 3}
	g := make([]float64, 8)
	loss, err := s.Grad(g, w)
	if err != nil {
		t.Fatal(err)
	}
	if same, _ := s.Loss(w); same != loss {
		t.Errorf("loss %v, with the gradient %v", same, loss)
	}
	const h = 1e-6
	for i := range w {
		keep := w[i]
		w[i] = keep + h
		up, _ := s.Loss(w)
		w[i] = keep - h
		down, _ := s.Loss(w)
		w[i] = keep
		// The loss is a polynomial of degree 4: the error of the difference is h² and
		// rounding over h.
		if d := (up - down) / (2 * h); math.Abs(d-g[i]) > 1e-8*(1+math.Abs(g[i])) {
			t.Errorf("derivative %d is %v, the difference %v", i, g[i], d)
		}
	}
	sum := 0.0
	for i := range train.x {
		one, _ := (&example{linear: train, i: i}).Loss(w)
		sum += one / float64(len(train.x))
	}
	if math.Abs(train.loss(w)-sum) > 1e-14*sum || len(test.x) != 3 {
		t.Errorf("the loss of all is %v, the mean of each %v", train.loss(w), sum)
	}
}

// SGD on the diagonal network is the authors' loop.
func TestDiagonalRunIsSGD(t *testing.T) {
	train, test := diagonalData(6, 4, 5, 2)
	r, err := runDiagonal(context.Background(), train, test, "sgd:lr=0.05+large_step:until=0.5,second=1,factor=0.25", 0.1, 3, 40)
	if err != nil {
		t.Fatal(err)
	}
	u, v := make([]float64, 5), make([]float64, 5)
	for j := range u {
		u[j] = 0.1
	}
	order := newNumpy(3)
	for step := range 40 {
		i := order.randint(6)
		e := -train.y[i]
		for j, x := range train.x[i] {
			e += x * u[j] * v[j]
		}
		lr := 0.05
		if step >= 20 {
			lr /= 4
		}
		for j, x := range train.x[i] {
			u[j], v[j] = u[j]-lr*e*x*v[j], v[j]-lr*e*x*u[j]
		}
	}
	want := test.loss(append(u, v...))
	if got := r.Test[len(r.Test)-1]; math.Abs(got-want) > 1e-13*want {
		t.Errorf("test loss %v, want %v", got, want)
	}
	bad, err := runDiagonal(context.Background(), train, test, "sgd:lr=1e9+constant", 0.1, 3, 100)
	if err != nil || !bad.Diverged {
		t.Errorf("a rate of 1e9: %+v (%v)", bad, err)
	}
	for _, p := range phases() {
		if _, err := optimizers.Parse(p.method()); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}
