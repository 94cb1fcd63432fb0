package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
)

// fill draws a tensor of the shape for the fans.
func fill(init nn.Init, seed uint64, shape []int, fanIn, fanOut int) []float64 {
	x := make([]float64, volume(shape))
	init.Fill(rand.New(rand.NewPCG(seed, 14)), x, shape, fanIn, fanOut)
	return x
}

// TestMomentsOfInitialisers compares mean and variance of many draws with what
// is documented. With n draws the mean has the standard deviation sd/sqrt(n) and
// the variance var sqrt((kurtosis-1)/n), where the kurtosis of these
// distributions is at most 3; five times that is allowed.
func TestMomentsOfInitialisers(t *testing.T) {
	const in, out = 300, 500
	inf := math.Inf(1)
	// The variance of a normal number kept within [-2, 2].
	phi := math.Exp(-2) / math.Sqrt(2*math.Pi)
	kept := 1 - 4*phi/math.Erf(math.Sqrt2)
	if sd := math.Sqrt(kept); math.Abs(sd-0.8796) > 5e-5 {
		t.Fatalf("the standard deviation documented as 0.8796 is %v", sd)
	}
	glorot := 2.0 / (in + out)
	for _, c := range []struct {
		init           nn.Init
		mean, variance float64
		lo, hi         float64 // bounds, which draws come close to if finite
		text           string
	}{
		{nn.Zeros, 0, 0, 0, 0, "constant(0)"},
		{nn.Constant(-2.5), -2.5, 0, -2.5, -2.5, "constant(-2.5)"},
		{nn.Uniform{Lo: -1, Hi: 3}, 1, 16.0 / 12, -1, 3, "uniform(-1, 3)"},
		{nn.Normal{Mean: 2, Std: 0.5}, 2, 0.25, -inf, inf, "normal(2, 0.5)"},
		{nn.TruncatedNormal{Mean: 1, Std: 3}, 1, 9 * kept, 1 - 6, 1 + 6, "truncated_normal(1, 3)"},
		{nn.GlorotUniform, 0, glorot, -math.Sqrt(3 * glorot), math.Sqrt(3 * glorot), "glorot_uniform"},
		{nn.GlorotNormal, 0, glorot, -inf, inf, "glorot_normal"},
		{nn.HeUniform, 0, 2.0 / in, -math.Sqrt(6.0 / in), math.Sqrt(6.0 / in), "he_uniform"},
		{nn.HeNormal, 0, 2.0 / in, -inf, inf, "he_normal"},
		{nn.LeCunUniform, 0, 1.0 / in, -math.Sqrt(3.0 / in), math.Sqrt(3.0 / in), "lecun_uniform"},
		{nn.LeCunNormal, 0, 1.0 / in, -inf, inf, "lecun_normal"},
		{nn.PyTorchUniform, 0, 1.0 / (3 * in), -math.Sqrt(1.0 / in), math.Sqrt(1.0 / in), "pytorch_uniform"},
		{nn.Scaled{Gain: 5, Fan: nn.FanOut}, 0, 5.0 / out, -inf, inf, "scaled(5)"},
		{nn.Scaled{Uniform: true}, 0, 1.0 / in, -math.Sqrt(3.0 / in), math.Sqrt(3.0 / in), "scaled(1)"},
	} {
		t.Run(c.text, func(t *testing.T) {
			if c.init.String() != c.text {
				t.Errorf("it is called %q", c.init)
			}
			x := fill(c.init, 1, []int{in, out}, in, out)
			n := float64(len(x))
			sum, squares := 0.0, 0.0
			for _, v := range x {
				sum += v - c.mean
				squares += (v - c.mean) * (v - c.mean)
			}
			sd := math.Sqrt(c.variance)
			if e := math.Abs(sum / n); e > 5*sd/math.Sqrt(n) {
				t.Errorf("the mean is %g too large, of a standard deviation of %g", sum/n, sd)
			}
			if e := math.Abs(squares/n - c.variance); e > 5*c.variance*math.Sqrt(2/n) {
				t.Errorf("variance %g, want %g", squares/n, c.variance)
			}
			lo, hi := slices.Min(x), slices.Max(x)
			if lo < c.lo || hi > c.hi {
				t.Errorf("draws from %g to %g, want %g to %g", lo, hi, c.lo, c.hi)
			}
			if width := c.hi - c.lo; !math.IsInf(width, 1) && hi-lo < 0.999*width {
				t.Errorf("draws from %g to %g do not fill %g to %g", lo, hi, c.lo, c.hi)
			}
		})
	}
}

