package landscape

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

func pictures(t testing.TB) data.Dataset {
	t.Helper()
	const n = 24
	x, y := make([]float64, n*2*8*8), make([]float64, n)
	normals(x, source(4, 4))
	for i := range y {
		y[i] = float64(i % 3)
	}
	d, err := data.New(x, []int{2, 8, 8}, y, data.Target{Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSymmetriesOfAConvolutionalNet(t *testing.T) {
	d := pictures(t)
	m, err := nn.Build[float64](nn.Sequential{
		nn.Conv2D{Filters: 4, Kernel: 3, Padding: nn.Same}, nn.BatchNorm{Eps: 1e-300}, nn.ReLU{}, nn.MaxPool2D{Size: 2},
		nn.Conv2D{Filters: 5, Kernel: 3}, nn.ReLU{}, nn.AvgPool2D{Size: 2}, nn.Flatten{},
		nn.Dense{Units: 6}, nn.LeakyReLU{}, nn.Dense{Units: 7}, nn.Tanh{}, nn.Dense{Units: 3},
	}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	hidden := HiddenLayers(m)
	if len(hidden) != 4 {
		t.Fatalf("%d hidden layers", len(hidden))
	}
	list := Symmetries(m)
	count := map[SymmetryKind]int{}
	for _, s := range list {
		count[s.Kind]++
	}
	if count[Scale] != 4 || count[Rescaling] != 4+5+6 || count[Translation] != 7+1 {
		t.Fatalf("found %v", count)
	}
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	top, err := Eigen(background, p.Hessian(), EigenOptions{Count: 1, End: Magnitude})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, p, list, top.Norm)
	// What is not a symmetry has residuals: a rescaling across tanh, a translation of
	// a layer that is not the last.
	last := hidden[3].Units[0]
	wrong := []Symmetry{
		{Kind: Rescaling, In: last.In, Out: last.Out},
		{Kind: Scale, In: hidden[1].Units[0].In},
		{Kind: Translation, In: hidden[2].Units[0].In},
	}
	got, err := CheckSymmetries(background, p, wrong, top.Norm, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Gradient < 1e-6 || r.Hessian < 1e-6 {
			t.Errorf("%v is no symmetry and has residuals %.2g and %.2g", r.Kind, r.Gradient, r.Hessian)
		}
	}
}

// Scale and shift of a normalisation are rescaled against the weights behind a relu,
// and a layer normalisation does not see the length of all weights before it.
func TestSymmetriesAcrossNormalisations(t *testing.T) {
	d := pictures(t)
	batch, layer := nn.BatchNorm{Eps: 1e-300}, nn.LayerNorm{Eps: 1e-300}
	for name, c := range map[string]struct {
		net                nn.Sequential
		scales, rescalings int
		layers             []string // of the rescalings
	}{
		"batch norm, dense":     {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, batch, nn.ReLU{}, nn.Dense{Units: 3}}, 6, 6, []string{"batchnorm1"}},
		"batch norm, images":    {nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3}, batch, nn.LeakyReLU{}, nn.AvgPool2D{Size: 2}, nn.Flatten{}, nn.Dense{Units: 3}}, 4, 4, []string{"batchnorm1"}},
		"batch norm, flattened": {nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3}, nn.Flatten{}, batch, nn.ReLU{}, nn.Dense{Units: 3}}, 4, 4, []string{"batchnorm1"}},
		"layer norm, dense":     {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, layer, nn.ReLU{}, nn.Dense{Units: 3}}, 1, 6, []string{"layernorm1"}},
		"layer norm, images":    {nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3}, nn.LayerNorm{Axes: 3, Eps: 1e-300}, nn.ReLU{}, nn.Flatten{}, nn.Dense{Units: 3}}, 1, 4, []string{"layernorm1"}},
		"after a relu":          {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.ReLU{}, layer, nn.Dense{Units: 3}}, 1, 6, []string{"layernorm1"}},
		"before a tanh":         {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, layer, nn.Tanh{}, nn.Dense{Units: 3}}, 1, 0, nil},
		"after a tanh":          {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.Tanh{}, layer, nn.Dense{Units: 3}}, 0, 6, []string{"layernorm1"}},
		"no scale":              {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.LayerNorm{Eps: 1e-300, NoScale: true}, nn.ReLU{}, nn.Dense{Units: 3}}, 1, 0, nil},
		"no shift":              {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.LayerNorm{Eps: 1e-300, NoShift: true}, nn.ReLU{}, nn.Dense{Units: 3}}, 1, 6, []string{"layernorm1"}},
		"one behind another":    {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.LayerNorm{Eps: 1e-300, NoScale: true, NoShift: true}, nn.ReLU{}, layer, nn.Dense{Units: 3}}, 1, 6, []string{"layernorm2"}},
		"of rows of images":     {nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3}, layer, nn.ReLU{}, nn.Flatten{}, nn.Dense{Units: 3}}, 0, 0, nil},
		"two layers":            {nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, layer, nn.ReLU{}, nn.Dense{Units: 5}, batch, nn.ReLU{}, nn.Dense{Units: 3}}, 1 + 5, 6 + 5, []string{"layernorm1", "batchnorm1"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := nn.Build[float64](c.net, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
			if err != nil {
				t.Fatal(err)
			}
			for i := range m.Params { // scales begin at 1 and shifts at 0
				m.Params[i] += 0.2 * math.Sin(float64(7*i))
			}
			count, layers := map[SymmetryKind]int{}, []string(nil)
			list := Symmetries(m)
			for _, s := range list {
				count[s.Kind]++
				if s.Kind == Rescaling && !slices.Contains(layers, s.Layer) {
					layers = append(layers, s.Layer)
				}
			}
			if count[Scale] != c.scales || count[Rescaling] != c.rescalings || !slices.Equal(layers, c.layers) {
				t.Fatalf("found %v, rescalings of %v", count, layers)
			}
			p, err := At(m, d, 0)
			if err != nil {
				t.Fatal(err)
			}
			top, err := Eigen(background, p.Hessian(), EigenOptions{Count: 1, End: Magnitude, Tol: 0.1})
			if err != nil {
				t.Fatal(err)
			}
			holds(t, p, list, top.Norm)
			// They are symmetries of the loss far away too.
			_, loss, err := p.Gradient()
			if err != nil {
				t.Fatal(err)
			}
			x := slices.Clone(m.Params)
			for _, s := range list {
				for _, i := range s.In {
					if s.Kind == Translation {
						x[i] += 0.3
					} else {
						x[i] *= 1.5
					}
				}
				for _, i := range s.Out {
					x[i] /= 1.5
				}
			}
			if now, err := p.Sample.Loss(x); err != nil || math.Abs(now-loss) > 1e-12*loss {
				t.Errorf("the loss was %v and is %v (%v)", loss, now, err)
			}
		})
	}
}

