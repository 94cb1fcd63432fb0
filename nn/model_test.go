package nn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
)

// listing is the parameters of a model with their shapes, kinds and offsets.
func listing(ps []nn.Param) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%d %s %v %v\n", p.Offset, p.Name, p.Shape, p.Kind)
	}
	return b.String()
}

// TestNames compares the list of parameters with that written by hand: layers
// are numbered by their kind in the sequence they stand in.
func TestNames(t *testing.T) {
	scale := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		return s.Add(s.Mul(x, s.Param("scale", nn.Constant(1), 1)), s.Param("bias", nn.Zeros, 1))
	})
	tied := nn.Shared{Name: "tied", Layer: nn.Sequential{nn.Dense{Units: 4}, nn.Named{Name: "last", Layer: nn.Dense{Units: 4, NoBias: true}}}}
	m := build(t, nn.Sequential{
		nn.Conv2D{Filters: 2, Kernel: 3, Groups: 2}, nn.ReLU{}, nn.Conv2D{Filters: 1, Kernel: 1, NoBias: true},
		nn.BatchNorm{}, nn.LayerNorm{Axes: 2},
		nn.Flatten{},
		nn.Residual{nn.Dense{Units: 3}, nn.Residual{nn.Dense{Units: 3}}, nn.Dense{Units: 4}},
		nn.Named{Name: "block", Layer: nn.Sequential{nn.Dense{Units: 4}, &nn.Dense{Units: 4}}},
		tied, scale, tied,
		nn.Named{Name: "dense2", Layer: nn.Dense{Units: 1, NoBias: true}},
		nn.Dense{Units: 2, NoBias: true}, nn.Dense{Units: 3, NoBias: true}, // the second may not be dense2
	}, nn.SoftmaxCrossEntropy{}, 2, 4, 4)
	const want = `0 conv1.weight [2 1 3 3] weight
18 conv1.bias [2] bias
20 conv2.weight [1 2 1 1] weight
22 batchnorm1.weight [1] norm
23 batchnorm1.bias [1] norm
24 layernorm1.weight [2 2] norm
28 layernorm1.bias [2 2] norm
32 residual1.dense1.weight [4 3] weight
44 residual1.dense1.bias [3] bias
47 residual1.residual1.dense1.weight [3 3] weight
56 residual1.residual1.dense1.bias [3] bias
59 residual1.dense2.weight [3 4] weight
71 residual1.dense2.bias [4] bias
75 block.dense1.weight [4 4] weight
91 block.dense1.bias [4] bias
95 block.dense2.weight [4 4] weight
111 block.dense2.bias [4] bias
115 tied.dense1.weight [4 4] weight
131 tied.dense1.bias [4] bias
135 tied.last.weight [4 4] weight
151 func1.scale [1] weight
152 func1.bias [1] bias
153 dense2.weight [4 1] weight
157 dense1.weight [1 2] weight
159 dense3.weight [2 3] weight
`
	if got := listing(m.Parameters()); got != want {
		t.Errorf("parameters\n%swant\n%s", got, want)
	}
	if len(m.Params) != 165 {
		t.Errorf("%d parameters, want 165", len(m.Params))
	}
	const buffers = "0 batchnorm1.running_mean [1] norm\n1 batchnorm1.running_var [1] norm\n"
	if got := listing(m.BufferList()); got != buffers {
		t.Errorf("buffers\n%swant\n%s", got, buffers)
	}
	if got := must[*nn.Graph](t)(m.Graph(3, true)); len(got.Params) != 25 || len(got.Buffers) != 2 || len(got.Updates) != 2 {
		t.Errorf("a graph with %d parameters, %d buffers and %d updates", len(got.Params), len(got.Buffers), len(got.Updates))
	}
}

