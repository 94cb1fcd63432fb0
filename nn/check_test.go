package nn_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
)

// layerCase draws a layer with settings and the shape of an example.
type layerCase struct {
	name   string
	draw   func(r *rand.Rand) (nn.Layer, []int)
	lo, hi float64 // of the examples; both 0 mean [-2, 2)
	batch  int     // at least; 0 means 1
	eval   bool    // not for training
}

// vector and image draw shapes of an example.
func vector(r *rand.Rand) []int { return []int{1 + r.IntN(4)} }

func image(r *rand.Rand) []int { return []int{1 + r.IntN(3), 4 + r.IntN(3), 5 + r.IntN(2)} }

func anyExample(r *rand.Rand) []int {
	if r.IntN(2) == 0 {
		return vector(r)
	}
	return []int{1 + r.IntN(3), 1 + r.IntN(3)}
}

// padding draws one of all ways to pad a window of the size.
func padding(r *rand.Rand, k [2]int) nn.Padding {
	switch r.IntN(4) {
	case 0:
		return nn.Same
	case 1:
		return nn.Valid
	case 2:
		return nn.Pad(min(k[0], k[1]) - 1)
	}
	return nn.Padding{Top: r.IntN(k[0]), Bottom: r.IntN(k[0]), Left: r.IntN(k[1]), Right: r.IntN(k[1])}
}

func drawConv(r *rand.Rand) (nn.Layer, []int) {
	groups := 1 + r.IntN(2)
	c := nn.Conv2D{Filters: groups * (1 + r.IntN(2)), KernelHW: [2]int{1 + r.IntN(3), 1 + r.IntN(3)}, StrideHW: [2]int{1 + r.IntN(2), 1 + r.IntN(3)},
		DilationHW: [2]int{1 + r.IntN(2), 1 + r.IntN(2)}, Groups: groups, NoBias: r.IntN(3) == 0}
	c.Padding = padding(r, c.KernelHW)
	shape := image(r)
	shape[0] = groups * (1 + r.IntN(2))
	shape[1] = 5 + r.IntN(2) // a window of 3 with dilation 2 spans 5
	return c, shape
}

func window(r *rand.Rand) (k, stride [2]int) {
	return [2]int{1 + r.IntN(3), 2 + r.IntN(2)}, [2]int{r.IntN(3), r.IntN(3)}
}

func layerCases() []layerCase {
	var cases []layerCase
	one := func(l nn.Layer, lo, hi float64) {
		cases = append(cases, layerCase{name: typeName(l), draw: func(r *rand.Rand) (nn.Layer, []int) { return l, anyExample(r) }, lo: lo, hi: hi})
	}
	for _, l := range []nn.Layer{nn.Identity{}, nn.Abs{}, nn.Square{}, nn.Exp{}, nn.Sin{}, nn.Cos{}, nn.Tanh{}, nn.Sigmoid{}, nn.Softplus{},
		nn.Erf{}, nn.ReLU{}, nn.GELU{}, nn.GELUTanh{}, nn.SiLU{}, nn.Softmax{}, nn.LogSoftmax{}, nn.LeakyReLU{}, nn.LeakyReLU{Slope: 0.3}, nn.ELU{},
		nn.ELU{Alpha: 1.7}, nn.Clamp{Lo: -0.71, Hi: 1.13}, nn.Flatten{}, nn.Dropout{Rate: 0.4}, gain} {
		one(l, 0, 0)
	}
	one(nn.Sqrt{}, 0.5, 3)
	one(nn.Log{}, 0.5, 3)
	fixed := func(name string, draw func(r *rand.Rand) (nn.Layer, []int)) {
		cases = append(cases, layerCase{name: name, draw: draw})
	}
	fixed("Dense", func(r *rand.Rand) (nn.Layer, []int) {
		return nn.Dense{Units: 1 + r.IntN(4), NoBias: r.IntN(3) == 0}, vector(r)
	})
	fixed("Conv2D", drawConv)
	fixed("Conv2D again", drawConv)
	fixed("MaxPool2D", func(r *rand.Rand) (nn.Layer, []int) {
		k, stride := window(r)
		return nn.MaxPool2D{SizeHW: k, StrideHW: stride, Padding: padding(r, k)}, image(r)
	})
	for _, exclude := range []bool{false, true} {
		fixed("AvgPool2D", func(r *rand.Rand) (nn.Layer, []int) {
			k, stride := window(r)
			return nn.AvgPool2D{SizeHW: k, StrideHW: stride, Padding: padding(r, k), ExcludePadding: exclude}, image(r)
		})
	}
	fixed("GlobalAvgPool", func(r *rand.Rand) (nn.Layer, []int) { return nn.GlobalAvgPool{}, image(r) })
	fixed("Reshape", func(r *rand.Rand) (nn.Layer, []int) {
		a, b := 1+r.IntN(3), 1+r.IntN(3)
		return nn.Reshape{To: []int{b, -1}}, []int{a, b, 2}
	})
	for _, eval := range []bool{false, true} {
		for name, shape := range map[string]func(r *rand.Rand) []int{"vectors": vector, "images": image} {
			cases = append(cases, layerCase{name: "BatchNorm of " + name, draw: func(r *rand.Rand) (nn.Layer, []int) { return nn.BatchNorm{}, shape(r) }, batch: 3, eval: eval})
		}
	}
	cases = append(cases, layerCase{name: "BatchNorm without a scale", draw: func(r *rand.Rand) (nn.Layer, []int) {
		return nn.BatchNorm{NoScale: true, NoShift: r.IntN(2) == 0}, image(r)
	}, batch: 2})
	fixed("LayerNorm without a shift", func(r *rand.Rand) (nn.Layer, []int) {
		return nn.LayerNorm{NoScale: r.IntN(2) == 0, NoShift: true}, []int{3 + r.IntN(3)}
	})
	fixed("LayerNorm", func(r *rand.Rand) (nn.Layer, []int) { return nn.LayerNorm{}, []int{3 + r.IntN(3)} })
	fixed("LayerNorm over images", func(r *rand.Rand) (nn.Layer, []int) { return nn.LayerNorm{Axes: 2 + r.IntN(2)}, image(r) })
	fixed("Sequential", func(r *rand.Rand) (nn.Layer, []int) {
		return nn.Sequential{nn.Dense{Units: 3}, nn.Tanh{}, nn.Sequential{nn.Dense{Units: 2}, nn.Sin{}}}, vector(r)
	})
	fixed("Residual", func(r *rand.Rand) (nn.Layer, []int) {
		n := 1 + r.IntN(3)
		return nn.Residual{nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: n}}, []int{n}
	})
	fixed("Named", func(r *rand.Rand) (nn.Layer, []int) {
		return nn.Named{Name: "out", Layer: nn.Dense{Units: 2}}, vector(r)
	})
	fixed("Shared", func(r *rand.Rand) (nn.Layer, []int) {
		n := 1 + r.IntN(3)
		tied := nn.Shared{Name: "tied", Layer: nn.Dense{Units: n}}
		return nn.Sequential{tied, nn.Sigmoid{}, tied}, []int{n}
	})
	return cases
}