// Permuting units with their inputs, outputs and normalisation changes no output.
func TestHiddenUnitsMayBePermuted(t *testing.T) {
	d := pictures(t)
	m, err := nn.Build[float64](nn.Sequential{
		nn.Conv2D{Filters: 4, Kernel: 3}, nn.BatchNorm{}, nn.Tanh{}, nn.Flatten{}, nn.BatchNorm{},
		nn.Dense{Units: 6}, nn.GELU{}, nn.LayerNorm{}, nn.Dense{Units: 3},
	}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	normals(m.Params, source(1, 9))
	p, err := At(m, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, before, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	hidden := HiddenLayers(m)
	if len(hidden) != 2 {
		t.Fatalf("%d hidden layers", len(hidden))
	}
	x := append([]float64(nil), m.Params...)
	for _, h := range hidden {
		y := append([]float64(nil), x...)
		for u := range h.Units {
			from, to := h.Units[u], h.Units[(u+1)%len(h.Units)]
			for _, pair := range [][2][]int{{from.In, to.In}, {from.Norm, to.Norm}, {from.Out, to.Out}} {
				for i := range pair[0] {
					y[pair[1][i]] = x[pair[0][i]]
				}
			}
		}
		x = y
	}
	if err := p.Move(x); err != nil {
		t.Fatal(err)
	}
	_, after, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	if d := after - before; d > 1e-13*before || d < -1e-13*before {
		t.Errorf("the loss was %v and is %v", before, after)
	}
}

func TestNoSymmetriesOfWhatIsNotKnown(t *testing.T) {
	d := pictures(t)
	m, err := nn.Build[float64](nn.Sequential{
		nn.Flatten{}, nn.Dense{Units: 6}, nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Square(x) }), nn.Dense{Units: 6}, nn.Residual{nn.Dense{Units: 6}, nn.ReLU{}, nn.Dense{Units: 6}}, nn.Dense{Units: 3},
	}, nn.MeanSquaredError{}, d.Shape(), nn.Seed(3))
	if err != nil {
		t.Fatal(err)
	}
	if list := Symmetries(m); len(list) != 0 {
		t.Errorf("%d symmetries, the first %+v", len(list), list[0])
	}
}

// holds checks the identities of gradient and Hessian, whose largest eigenvalue is norm.
func holds(t *testing.T, p *Model[float64], list []Symmetry, norm float64) {
	t.Helper()
	got, err := CheckSymmetries(background, p, list, norm, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Gradient > 1e-12 || r.Hessian > 1e-12 {
			t.Errorf("%v of %s %d: residuals %.2g and %.2g", r.Kind, r.Layer, r.Unit, r.Gradient, r.Hessian)
		}
	}
}