// TestTensorsArePartsOfTheVector: what is written to one is in the other.
func TestTensorsArePartsOfTheVector(t *testing.T) {
	m := build(t, nn.Sequential{nn.Dense{Units: 2}, nn.BatchNorm{}}, nn.MeanSquaredError{}, 3)
	for _, p := range m.Parameters() {
		x := m.Tensor(p.Name)
		x[p.Size()-1] = 77
		if len(x) != p.Size() || m.Params[p.Offset+p.Size()-1] != 77 {
			t.Errorf("%s is not part of Params", p.Name)
		}
	}
	m.Tensor("batchnorm1.running_var")[1] = 9
	if m.Buffers[3] != 9 {
		t.Error("running_var is not part of Buffers")
	}
	if m.Tensor("dense2.weight") != nil {
		t.Error("a tensor that is not there is not nil")
	}
}

// TestModelKnowsItsShapes tests what a caller sees of inputs, outputs and
// targets.
func TestModelKnowsItsShapes(t *testing.T) {
	rows := nn.Sequential{nn.Flatten{}, nn.Dense{Units: 6}, nn.Reshape{To: []int{2, 3}}}
	for _, c := range []struct {
		loss    nn.Loss
		target  []int
		classes int
	}{
		{nn.SoftmaxCrossEntropy{}, []int{2}, 3},
		{nn.SoftmaxCrossEntropy{Probs: true}, []int{2, 3}, 0},
		{nn.SigmoidCrossEntropy{}, []int{2, 3}, 0},
		{nn.MeanSquaredError{}, []int{2, 3}, 0},
		{nn.Huber{}, []int{2, 3}, 0},
	} {
		m := build(t, rows, c.loss, 1, 2, 2)
		target, classes := m.Target()
		if !slices.Equal(m.Input(), []int{1, 2, 2}) || !slices.Equal(m.Output(), []int{2, 3}) || !slices.Equal(target, c.target) || classes != c.classes || m.Loss() != c.loss {
			t.Errorf("%s: input %v, output %v, target %v of %d classes", m.Loss(), m.Input(), m.Output(), target, classes)
		}
		g := must[*nn.Graph](t)(m.Graph(5, true))
		if y := append([]int{5}, c.target...); !slices.Equal([]int(g.Y.Shape()), y) {
			t.Errorf("%s: targets of shape %v, want %v", c.loss, g.Y.Shape(), y)
		}
		if _, ok := c.loss.(nn.SoftmaxCrossEntropy); ok != (g.Metrics[0].Name == "accuracy") {
			t.Errorf("%s has the metric %s", c.loss, g.Metrics[0].Name)
		}
	}
}

// TestPaddingAndSizes compares shapes with those by the usual formulas.
func TestPaddingAndSizes(t *testing.T) {
	for _, c := range []struct {
		layer nn.Layer
		want  []int // of an image of 3 x 7 x 6
	}{
		{nn.Conv2D{Filters: 2, Kernel: 3}, []int{2, 5, 4}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same}, []int{2, 7, 6}},
		{nn.Conv2D{Filters: 2, Kernel: 4, Padding: nn.Same}, []int{2, 7, 6}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same, Dilation: 2}, []int{2, 7, 6}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same, Stride: 2}, []int{2, 4, 3}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same, StrideHW: [2]int{3, 0}}, []int{2, 3, 6}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same, DilationHW: [2]int{0, 2}}, []int{2, 7, 6}},
		{nn.Conv2D{Filters: 2, Kernel: 3, KernelHW: [2]int{0, 5}}, []int{2, 5, 2}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Pad(2), Stride: 2}, []int{2, 5, 4}},
		{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Padding{Top: 1, Right: 3}}, []int{2, 6, 7}},
		{nn.MaxPool2D{Size: 2}, []int{3, 3, 3}},
		{nn.MaxPool2D{Size: 2, Padding: nn.Same}, []int{3, 4, 3}},
		{nn.MaxPool2D{Size: 3, Stride: 2}, []int{3, 3, 2}},
		{nn.AvgPool2D{SizeHW: [2]int{3, 2}, StrideHW: [2]int{1, 0}}, []int{3, 5, 3}},
		{nn.GlobalAvgPool{}, []int{3}},
	} {
		m := build(t, nn.Sequential{c.layer, gain}, nn.MeanSquaredError{}, 3, 7, 6)
		if !slices.Equal(m.Output(), c.want) {
			t.Errorf("%+v gives %v, want %v", c.layer, m.Output(), c.want)
		}
	}
}