// TestOrthogonalColumnsOrRows tests Q'Q = gain^2 I for the fewer of rows and
// columns. Rounding is relative to gain^2.
func TestOrthogonalColumnsOrRows(t *testing.T) {
	for _, shape := range [][]int{{50, 20}, {20, 50}, {16, 16}, {8, 3, 3, 3}, {40, 3, 2, 2}, {1, 7}, {5}} {
		for _, gain := range []float64{0, 1.7} {
			x := fill(nn.Orthogonal{Gain: gain}, 2, shape, 1, 1)
			rows, cols := shape[0], len(x)/shape[0]
			if gain == 0 {
				gain = 1
			}
			at := func(i, k int) float64 { return x[i*cols+k] }
			n, m := rows, cols
			if rows > cols {
				n, m = cols, rows
				at = func(i, k int) float64 { return x[k*cols+i] }
			}
			for i := range n {
				for j := range n {
					sum, want := 0.0, 0.0
					for k := range m {
						sum += at(i, k) * at(j, k)
					}
					if i == j {
						want = gain * gain
					}
					if math.Abs(sum-want) > 1e-13*gain*gain {
						t.Fatalf("shape %v, gain %g: product of vectors %d and %d is %g, want %g", shape, gain, i, j, sum, want)
					}
				}
			}
		}
	}
	// No direction is preferred: an element of a 4x4 matrix has mean 0 and
	// variance 1/4.
	const draws = 400
	sum := 0.0
	for seed := range uint64(draws) {
		sum += fill(nn.Orthogonal{}, seed, []int{4, 4}, 4, 4)[0]
	}
	if limit := 5 * 0.5 / math.Sqrt(draws); math.Abs(sum/draws) > limit {
		t.Errorf("the first element has the mean %g, more than %g", sum/draws, limit)
	}
}

// TestSparseConnections counts the incoming weights of every unit, which are
// normal numbers at places of equal chance.
func TestSparseConnections(t *testing.T) {
	for _, c := range []struct {
		init          nn.Sparse
		shape         []int
		fanIn, fanOut int
		count         int
		std           float64
	}{
		{nn.Sparse{}, []int{100, 2000}, 100, 2000, 15, 1},
		{nn.Sparse{Count: 4, Std: 0.3}, []int{10, 5000}, 10, 5000, 4, 0.3},
		{nn.Sparse{}, []int{9, 2000}, 9, 2000, 9, 1},
		{nn.Sparse{}, []int{2000, 4, 3, 3}, 36, 2000 * 9, 15, 1},
	} {
		x := fill(c.init, 3, c.shape, c.fanIn, c.fanOut)
		units := len(x) / c.fanIn
		used := make([]int, c.fanIn)
		sum, squares := 0.0, 0.0
		for u := range units {
			k := 0
			for i := range c.fanIn {
				v := x[u*c.fanIn+i]
				if len(c.shape) == 2 {
					v = x[i*units+u]
				}
				if v != 0 {
					k++
					used[i]++
				}
				sum += v
				squares += v * v
			}
			if k != c.count {
				t.Fatalf("%v: unit %d has %d connections, want %d", c.shape, u, k, c.count)
			}
		}
		n := float64(units * c.count)
		if math.Abs(sum/n) > 5*c.std/math.Sqrt(n) || math.Abs(squares/n-c.std*c.std) > 5*c.std*c.std*math.Sqrt(2/n) {
			t.Errorf("%v: mean %g and variance %g, want 0 and %g", c.shape, sum/n, squares/n, c.std*c.std)
		}
		// A binomial number: five standard deviations.
		p := float64(c.count) / float64(c.fanIn)
		for i, k := range used {
			if e := math.Abs(float64(k) - p*float64(units)); e > 5*math.Sqrt(float64(units)*p*(1-p)) {
				t.Errorf("%v: input %d has %d connections of %d units, want a share of %g", c.shape, i, k, units, p)
			}
		}
	}
}

