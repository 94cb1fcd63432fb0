package train

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/internal/golden/goldennet"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// goldenKFAC is a case of kfac.json.
type goldenKFAC struct {
	Name         string
	Layers       []golden.Settings
	LossFunction golden.Settings `json:"loss_function"`
	InputShape   []int           `json:"input_shape"`
	X            []float64
	TargetShape  []int `json:"target_shape"`
	Y            []float64
	Parameters   []struct {
		Name   string
		Shape  []int
		Values []float64
	}
	V               []float64
	Fisher, Sharing string
	JointBias       bool `json:"joint_bias"`
	Damping         float64
	Product         []float64
	InverseFactored []float64 `json:"inverse_factored"`
	InverseExact    []float64 `json:"inverse_exact"`
	GGNBlocks       []float64 `json:"ggn_blocks"`
}

// options are the settings of the approximation, all of which must be known.
func (c *goldenKFAC) options() (optimizers.KroneckerOptions, error) {
	o := optimizers.KroneckerOptions{SeparateBias: !c.JointBias}
	switch c.Fisher {
	case "exact":
		o.Targets = optimizers.TargetsExact
	case "empirical":
		o.Targets = optimizers.TargetsEmpirical
	default:
		return o, fmt.Errorf("unknown fisher %q", c.Fisher)
	}
	switch c.Sharing {
	case "expand":
	case "reduce":
		o.Reduce = true
	default:
		return o, fmt.Errorf("unknown sharing %q", c.Sharing)
	}
	return o, nil
}

// model builds the case's network at its parameters.
func (c *goldenKFAC) model() (*nn.Model[float64], error) {
	var net nn.Sequential
	for _, s := range c.Layers {
		l, err := goldennet.Layer(s)
		if err != nil {
			return nil, err
		}
		net = append(net, l)
	}
	loss, err := goldennet.Loss(c.LossFunction)
	if err != nil {
		return nil, err
	}
	m, err := nn.Build[float64](net, loss, c.InputShape[1:], 0)
	if err != nil {
		return nil, err
	}
	ps := m.Parameters()
	if len(ps) != len(c.Parameters) {
		return nil, fmt.Errorf("%d parameters, want %d", len(ps), len(c.Parameters))
	}
	for i, p := range c.Parameters {
		if !slices.Equal(p.Shape, ps[i].Shape) || len(p.Values) != ps[i].Size() {
			return nil, fmt.Errorf("parameter %q has the shape %v, want %v", ps[i].Name, ps[i].Shape, p.Shape)
		}
		copy(m.Params[ps[i].Offset:], p.Values)
	}
	return m, nil
}

// TestKFAC compares products with the Kronecker approximation, solves with
// factored and with exact damping, and the diagonal blocks of the Gauss-Newton
// matrix with those of curvlinops.
func TestKFAC(t *testing.T) {
	for _, path := range golden.Files(t, "kfac.json") {
		var file struct{ Cases []*goldenKFAC }
		golden.Read(t, path, &file)
		if len(file.Cases) == 0 {
			t.Fatalf("%s has no cases", path)
		}
		worst := map[string]float64{}
		for _, c := range file.Cases {
			t.Run(c.Name, func(t *testing.T) { c.test(t, worst) })
		}
		t.Logf("%s: %d cases, largest relative errors %v", path, len(file.Cases), worst)
	}
}

func (c *goldenKFAC) test(t *testing.T, worst map[string]float64) {
	o, err := c.options()
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.model()
	if err != nil {
		t.Fatal(err)
	}
	p, err := ProblemOf(m, data.Batch[float64]{X: c.X, Y: c.Y, N: c.InputShape[0]})
	if err != nil {
		t.Fatal(err)
	}
	k, err := optimizers.NewKronecker[float64](Layout(m), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Update(p, m.Params, 0); err != nil {
		t.Fatal(err)
	}
	dst := make([]float64, len(c.V))
	compare := func(what string, want []float64, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		e := relative(dst, want)
		worst[what] = math.Max(worst[what], e)
		if !(e <= 1e-9) {
			t.Errorf("%s: relative error %.3g", what, e)
		}
	}
	compare("product", c.Product, k.Mul(dst, c.V))
	if err := k.Invert(c.Damping); err != nil {
		t.Fatal(err)
	}
	compare("inverse_factored", c.InverseFactored, k.Solve(dst, c.V))
	if err := k.InvertExact(c.Damping); err != nil {
		t.Fatal(err)
	}
	compare("inverse_exact", c.InverseExact, k.Solve(dst, c.V))
	compare("ggn_blocks", c.GGNBlocks, ggnBlocks(p, m, dst, c.V))
}

// ggnBlocks sets dst to the product of the diagonal blocks of the Gauss-Newton
// matrix with v, a block for each layer.
func ggnBlocks(p optimizers.Sample[float64], m *nn.Model[float64], dst, v []float64) error {
	if err := p.Linearize(m.Params); err != nil {
		return err
	}
	ps, blocks := m.Parameters(), map[int]int{}
	for _, b := range m.Blocks() {
		blocks[b.Param] = b.Tensors
	}
	for i := 0; i < len(ps); {
		n := max(1, blocks[i])
		from, to := ps[i].Offset, ps[i+n-1].Offset+ps[i+n-1].Size()
		one, product := make([]float64, len(v)), make([]float64, len(v))
		copy(one[from:to], v[from:to])
		if err := p.GaussNewtonMul(product, one); err != nil {
			return err
		}
		copy(dst[from:to], product[from:to])
		i += n
	}
	return nil
}

// relative is the largest error over the largest element that is wanted.
func relative(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	e, scale := 0.0, 0.0
	for i, w := range want {
		e, scale = math.Max(e, math.Abs(got[i]-w)), math.Max(scale, math.Abs(w))
	}
	return e / scale
}