// TestSummary compares the table with its text.
func TestSummary(t *testing.T) {
	tied := nn.Shared{Name: "tied", Layer: nn.Dense{Units: 40}}
	m := build(t, nn.Sequential{
		nn.Conv2D{Filters: 8, Kernel: 3, Padding: nn.Same}, nn.BatchNorm{}, nn.LeakyReLU{}, nn.MaxPool2D{Size: 2}, nn.Flatten{},
		nn.Named{Name: "code", Layer: nn.Dense{Units: 40}}, tied, nn.Residual{nn.Tanh{}, tied}, nn.Dropout{Rate: 0.5}, gain, nn.Dense{Units: 10},
	}, nn.SoftmaxCrossEntropy{}, 1, 8, 8)
	// 1x9x8+8 = 80; 16; 128x40+40; 40x40+40; 1; 40x10+10
	want := strings.Join([]string{
		"name             layer           output   parameters",
		"input            -               [1 8 8]  -",
		"conv1            Conv2D 3x3x8    [8 8 8]  80",
		"batchnorm1       BatchNorm       [8 8 8]  16",
		"leakyrelu1       LeakyReLU 0.01  [8 8 8]  -",
		"maxpool1         MaxPool2D 2x2   [8 4 4]  -",
		"flatten1         Flatten         [128]    -",
		"code             Dense 40        [40]     5,160",
		"tied             Dense 40        [40]     1,640",
		"residual1.tanh1  Tanh            [40]     -",
		"tied             Dense 40        [40]     -",
		"dropout1         Dropout 0.5     [40]     -",
		"func1            Func            [40]     1",
		"dense1           Dense 10        [10]     410",
		"total                                     7,307",
		"",
	}, "\n")
	if got := m.Summary(); got != want {
		t.Errorf("summary\n%swant\n%s", got, want)
	}
	sum := 0
	for _, r := range m.Rows() {
		sum += r.Params
	}
	if sum != len(m.Params) {
		t.Errorf("rows have %d parameters, the model %d", sum, len(m.Params))
	}
}

// TestNamedModelsHaveTheirNumberOfParameters compares with sums of products of
// sizes.
func TestNamedModelsHaveTheirNumberOfParameters(t *testing.T) {
	images := []int{1, 28, 28}
	known := append(nn.ModelNames(), "784-300-100-10", "784-10", "logistic:bias")
	want := map[string]int{
		"softmax":          784*10 + 10,
		"mlp":              101770, // 784x128+128 + 128x10+10
		"lenet":            61706,  // 156 + 2416 + 400x120+120 + 120x84+84 + 84x10+10
		"cnn":              421642, // 320 + 18496 + 7x7x64x128+128 + 1290
		"narrow":           20530,  // 784x20+20 + 11 of 20x20+20 + 20x10+10
		"autoencoder":      2837314,
		"autoencoder-relu": 2837314,
		"784-300-100-10":   266610, // 235500 + 30100 + 1010
		"784-10":           7850,
		"logistic":         784,
		"logistic:bias":    785,
		"nls":              784,
		"lse":              784,
	}
	if len(known) != len(want) {
		t.Errorf("known models are %v", known)
	}
	for _, name := range known {
		classes, output := 10, []int{10}
		switch head, _, _ := strings.Cut(name, ":"); {
		case nn.IsAutoencoder(name):
			output = []int{784}
		case nn.NumberTargets(name):
			classes, output = 0, []int{1}
		case head == "logistic" || head == "nls":
			classes, output = 2, []int{1}
		}
		net, loss, err := nn.ByName(name, images, classes)
		if err != nil {
			t.Fatal(err)
		}
		m := must[*nn.Model[float32]](t)(nn.Build[float32](net, loss, images, 1))
		if len(m.Params) != want[name] || !slices.Equal(m.Output(), output) {
			t.Errorf("%s has %d parameters and output %v, want %d and %v", name, len(m.Params), m.Output(), want[name], output)
		}
	}
}

