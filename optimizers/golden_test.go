package optimizers_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// otherMethods names the methods that the golden numbers have and this version does not. A name that is neither here
// nor known fails.
var otherMethods = map[string]bool{}

// goldenCase is one trajectory.
type goldenCase struct {
	Name, Method, Reference string
	Settings                map[string]any
	Steps                   int
	Path                    [][]float64
	FinalLoss               float64 `json:"final_loss"`
	Eval                    []float64
}

// goldenObjective is f(w) = (w-m)'A(w-m)/2 + Σ c sin(k w).
type goldenObjective struct {
	A       [][]float64
	M, C, K []float64
}

func (o *goldenObjective) loss(dst, w []float64) float64 {
	f := 0.0
	for i, row := range o.A {
		g := 0.0
		for j, a := range row {
			g += a * (w[j] - o.M[j])
		}
		f += g*(w[i]-o.M[i])/2 + o.C[i]*math.Sin(o.K[i]*w[i])
		dst[i] = g + o.C[i]*o.K[i]*math.Cos(o.K[i]*w[i])
	}
	return f
}

// goldenProblem is the objective as a problem in T.
type goldenProblem[T optimizers.Float] struct {
	optimizers.Func[T]
}

func (p *goldenProblem[T]) Len() int                               { return 1 }
func (p *goldenProblem[T]) Batch() optimizers.Sample[T]            { return p }
func (p *goldenProblem[T]) Full() optimizers.Sample[T]             { return p }
func (p *goldenProblem[T]) Draw(int) (optimizers.Sample[T], error) { return p, nil }

func newGoldenProblem[T optimizers.Float](o *goldenObjective) *goldenProblem[T] {
	w, g := make([]float64, len(o.M)), make([]float64, len(o.M))
	p := &goldenProblem[T]{}
	p.G = func(dst, x []T) float64 {
		for i, v := range x {
			w[i] = float64(v)
		}
		f := o.loss(g, w)
		for i, v := range g {
			dst[i] = T(v)
		}
		return f
	}
	p.H = func(dst, x, v []T) {
		for i, row := range o.A {
			sum := -o.C[i] * o.K[i] * o.K[i] * math.Sin(o.K[i]*float64(x[i])) * float64(v[i])
			for j, a := range row {
				sum += a * float64(v[j])
			}
			dst[i] = T(sum)
		}
	}
	return p
}

func TestGoldenTrajectories(t *testing.T) {
	for _, path := range slices.Concat(golden.Files(t, "optimizers.json"), golden.Files(t, "optimizers_adaptive.json"), golden.Files(t, "optimizers_matrix.json")) {
		t.Run(path, func(t *testing.T) { goldenTrajectories(t, path) })
	}
	for _, info := range optimizers.Methods() {
		if otherMethods[info.Name] {
			t.Errorf("%s is a method of this version", info.Name)
		}
	}
}

func goldenTrajectories(t *testing.T, path string) {
	var file struct {
		Objective goldenObjective
		Shapes    [][2]any
		X0        []float64
		Cases     []goldenCase
	}
	golden.Read(t, path, &file)
	var layout optimizers.Layout
	for _, s := range file.Shapes {
		tensor := optimizers.Tensor{Name: s[0].(string), Offset: layout.Size()}
		for _, d := range s[1].([]any) {
			tensor.Shape = append(tensor.Shape, int(d.(float64)))
		}
		if len(tensor.Shape) == 1 {
			tensor.Kind = optimizers.Bias
		}
		layout = append(layout, tensor)
	}
	matched := 0
	for _, c := range file.Cases {
		if otherMethods[c.Method] {
			continue
		}
		matched++
		settings, _ := json.Marshal(c.Settings)
		t.Run(c.Name+string(settings), func(t *testing.T) {
			m, err := optimizers.ParseSettings(c.Method, c.Settings)
			if err != nil {
				t.Fatal(err)
			}
			layout := layout
			if c.Method == "muon" {
				layout = kernels(layout)
			}
			within := 1e-10
			if c.Method == "soap" && c.Reference == "pytorch_optimizer" {
				within = 1e-5 // it computes its bases in float32
			}
			if s, ok := m.(*optimizers.SAM); ok {
				followSAM(t, s, layout, &file.Objective, file.X0, c, within)
			} else {
				follow(t, m, layout, &file.Objective, file.X0, c, within)
			}
			followSingle(t, m, layout, &file.Objective, file.X0, c)
		})
	}
	if matched == 0 {
		t.Error("no case of a method that there is")
	}
}

// kernels is a layout whose matrices are [out, in], as torch has them: those of dense layers here are [in, out], but a
// kernel of one element is [out, in, 1].
func kernels(l optimizers.Layout) optimizers.Layout {
	l = slices.Clone(l)
	for i, t := range l {
		if len(t.Shape) == 2 {
			l[i].Shape = append(slices.Clone(t.Shape), 1)
		}
	}
	return l
}

