package nn_test

import (
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
)

// TestMistakesAreErrors builds what a user may get wrong. The error names the
// layer and what does not fit: its parts are given here.
func TestMistakesAreErrors(t *testing.T) {
	mse := nn.MeanSquaredError{}
	seq := func(ls ...nn.Layer) nn.Layer { return nn.Sequential(ls) }
	image, vector := []int{4, 6, 5}, []int{7}
	for _, c := range []struct {
		name  string
		net   nn.Layer
		loss  nn.Loss
		input []int
		want  []string
	}{
		{"no network", nil, mse, vector, []string{"network and the loss must not be nil"}},
		{"no loss", nn.Dense{Units: 1}, nil, vector, []string{"network and the loss must not be nil"}},
		{"empty input", nn.Dense{Units: 1}, mse, []int{3, 0}, []string{"input of shape [3 0]"}},
		{"no parameters", nn.Tanh{}, mse, vector, []string{"no parameters"}},
		{"nil layer", seq(nn.Dense{Units: 1}, nil), mse, vector, []string{"a layer is nil"}},
		{"nil layer with a name", seq(nn.Named{Name: "head"}), mse, vector, []string{"head", "layer is nil"}},
		{"nil shared layer", seq(nn.Shared{Name: "tied"}), mse, vector, []string{"tied", "layer is nil"}},
		{"nil layer inside a residual", seq(nn.Residual{nil}), mse, vector, []string{"residual1", "layer is nil"}},
		{"nil pointer to a layer", seq(nn.Dense{Units: 1}, (*nn.Dense)(nil)), mse, vector, []string{"a layer is nil"}},
		{"nil pointer with a name", seq(nn.Named{Name: "head", Layer: (*nn.Dense)(nil)}), mse, vector, []string{"head", "layer is nil"}},
		{"nil pointer to a network", (*nn.Dense)(nil), mse, vector, []string{"network and the loss must not be nil"}},
		{"nil pointer to a loss", nn.Dense{Units: 1}, (*nn.Huber)(nil), vector, []string{"network and the loss must not be nil"}},
		{"nil pointer to an initialiser", seq(nn.Dense{Units: 1, Init: (*nn.Sparse)(nil)}), mse, vector, []string{"dense1", `"dense1.weight"`, "no initialiser"}},
		{"nil function", seq(nn.Func(nil)), mse, vector, []string{"func1", "function is nil"}},

		{"no units", seq(nn.Dense{}), mse, vector, []string{"dense1 (Dense 0)", "0 units"}},
		{"negative units", seq(nn.Dense{Units: 2}, nn.Dense{Units: -3}), mse, vector, []string{"dense2 (Dense -3)", "-3 units"}},
		{"too many units", seq(nn.Dense{Units: 1 << 40}), mse, vector, []string{"dense1", `"dense1.weight"`, "[7 1099511627776]", "at most 2147483647"}},
		{"units beyond all numbers", seq(nn.Dense{Units: 1 << 62}), mse, vector, []string{"dense1", "at most 2147483647"}},
		{"too many units in all", seq(nn.Dense{Units: 1 << 27, NoBias: true}, nn.Dense{Units: 9}), mse, vector, []string{"dense2", `"dense2.weight"`, "[134217728 9]", "after 939524096 parameters"}},
		{"too many filters", seq(nn.Conv2D{Filters: 1 << 50, Kernel: 3}), mse, image, []string{"conv1", "[1125899906842624 4 3 3]", "at most 2147483647"}},
		{"too much padding", seq(nn.Conv2D{Filters: 1, Kernel: 3, Padding: nn.Pad(1 << 20)}), mse, image, []string{"conv1", "it gives shape", "at most 2147483647"}},
		{"too large an input", seq(nn.Flatten{}, nn.Dense{Units: 1}), mse, []int{1 << 40, 1 << 40}, []string{"input of shape [1099511627776 1099511627776]", "at most 2147483647"}},
		{"dense on images", seq(nn.Dense{Units: 2}), mse, image, []string{"dense1 (Dense 2)", "[2 4 6 5]", "Flatten"}},
		{"dense on numbers", seq(nn.Dense{Units: 2}), mse, nil, []string{"dense1 (Dense 2)", "[2]", "batch of vectors"}},
		{"a layer within layers", seq(nn.Named{Name: "block", Layer: nn.Residual{nn.Dense{}}}), mse, vector, []string{"block.dense1 (Dense 0)"}},

		{"convolution of vectors", seq(nn.Conv2D{Filters: 2, Kernel: 3}), mse, vector, []string{"conv1 (Conv2D 3x3x2)", "[2 7]", "[n channels height width]"}},
		{"no filters", seq(nn.Conv2D{Kernel: 3}), mse, image, []string{"conv1 (Conv2D 3x3x0)", "0 filters"}},
		{"no kernel", seq(nn.Conv2D{Filters: 2}), mse, image, []string{"conv1 (Conv2D 0x0x2)", "0x0"}},
		{"half a kernel", seq(nn.Conv2D{Filters: 2, KernelHW: [2]int{3, 0}}), mse, image, []string{"conv1", "3x0"}},
		{"kernel larger than the image", seq(nn.Conv2D{Filters: 2, Kernel: 7}), mse, image, []string{"conv1 (Conv2D 7x7x2)", "[7 7]", "6x5"}},
		{"dilated kernel larger than the image", seq(nn.Conv2D{Filters: 2, Kernel: 3, Dilation: 3}), mse, image, []string{"conv1", "[3 3]", "dilation [3 3]", "6x5"}},
		{"groups", seq(nn.Conv2D{Filters: 6, Kernel: 3, Groups: 3}), mse, image, []string{"conv1 (Conv2D 3x3x6)", "3 groups", "4 channels", "6 filters"}},
		{"groups of filters", seq(nn.Conv2D{Filters: 6, Kernel: 3, Groups: 4}), mse, image, []string{"4 groups", "6 filters"}},
		{"negative groups", seq(nn.Conv2D{Filters: 6, Kernel: 3, Groups: -1}), mse, image, []string{"conv1", "-1 groups"}},
		{"negative stride", seq(nn.Conv2D{Filters: 2, Kernel: 3, Stride: -1}), mse, image, []string{"conv1", "stride [-1 -1]"}},
		{"negative stride, same size", seq(nn.Conv2D{Filters: 2, Kernel: 3, Stride: -1, Padding: nn.Same}), mse, image, []string{"conv1", "stride [-1 -1]"}},
		{"negative dilation", seq(nn.Conv2D{Filters: 2, Kernel: 3, Dilation: -2}), mse, image, []string{"conv1", "dilation [-2 -2]"}},
		{"negative padding", seq(nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Pad(-1)}), mse, image, []string{"conv1", "padding [-1 -1 -1 -1]"}},
		{"pooling of vectors", seq(nn.MaxPool2D{Size: 2}), mse, vector, []string{"maxpool1 (MaxPool2D 2x2)", "[2 7]"}},
		{"no window", seq(nn.AvgPool2D{}), mse, image, []string{"avgpool1 (AvgPool2D 0x0)", "0x0"}},
		{"window larger than the image", seq(nn.MaxPool2D{Size: 6}), mse, image, []string{"maxpool1 (MaxPool2D 6x6)", "[6 6]", "6x5"}},
		{"padding as large as the window", seq(nn.AvgPool2D{Size: 2, Padding: nn.Pad(2)}), mse, image, []string{"avgpool1", "padding [2 2 2 2]", "[2 2]"}},
		{"mean of vectors", seq(nn.GlobalAvgPool{}), mse, vector, []string{"globalavgpool1 (GlobalAvgPool)", "[2 7]"}},

		{"reshape", seq(nn.Reshape{To: []int{4, 2}}), mse, vector, []string{"reshape1 (Reshape [4 2])", "[2 7]", "[2 4 2]"}},
		{"reshape with two free axes", seq(nn.Reshape{To: []int{-1, -1}}), mse, vector, []string{"reshape1 (Reshape [-1 -1])", "-1"}},
		{"residual", seq(nn.Residual{nn.Dense{Units: 3}}), mse, vector, []string{"residual1 (Residual)", "[2 7]", "[2 3]"}},
		{"dropout of all", seq(nn.Dropout{Rate: 1}), mse, vector, []string{"dropout1 (Dropout 1)", "rate 1"}},
		{"negative dropout", seq(nn.Dropout{Rate: -0.1}), mse, vector, []string{"dropout1", "rate -0.1"}},
		{"dropout of NaN", seq(nn.Dropout{Rate: math.NaN()}), mse, vector, []string{"dropout1", "rate NaN"}},
		{"clamp", seq(nn.Clamp{Lo: 2, Hi: 1}), mse, vector, []string{"clamp1 (Clamp 2 1)", "limits 2 and 1"}},
		{"clamp to one number", seq(nn.Clamp{}), mse, vector, []string{"clamp1 (Clamp 0 0)", "limits 0 and 0"}},
		{"clamp to NaN", seq(nn.Clamp{Lo: math.NaN(), Hi: 1}), mse, vector, []string{"clamp1", "limits NaN and 1"}},
		{"batch norm of rows", seq(nn.BatchNorm{}), mse, []int{3, 4}, []string{"batchnorm1 (BatchNorm)", "[2 3 4]"}},
		{"batch norm's momentum", seq(nn.BatchNorm{Momentum: 1.5}), mse, vector, []string{"batchnorm1", "momentum 1.5"}},
		{"batch norm's momentum of NaN", seq(nn.BatchNorm{Momentum: math.NaN()}), mse, vector, []string{"batchnorm1", "momentum NaN"}},
		{"batch norm's eps", seq(nn.BatchNorm{Eps: -1}), mse, vector, []string{"batchnorm1", "eps -1"}},
		{"layer norm's axes", seq(nn.LayerNorm{Axes: 2}), mse, vector, []string{"layernorm1 (LayerNorm 2)", "2 axes", "[2 7]"}},
		{"layer norm's eps", seq(nn.LayerNorm{Eps: math.NaN()}), mse, vector, []string{"layernorm1", "eps NaN"}},

		{"name used twice", seq(nn.Named{Name: "a", Layer: nn.Dense{Units: 2}}, nn.Named{Name: "a", Layer: nn.Dense{Units: 2}}), mse, vector, []string{`"a"`, "used before", "Shared"}},
		{"name that another layer has by itself", seq(nn.Dense{Units: 7}, nn.Named{Name: "dense1", Layer: nn.Dense{Units: 7}}), mse, vector, []string{`"dense1"`, "used before"}},
		{"empty name", seq(nn.Named{Layer: nn.Dense{Units: 2}}), mse, vector, []string{"empty"}},
		{"empty shared name", seq(nn.Shared{Layer: nn.Dense{Units: 2}}), mse, vector, []string{"Shared", "needs a name"}},
		{"shared name that another layer has", seq(nn.Dense{Units: 7}, nn.Shared{Name: "dense1", Layer: nn.Dense{Units: 7}}), mse, vector, []string{`"dense1.weight"`, "another layer"}},
		{"shared name within another's", seq(nn.Named{Name: "a", Layer: seq(nn.Dense{Units: 7})}, nn.Shared{Name: "a.dense1", Layer: nn.Dense{Units: 7}}), mse, vector, []string{`"a.dense1.weight"`, "another layer"}},
		{"shared at two shapes", seq(nn.Shared{Name: "s", Layer: nn.Dense{Units: 3}}, nn.Shared{Name: "s", Layer: nn.Dense{Units: 3}}), mse, vector, []string{"s (Dense 3)", "input has 3 features, weight wants 7", "[7 3]"}},
		{"shared convolution at other channels", seq(nn.Shared{Name: "s", Layer: nn.Conv2D{Filters: 6, Kernel: 3, Groups: 2}}, nn.Shared{Name: "s", Layer: nn.Conv2D{Filters: 6, Kernel: 3, Groups: 2}}), mse, image,
			[]string{"s (Conv2D 3x3x6)", "input has 6 channels, kernel wants 4", "[6 2 3 3]"}},
		{"shared at other units", seq(nn.Shared{Name: "s", Layer: nn.Dense{Units: 7}}, nn.Shared{Name: "s", Layer: nn.Dense{Units: 3}}), mse, vector, []string{"s (Dense 3)", `"s.weight"`, "[7 7]", "[7 3]"}},

		{"softmax of one class", nn.Dense{Units: 1}, nn.SoftmaxCrossEntropy{}, vector, []string{"softmax cross-entropy", "two classes", "[1]"}},
		{"smoothing", nn.Dense{Units: 3}, nn.SoftmaxCrossEntropy{Smoothing: 1}, vector, []string{"softmax cross-entropy", "smoothing 1"}},
		{"huber's delta", nn.Dense{Units: 3}, nn.Huber{Delta: -1}, vector, []string{"huber(-1)", "delta must be positive"}},
		{"huber's delta of NaN", nn.Dense{Units: 3}, nn.Huber{Delta: math.NaN()}, vector, []string{"huber(NaN)", "delta must be positive"}},

		{"a function that gives nothing", seq(nn.Func(func(*nn.Scope, *nn.Node) *nn.Node { return nil })), mse, vector, []string{"func1 (Func)", "no node"}},
		{"a function that sums up the batch", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Sum(x) })), mse, vector, []string{"func1 (Func)", "a number", "[2 7]"}},
		{"a network that is a sum over the batch", nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mean(gain(s, x), 0) }), mse, vector, []string{"network gives shape [7]", "batch of 2"}},
		{"a parameter without an initialiser", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mul(x, s.Param("a", nil, 1)) })), mse, vector, []string{"func1", `"func1.a"`, "no initialiser"}},
		{"a parameter without elements", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mul(x, s.Param("a", nn.Zeros, 0)) })), mse, vector, []string{`"func1.a"`, "[0]"}},
		{"a parameter at two shapes", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			return s.Add(s.Mul(x, s.Param("a", nn.Zeros, 1)), s.Param("a", nn.Zeros, 7))
		})), mse, vector, []string{`"func1.a"`, "[7]", "[1]"}},
		{"a buffer at two shapes", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			return s.Add(s.Mul(gain(s, x), s.Buffer("a", 0, 1)), s.Buffer("a", 0, 7))
		})), mse, vector, []string{`"func1.a"`, "[7]", "[1]"}},
		{"a buffer without elements", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mul(gain(s, x), s.Buffer("a", 0, 0)) })), mse, vector, []string{`"func1.a"`, "[0]"}},
		{"a buffer named as a parameter", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			return s.Mul(gain(s, x), s.Buffer("gain", 0, 1))
		})), mse, vector, []string{`"func1.gain"`, "parameter", "buffer"}},
		{"an update of no buffer", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			s.Update("b", x)
			return gain(s, x)
		})), mse, vector, []string{"func1", `"func1.b"`, "not declared"}},
		{"an update of another shape", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			s.Buffer("b", 0, 3)
			s.Update("b", x)
			return gain(s, x)
		})), mse, vector, []string{"func1", `"func1.b"`, "[3]", "[2 7]"}},
		{"an update to nothing", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
			s.Buffer("b", 0, 3)
			s.Update("b", nil)
			return gain(s, x)
		})), mse, vector, []string{"func1", `"func1.b"`, "no node"}},
		{"a function on unlike shapes", seq(nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Add(x, s.Param("a", nn.Zeros, 3)) })), mse, vector, []string{"func1 (Func)", "[2 7]", "[3]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := nn.Build[float32](c.net, c.loss, c.input, 1)
			says(t, err, append(c.want, "nn: ")...)
		})
	}
}