const layerSeeds = 20

// TestEveryLayerHasTheRightDerivatives checks each layer in its input, its
// parameters and its buffers at random shapes and settings: first and second
// order, forward and reverse, against differences and by inner products, with
// the tolerances of autodiff.Check.
func TestEveryLayerHasTheRightDerivatives(t *testing.T) {
	checks := 0
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(layerSeeds) {
				r := rand.New(rand.NewPCG(seed, 6))
				l, input := c.draw(r)
				// The target of a squared error is of any shape. What follows
				// gives layers without parameters one.
				m := build(t, nn.Sequential{l, gain}, nn.MeanSquaredError{}, input...)
				g := must[*nn.Graph](t)(m.Graph(max(c.batch, 1)+r.IntN(3), !c.eval))
				lo, hi := c.lo, c.hi
				if lo == 0 && hi == 0 {
					lo, hi = -2, 2
				}
				o := autodiff.CheckOptions{Seed: seed, Values: [][]float64{apart(r, volume(g.X.Shape()), lo, hi)}}
				in := append([]*nn.Node{g.X}, g.Params...)
				for range g.Params {
					o.Values = append(o.Values, nil)
				}
				for _, b := range g.Buffers { // a variance is positive
					in = append(in, b)
					o.Values = append(o.Values, uniform(r, volume(b.Shape()), 0.5, 2))
				}
				if err := autodiff.CheckNode(g.Output, in, o); err != nil {
					t.Fatalf("seed %d, %+v of %v: %v", seed, l, g.X.Shape(), err)
				}
				checks++
			}
		})
	}
	t.Logf("%d kinds of layers, %d checks", len(layerCases()), checks)
}

type lossCase struct {
	name   string
	loss   nn.Loss
	output func(r *rand.Rand) []int
	kink   float64 // of |z-y|, where differences would lie on both sides; 0 means none
}

// classes and rowsOfClasses draw the shape of an output of logits.
func classes(r *rand.Rand) []int       { return []int{2 + r.IntN(4)} }
func rowsOfClasses(r *rand.Rand) []int { return []int{1 + r.IntN(3), 2 + r.IntN(3)} }