// follow compares every step of a case in float64.
func follow(t *testing.T, m optimizers.Method, l optimizers.Layout, f *goldenObjective, x0 []float64, c goldenCase, within float64) {
	t.Helper()
	if len(c.Path) != c.Steps {
		t.Fatalf("%d points for %d steps", len(c.Path), c.Steps)
	}
	o, err := optimizers.New[float64](m, l)
	if err != nil {
		t.Fatal(err)
	}
	p := newGoldenProblem[float64](f)
	x := append([]float64{}, x0...)
	apart := 0.0
	for step, want := range c.Path {
		if _, err := o.Step(context.Background(), x, p); err != nil {
			t.Fatal(err)
		}
		if len(want) != len(x) {
			t.Fatalf("%d numbers for %d parameters", len(want), len(x))
		}
		for i := range x {
			d := math.Abs(x[i] - want[i])
			if !(d <= within) {
				t.Fatalf("step %d, parameter %d: %v, golden %v, apart %v", step, i, x[i], want[i], d)
			}
			apart = max(apart, d)
		}
	}
	t.Logf("%d steps, at most %.2g apart", c.Steps, apart)
	if c.Eval != nil {
		compareEval(t, o, x, c.Eval, within)
	}
	if got := f.loss(make([]float64, len(x)), x); math.Abs(got-c.FinalLoss) > within {
		t.Errorf("loss in the end %v, golden %v", got, c.FinalLoss)
	}
}

// compareEval compares the weights for evaluation.
func compareEval[T optimizers.Float](t *testing.T, o optimizers.Optimizer[T], x []T, want []float64, within float64) {
	t.Helper()
	a, ok := optimizers.As[optimizers.Averaging[T]](o)
	if !ok {
		t.Fatal("the case has weights for evaluation, the optimizer none")
	}
	if len(want) != len(x) {
		t.Fatalf("%d weights for evaluation for %d parameters", len(want), len(x))
	}
	got, before := make([]T, len(x)), append([]T{}, x...)
	a.EvalWeights(got, x)
	if !slices.Equal(x, before) {
		t.Error("EvalWeights changed the parameters")
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - v); !(d <= within) {
			t.Errorf("weights for evaluation, parameter %d: %v, golden %v, apart %v", i, got[i], v, d)
		}
	}
}

// followSingle compares the end of a case in float32, relative to how far the run has gone.
func followSingle(t *testing.T, m optimizers.Method, l optimizers.Layout, f *goldenObjective, x0 []float64, c goldenCase) {
	t.Helper()
	o, err := optimizers.New[float32](m, l)
	if err != nil {
		t.Fatal(err)
	}
	p := newGoldenProblem[float32](f)
	var x []float32
	for _, v := range x0 {
		x = append(x, float32(v))
	}
	for range c.Path {
		if _, err := o.Step(context.Background(), x, p); err != nil {
			t.Fatal(err)
		}
	}
	// Prodigy's estimate begins with steps of 1e-6, of which float32 keeps 2^-24 / 1e-6.
	within := 1e-4
	if c.Method == "prodigy" {
		within = 0x1p-24 / 1e-6
	}
	last, moved := c.Path[len(c.Path)-1], 0.0
	for i, v := range last {
		moved = max(moved, math.Abs(v-x0[i]))
	}
	for i, v := range last {
		if d := math.Abs(float64(x[i]) - v); !(d <= within*moved) {
			t.Errorf("float32, parameter %d: %v, golden %v, after moves of %v", i, x[i], v, moved)
		}
	}
	if c.Eval != nil {
		compareEval(t, o, x, c.Eval, within*moved)
	}
}

// TestGoldenIsExact shows that the comparison would see an error of one part in a million in a setting.
func TestGoldenIsExact(t *testing.T) {
	a, b := endOf(t, &optimizers.Adam{LR: 0.05}), endOf(t, &optimizers.Adam{LR: 0.05, Beta2: 0.999001})
	if d := math.Abs(a - b); d < 1e-10 {
		t.Errorf("a change of beta2 by 1e-6 moves the end by %v only", d)
	}
}

func endOf(t *testing.T, m optimizers.Method) float64 {
	t.Helper()
	r, err := optimizers.Minimize(context.Background(), opttest.Func[float64](opttest.Rosenbrock), []float64{-1.2, 1}, m, optimizers.Until{Steps: 20})
	if err != nil {
		t.Fatal(err)
	}
	return r.X[0]
}

// TestGoldenRefusesTheUnknown keeps the data-driven tests from passing over what they do not know.
func TestGoldenRefusesTheUnknown(t *testing.T) {
	for method, settings := range map[string]map[string]any{
		"adamm": {"lr": 0.1},
		"adam":  {"lr": 0.1, "betas": []any{0.9, 0.999}},
		"sgd":   {"lr": "0.1"},
	} {
		if m, err := optimizers.ParseSettings(method, settings); err == nil {
			t.Errorf("%s %v gives %s", method, settings, optimizers.Spec(m))
		} else if !strings.HasPrefix(err.Error(), "optimizers: ") {
			t.Error(err)
		}
	}
}