// spy notes what an initialiser is asked for.
type spy map[string]string

func (s spy) Fill(_ *rand.Rand, _ []float64, shape []int, fanIn, fanOut int) {
	s[fmt.Sprint(shape)] = fmt.Sprintf("in %d out %d", fanIn, fanOut)
}

func (s spy) String() string { return "spy" }

// TestFans compares the numbers of connections with those counted by hand.
func TestFans(t *testing.T) {
	s := spy{}
	own := nn.Func(func(sc *nn.Scope, x *nn.Node) *nn.Node {
		return sc.Mul(sc.Param("v", s, 3), sc.MatMul(x, sc.Param("w", s, 5, 3)))
	})
	build(t, nn.Sequential{
		nn.Conv2D{Filters: 6, KernelHW: [2]int{3, 2}, Groups: 2, Init: s, BiasInit: s}, // 4 channels in 2 groups
		nn.Conv2D{Filters: 5, Kernel: 4, Init: s, NoBias: true},
		nn.GlobalAvgPool{}, own, nn.Dense{Units: 7, Init: s, BiasInit: s},
	}, nn.MeanSquaredError{}, 4, 6, 7)
	for shape, want := range map[string]string{
		"[6 2 3 2]": "in 12 out 18", // 2 channels of 3x2; 3 filters of 3x2 see each
		"[6]":       "in 12 out 6",
		"[5 6 4 4]": "in 96 out 80",
		"[5 3]":     "in 5 out 3",
		"[3]":       "in 3 out 3",
		"[3 7]":     "in 3 out 7",
		"[7]":       "in 3 out 7",
	} {
		if s[shape] != want {
			t.Errorf("a tensor of shape %s: %q, want %q", shape, s[shape], want)
		}
	}
	if len(s) != 7 {
		t.Errorf("asked for %v", s)
	}
}

// TestDrawsAreThoseOfSeedAndName: the same bits again, others for another seed
// or name, unmoved by other layers, and rounded once for float32.
func TestDrawsAreThoseOfSeedAndName(t *testing.T) {
	for _, init := range []nn.Init{nn.GlorotUniform, nn.HeNormal, nn.TruncatedNormal{Std: 1}, nn.Orthogonal{}, nn.Sparse{Count: 5}, nn.Uniform{Lo: 1, Hi: 2}} {
		t.Run(init.String(), func(t *testing.T) {
			dense := func(name string) nn.Layer {
				return nn.Named{Name: name, Layer: nn.Dense{Units: 20, Init: init, BiasInit: nn.Normal{Std: 1}}}
			}
			model := func(seed nn.Seed, layers ...nn.Layer) *nn.Model[float64] {
				return must[*nn.Model[float64]](t)(nn.Build[float64](nn.Sequential(layers), nn.MeanSquaredError{}, []int{20}, seed))
			}
			m := model(5, dense("a"), dense("b"))
			if !slices.Equal(m.Params, model(5, dense("a"), dense("b")).Params) {
				t.Error("the same seed gives other numbers")
			}
			if other := model(6, dense("a"), dense("b")); slices.Equal(other.Tensor("a.weight"), m.Tensor("a.weight")) {
				t.Error("another seed gives the same numbers")
			}
			if slices.Equal(m.Tensor("a.weight"), m.Tensor("b.weight")) || slices.Equal(m.Tensor("a.bias"), m.Tensor("b.bias")) {
				t.Error("another name gives the same numbers")
			}
			more := model(5, dense("c"), nn.Tanh{}, dense("b"))
			if !slices.Equal(more.Tensor("b.weight"), m.Tensor("b.weight")) {
				t.Error("other layers change the numbers")
			}
			single := must[*nn.Model[float32]](t)(nn.Build[float32](nn.Sequential{dense("a"), dense("b")}, nn.MeanSquaredError{}, []int{20}, 5))
			for i, v := range m.Params {
				if single.Params[i] != float32(v) {
					t.Fatalf("element %d is %v in float32, %v in float64", i, single.Params[i], v)
				}
			}
		})
	}
}