// says fails unless the error has all the parts.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q lacks %q", err, p)
		}
	}
}

// TestLayersMustNotDependOnTheBatch: parameters are those of any batch size.
func TestLayersMustNotDependOnTheBatch(t *testing.T) {
	sized := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mul(x, s.Param("a", nn.Zeros, s.Shape(x)[0], 1)) })
	_, err := build(t, nn.Sequential{sized}, nn.MeanSquaredError{}, 3).Graph(5, true)
	says(t, err, "func1 (Func)", `"func1.a"`, "[2 1]", "[5 1]")

	whenTraining := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		if s.Training() {
			return gain(s, x)
		}
		return x
	})
	_, err = build(t, nn.Sequential{whenTraining}, nn.MeanSquaredError{}, 3).Graph(2, false)
	says(t, err, `"func1.gain"`, "not used")

	late := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		if !s.Training() {
			x = s.Mul(x, s.Param("late", nn.Zeros, 1))
		}
		return gain(s, x)
	})
	_, err = build(t, nn.Sequential{late}, nn.MeanSquaredError{}, 3).Graph(2, false)
	says(t, err, `"func1.late"`, "did not exist")
}

// TestBadBatches tests what a model refuses once it is built.
func TestBadBatches(t *testing.T) {
	m := build(t, nn.Sequential{nn.Dense{Units: 3}, nn.BatchNorm{}}, nn.MeanSquaredError{}, 2)
	_, err := m.Graph(0, true)
	says(t, err, "nn: ", "batch of 0")
	_, err = m.Graph(1, true)
	says(t, err, "batchnorm1 (BatchNorm)", "more than one example")
	if _, err = m.Graph(1, false); err != nil {
		t.Error(err)
	}
	_, err = m.Predict(make([]float64, 5))
	says(t, err, "nn: predict", "5 numbers", "[2]")
	_, err = m.Classify(make([]float64, 4))
	says(t, err, "nn: classify", "mean squared error", "no classes")
	g := must[*nn.Graph](t)(m.Graph(2, false))
	err = m.Bind(g, nil, make([]float64, 3))
	says(t, err, "nn: bind", "3 parameters", "15")
}