// TestNamedModelsAreTheirLayers compares the layers with those of the papers.
func TestNamedModelsAreTheirLayers(t *testing.T) {
	for name, want := range map[string]string{
		"softmax":     "Flatten|Dense 10",
		"mlp":         "Flatten|Dense 128|ReLU|Dense 10",
		"784-20-30-9": "Flatten|Dense 20|ReLU|Dense 30|ReLU|Dense 9",
		"lenet": "Conv2D 5x5x6 [6 28 28]|ReLU|MaxPool2D 2x2|Conv2D 5x5x16 [16 10 10]|ReLU|MaxPool2D 2x2|" +
			"Flatten|Dense 120|ReLU|Dense 84|ReLU|Dense 10",
		"cnn":                "Conv2D 3x3x32 [32 28 28]|ReLU|MaxPool2D 2x2|Conv2D 3x3x64 [64 14 14]|ReLU|MaxPool2D 2x2|Flatten|Dense 128|ReLU|Dense 10",
		"mlp:layernorm":      "Flatten|Dense 128|LayerNorm 1|ReLU|Dense 10",
		"784-20-9:batchnorm": "Flatten|Dense 20|BatchNorm|ReLU|Dense 9",
		"lenet:layernorm": "Conv2D 5x5x6 [6 28 28]|LayerNorm 3|ReLU|MaxPool2D 2x2|Conv2D 5x5x16 [16 10 10]|LayerNorm 3|ReLU|MaxPool2D 2x2|" +
			"Flatten|Dense 120|LayerNorm 1|ReLU|Dense 84|LayerNorm 1|ReLU|Dense 10",
		"narrow": "Flatten|" + strings.Repeat("Dense 20|Tanh|", 12) + "Dense 10",
		"autoencoder": "Flatten|Dense 1000|Sigmoid|Dense 500|Sigmoid|Dense 250|Sigmoid|Dense 30|" +
			"Dense 250|Sigmoid|Dense 500|Sigmoid|Dense 1000|Sigmoid|Dense 784",
		"autoencoder-relu": "Flatten|Dense 1000|ReLU|Dense 500|ReLU|Dense 250|ReLU|Dense 30|" +
			"Dense 250|ReLU|Dense 500|ReLU|Dense 1000|ReLU|Dense 784",
		"autoencoder-relu:20-7":        "Flatten|Dense 20|ReLU|Dense 7|Dense 20|ReLU|Dense 784",
		"autoencoder:7":                "Flatten|Dense 7|Dense 784",
		"autoencoder:7,init=he_normal": "Flatten|Dense 7|Dense 784",
		"autoencoder-relu:init=pytorch_uniform": "Flatten|Dense 1000|ReLU|Dense 500|ReLU|Dense 250|ReLU|Dense 30|" +
			"Dense 250|ReLU|Dense 500|ReLU|Dense 1000|ReLU|Dense 784",
	} {
		classes := 10
		if strings.HasPrefix(name, "784-20-") {
			classes = 9
		}
		net, loss, err := nn.ByName(name, []int{1, 28, 28}, classes)
		if err != nil {
			t.Fatal(err)
		}
		m := must[*nn.Model[float32]](t)(nn.Build[float32](net, loss, []int{1, 28, 28}, 1))
		var layers []string
		for _, r := range m.Rows() {
			layer := r.Layer
			if strings.HasPrefix(layer, "Conv2D") {
				layer += fmt.Sprint(" ", r.Output)
			}
			layers = append(layers, layer)
		}
		if got := strings.Join(layers, "|"); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		if wantLoss := map[bool]string{true: "sigmoid cross-entropy", false: "softmax cross-entropy"}[nn.IsAutoencoder(name)]; loss.String() != wantLoss {
			t.Errorf("%s has the loss %s", name, loss)
		}
		if name != "autoencoder" {
			continue
		}
		// Martens' initialisation: 15 connections a unit, biases 0.
		for _, p := range m.Parameters() {
			count := 0
			for _, v := range m.Tensor(p.Name) {
				if v != 0 {
					count++
				}
			}
			if units := p.Shape[len(p.Shape)-1]; p.Kind == nn.Bias && count != 0 || p.Kind == nn.Weight && count != 15*units {
				t.Errorf("%s of shape %v begins with %d numbers other than 0", p.Name, p.Shape, count)
			}
		}
	}
}