// TestDefaultInitialisers: weights by Glorot, biases zero, gains one.
func TestDefaultInitialisers(t *testing.T) {
	m := build(t, nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3}, nn.BatchNorm{}, nn.Flatten{}, nn.Dense{Units: 50}, nn.LayerNorm{}}, nn.MeanSquaredError{}, 2, 6, 6)
	for _, p := range m.Parameters() {
		x := m.Tensor(p.Name)
		switch {
		case strings.HasSuffix(p.Name, ".bias"):
			if maxAbs(x...) != 0 {
				t.Errorf("%s is not zero", p.Name)
			}
		case p.Kind == nn.Norm:
			if slices.Min(x) != 1 || slices.Max(x) != 1 {
				t.Errorf("%s is not one", p.Name)
			}
		default:
			fans := map[string]float64{"conv1.weight": (2 + 4) * 9, "dense1.weight": 64 + 50}[p.Name]
			if bound := math.Sqrt(6 / fans); maxAbs(x...) > bound || maxAbs(x...) < 0.8*bound {
				t.Errorf("%s is up to %g, want %g", p.Name, maxAbs(x...), bound)
			}
		}
	}
}

// TestAutoencoderInit: the setting reaches the weights, and PyTorch's the biases as well.
func TestAutoencoderInit(t *testing.T) {
	for word, biases := range map[string]bool{"pytorch_uniform": true, "lecun_uniform": false} {
		net, loss, err := nn.ByName("autoencoder-relu:60-5,init="+word, []int{40}, 0)
		if err != nil {
			t.Fatal(err)
		}
		m := build(t, net, loss, 40)
		bound := 1 / math.Sqrt(60)
		if !biases {
			bound *= math.Sqrt(3)
		}
		if top := maxAbs(m.Tensor("dense4.weight")...); top > bound || top < 0.95*bound {
			t.Errorf("%s: weights from 60 inputs are up to %g, want %g", word, top, bound)
		}
		if top := maxAbs(m.Tensor("dense4.bias")...); biases != (top > 0.8*bound) || top > bound {
			t.Errorf("%s: biases are up to %g", word, top)
		}
	}
}

// TestBadInitialisersAreErrors: what is not a number is found when it is drawn.
func TestBadInitialisersAreErrors(t *testing.T) {
	for _, c := range []struct {
		init nn.Init
		want string
	}{
		{nn.Scaled{Gain: -1}, "scaled(-1)"},
		{nn.Normal{Std: math.NaN()}, "normal(0, NaN)"},
		{nn.Constant(math.Inf(1)), "constant(+Inf)"},
	} {
		_, err := nn.Build[float32](nn.Sequential{nn.Dense{Units: 3, Init: c.init}}, nn.MeanSquaredError{}, []int{2}, 1)
		says(t, err, "nn: ", `"dense1.weight"`, c.want)
	}
	if x := fill(nn.Sparse{Count: -3}, 1, []int{30, 4}, 30, 4); slices.Max(x) == 0 {
		t.Error("a negative count draws nothing")
	}
}