var lossCases = []lossCase{
	{"softmax of class numbers", nn.SoftmaxCrossEntropy{}, classes, 0},
	{"softmax of class numbers in rows", nn.SoftmaxCrossEntropy{}, rowsOfClasses, 0},
	{"softmax with smoothing", nn.SoftmaxCrossEntropy{Smoothing: 0.3}, classes, 0},
	{"softmax with smoothing in rows", nn.SoftmaxCrossEntropy{Smoothing: 0.1}, rowsOfClasses, 0},
	{"softmax of probabilities", nn.SoftmaxCrossEntropy{Probs: true}, classes, 0},
	{"softmax of smoothed probabilities in rows", nn.SoftmaxCrossEntropy{Probs: true, Smoothing: 0.2}, rowsOfClasses, 0},
	{"sigmoid", nn.SigmoidCrossEntropy{}, anyExample, 0},
	{"squared error", nn.MeanSquaredError{}, anyExample, 0},
	{"huber", nn.Huber{}, anyExample, 1},
	{"huber with delta", nn.Huber{Delta: 0.4}, anyExample, 0.4},
	{"logistic", nn.Logistic{}, oneUnit, 0},
	{"brier", nn.Brier{}, oneUnit, 0},
	{"log-sum-exp", nn.LogSumExp{}, oneUnit, 0},
	{"log-sum-exp with rho", nn.LogSumExp{Rho: 2}, oneUnit, 0},
	{"penalised", nn.L2{Of: nn.L2{Of: nn.Logistic{}, Lambda: 0.2}, Lambda: 0.7}, oneUnit, 0},
}

func oneUnit(*rand.Rand) []int { return []int{1} }

// targets draws targets for n examples: class numbers, or numbers on [0, 1),
// which as probabilities need not add to 1.
func targets(r *rand.Rand, m *nn.Model[float64], n int) []float64 {
	shape, k := m.Target()
	if k > 0 {
		return labels(r, n*volume(shape), k)
	}
	return uniform(r, n*volume(shape), 0, 1)
}

// TestEveryLossHasTheRightDerivatives is the same for losses, in the output and
// in targets that are not class numbers.
func TestEveryLossHasTheRightDerivatives(t *testing.T) {
	checks := 0
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(layerSeeds) {
				r := rand.New(rand.NewPCG(seed, 7))
				m := build(t, gain, c.loss, c.output(r)...)
				n := 1 + r.IntN(4)
				g := must[*nn.Graph](t)(m.Graph(n, true))
				_, k := m.Target()
				y := targets(r, m, n)
				z := uniform(r, volume(g.X.Shape()), -2, 2)
				for i := range z {
					for c.kink > 0 && math.Abs(math.Abs(z[i]-y[i])-c.kink) < 0.02 {
						z[i] = 4*r.Float64() - 2
					}
				}
				err := autodiff.CheckNode(g.Loss, []*nn.Node{g.X, g.Y, g.Params[0]}, autodiff.CheckOptions{
					Seed: seed, Fixed: []bool{false, k > 0}, Values: [][]float64{z, y, {1}}})
				if err != nil {
					t.Fatalf("seed %d, output %v: %v", seed, g.Output.Shape(), err)
				}
				checks++
			}
		})
	}
	t.Logf("%d losses, %d checks", len(lossCases), checks)
}

// TestEveryLayerAndLossHasACase reads the package's source, so that a new layer
// without a case is a failure, here and among the nets of dense matrices.
func TestEveryLayerAndLossHasACase(t *testing.T) {
	layers, losses := receivers(t, "Apply"), receivers(t, "Loss")
	if len(layers) < 30 || len(losses) < 4 {
		t.Fatalf("found only the layers %v and the losses %v", layers, losses)
	}
	checked, inZoo, checkedLosses := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range layerCases() {
		l, _ := c.draw(rand.New(rand.NewPCG(0, 6)))
		visit(l, checked)
	}
	for _, c := range lossCases {
		checkedLosses[typeName(c.loss)] = true
	}
	for _, z := range zoo {
		visit(z.net, inZoo)
	}
	for name := range layers {
		if !checked[name] {
			t.Errorf("layer %s has no case among the checks", name)
		}
		if !inZoo[name] {
			t.Errorf("layer %s is in no net of the zoo", name)
		}
	}
	for name := range losses {
		if !checkedLosses[name] {
			t.Errorf("loss %s has no case among the checks", name)
		}
	}
}

// receivers are the exported types of the package with a method of that name.
// Model.Loss, which is no loss, has a type parameter and so no plain name.
func receivers(t *testing.T, method string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != method {
				continue
			}
			of := fn.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok && id.IsExported() {
				names[id.Name] = true
			}
		}
	}
	return names
}

func typeName(v any) string { return reflect.TypeOf(v).Name() }

// visit notes the types of a layer and of those inside it.
func visit(l nn.Layer, seen map[string]bool) {
	seen[typeName(l)] = true
	var inside []nn.Layer
	switch l := l.(type) {
	case nn.Sequential:
		inside = l
	case nn.Residual:
		inside = l
	case nn.Named:
		inside = []nn.Layer{l.Layer}
	case nn.Shared:
		inside = []nn.Layer{l.Layer}
	}
	for _, l := range inside {
		visit(l, seen)
	}
}
