package nn_test

import (
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/nn"
)

func TestProblemsTakeSettings(t *testing.T) {
	for _, c := range []struct {
		spec    string
		classes int
		loss    string
		first   float64 // of the weights
		bias    bool
	}{
		{"logistic", 2, "logistic loss + 0.0001/2 |w|²", 0, false},
		{"logistic:l2=0", 2, "logistic loss", 0, false},
		{"logistic: l2=1e-3, bias, init=ones", 2, "logistic loss + 0.001/2 |w|²", 1, true},
		{"logistic:bias=false,init=0.5", 2, "logistic loss + 0.0001/2 |w|²", 0.5, false},
		{"nls", 2, "squared error of a probability", 0, false},
		{"nls:l2=2,init=zeros", 2, "squared error of a probability + 2/2 |w|²", 0, false},
		{"lse", 0, "log-sum-exp(0.05)", 0, false},
		{"lse:rho=0.25,init=-2", 0, "log-sum-exp(0.25)", -2, false},
	} {
		net, loss, err := nn.ByName(c.spec, []int{3}, c.classes)
		if err != nil {
			t.Fatal(err)
		}
		m := must[*nn.Model[float64]](t)(nn.Build[float64](net, loss, []int{3}, 1))
		if loss.String() != c.loss {
			t.Errorf("%s has the loss %s, want %s", c.spec, loss, c.loss)
		}
		want := []float64{c.first, c.first, c.first}
		if c.bias {
			want = append(want, 0)
		}
		if !slices.Equal(m.Params, want) {
			t.Errorf("%s begins at %v, want %v", c.spec, m.Params, want)
		}
		if m.Joint() != (c.classes == 0) {
			t.Errorf("%s is joint: %v", c.spec, m.Joint())
		}
	}
	net, loss, _ := nn.ByName("nls:init=randn", []int{3}, 2)
	m := must[*nn.Model[float64]](t)(nn.Build[float64](net, loss, []int{3}, 1))
	if other := must[*nn.Model[float64]](t)(nn.Build[float64](net, loss, []int{3}, 2)); slices.Equal(m.Params, other.Params) || m.Params[0] == m.Params[1] {
		t.Errorf("init=randn begins at %v with seed 1 and at %v with seed 2", m.Params, other.Params)
	}
}

func TestProblemsRefuseWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		spec    string
		classes int
		says    []string
	}{
		{"logistic", 10, []string{"two classes", "10 classes", "softmax"}},
		{"nls", 3, []string{"two classes", "3 classes"}},
		{"logistic", 0, []string{"two classes", "numbers as targets"}},
		{"lse", 2, []string{"targets are numbers", "2 classes"}},
		{"mlp", 0, []string{"wants classes", "numbers as targets"}},
		{"softmax:l2=1", 2, []string{"has no settings"}},
		{"mlp:batchnrm", 2, []string{`no setting "batchnrm"`, `did you mean "batchnorm"?`}},
		{"3-4-2:l2=1", 2, []string{"its settings are batchnorm and layernorm"}},
		{"3-2:batchnorm", 2, []string{"no hidden layers"}},
		{"mlp:layrnorm", 2, []string{`did you mean "layernorm"?`}},
		{"3-4-9:batchnorm", 2, []string{"end with 2"}},
		{"logistic:rho=1", 2, []string{`no setting "rho"`, "l2, bias, init"}},
		{"lse:bias", 0, []string{`no setting "bias"`, "rho, l2, init"}},
		{"logistic:int=1", 2, []string{`did you mean "init"?`}},
		{"logistic:l2=1,l2=2", 2, []string{"l2 is given twice"}},
		{"logistic:l2=-1", 2, []string{`l2 is "-1"`, "from 0 on"}},
		{"logistic:l2", 2, []string{`l2 is ""`}},
		{"logistic:l2=NaN", 2, []string{`l2 is "NaN"`}},
		{"logistic:,", 2, []string{`no setting ""`}},
		{"lse:rho=0", 0, []string{`rho is "0"`, "above 0"}},
		{"logistic:bias=no", 2, []string{`bias is "no"`, "true and false"}},
		{"logistic:init=rand", 2, []string{`init is "rand"`, "zeros, ones, randn", `did you mean "randn"?`}},
		{"logistik:l2=1", 2, []string{"unknown model", `did you mean "logistic"?`}},
	} {
		_, _, err := nn.ByName(c.spec, []int{3}, c.classes)
		says(t, err, append(c.says, "nn: ")...)
	}
	for _, c := range []struct {
		loss nn.Loss
		out  int
		says []string
	}{
		{nn.Logistic{}, 2, []string{"shape [1]", "[2]"}},
		{nn.Brier{}, 3, []string{"shape [1]", "[3]"}},
		{nn.LogSumExp{}, 2, []string{"shape [1]", "[2]"}},
		{nn.LogSumExp{Rho: -1}, 1, []string{"rho must be positive"}},
		{nn.L2{Lambda: 1}, 1, []string{"its loss is nil"}},
		{nn.L2{Of: nn.Logistic{}, Lambda: -1}, 1, []string{"lambda is -1"}},
		{nn.L2{Of: nn.Logistic{}, Lambda: 1}, 2, []string{"shape [1]"}},
	} {
		_, err := nn.Build[float64](nn.Dense{Units: c.out}, c.loss, []int{3}, 1)
		says(t, err, append(c.says, "nn: ")...)
	}
	// A network of biases alone has nothing to penalise, unless all are meant.
	bias := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Add(x, s.Param("bias", nn.Zeros, 1)) })
	_, err := nn.Build[float64](bias, nn.L2{Of: nn.Logistic{}, Lambda: 1}, []int{1}, 1)
	says(t, err, "no weights to penalise")
	if _, err := nn.Build[float64](bias, nn.L2{Of: nn.Logistic{}, Lambda: 1, All: true}, []int{1}, 1); err != nil {
		t.Error(err)
	}
}