// TestNamedModelsForOtherImages builds each at the least size it allows, and is
// refused below it.
func TestNamedModelsForOtherImages(t *testing.T) {
	for _, c := range []struct {
		name  string
		least int // height and width
	}{{"softmax", 1}, {"mlp", 1}, {"lenet", 12}, {"cnn", 4}, {"autoencoder", 1}} {
		net, loss, err := nn.ByName(c.name, []int{3, c.least, c.least + 1}, 7)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nn.Build[float32](net, loss, []int{3, c.least, c.least + 1}, 1); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.least > 1 {
			for _, input := range [][]int{{3, c.least - 1, 40}, {3, 40, c.least - 1}, {784}, {28, 28}} {
				_, _, err := nn.ByName(c.name, input, 7)
				says(t, err, "nn: model", c.name, fmt.Sprintf("%dx%d", c.least, c.least), fmt.Sprint(input))
			}
		}
	}
}

// TestUnknownModels: the error lists what is known and the nearest name.
func TestUnknownModels(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"lennet", []string{`unknown model "lennet"`, "softmax, mlp, lenet, cnn, narrow, autoencoder", "784-300-100-10", `did you mean "lenet"?`}},
		{"MLP", []string{`did you mean "mlp"?`}},
		{"auto-encoder", []string{`did you mean "autoencoder"?`}},
		{"784-300-200", []string{`"784-300-200"`, "784 inputs and 10 classes"}},
		{"100-10", []string{"begin with 784", "end with 10"}},
		{"784-0-10", []string{`"0" is not a size`}},
		{"784--10", []string{`"" is not a size`}},
		{"784-abc-10", []string{`"abc" is not a size`}},
		{"autoencoder:", []string{`"" is not a size`, "like 1000-500-250-30"}},
		{"autoencoder-relu:batchnorm", []string{`"batchnorm" is not a size`}},
		{"autoencoder:20-0", []string{`"0" is not a size`}},
		{"autoencoder:20,init=he", []string{`init is "he"`, "pytorch_uniform"}},
		{"autoencoder:init=he_norml", []string{`did you mean "he_normal"?`}},
		{"autoencoder:init=he_normal,20", []string{`init is "he_normal,20"`}},
	} {
		_, _, err := nn.ByName(c.name, []int{1, 28, 28}, 10)
		says(t, err, append(c.want, "nn: ")...)
	}
	// Sizes that no computer holds are refused when they are built.
	net, loss, err := nn.ByName("784-9999999999999-10", []int{784}, 10)
	if err == nil {
		_, err = nn.Build[float32](net, loss, []int{784}, 1)
	}
	says(t, err, "nn: ", "[784 9999999999999]", "at most 2147483647")

	_, _, err = nn.ByName("transformer of some sort", []int{784}, 10)
	says(t, err, "unknown model")
	if strings.Contains(err.Error(), "did you mean") {
		t.Errorf("a name that is near none has a nearest one: %v", err)
	}
}
