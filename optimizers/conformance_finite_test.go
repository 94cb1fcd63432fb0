package optimizers_test

import (
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// On a plain function the minibatch is the training set: SVRG, SAGA and SARAH are gradient descent, and STORM is that
// with a rate of its own.
func init() {
	descent := func(method string) []opttest.Goal {
		return []opttest.Goal{
			{Known: opttest.Rosenbrock, Method: parsed(method + ":lr=0.001"), Steps: 50000, Below: 1e-8},
			{Known: opttest.Beale, Method: parsed(method + ":lr=0.03"), Steps: 10000, Below: 1e-8},
			{Known: opttest.Wood, Method: parsed(method + ":lr=0.0004"), Steps: 50000, Below: 1e-8},
			{Known: opttest.Saddle, Method: parsed(method), Steps: 500, Below: 1e-8},
		}
	}
	for _, method := range []string{"svrg", "saga", "sarah"} {
		goals[method] = descent(method)
	}
	goals["storm"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("storm"), Steps: 50000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("storm"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("storm:lr=0.25"), Steps: 50000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("storm"), Steps: 2000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("storm:elementwise,lr=0.3"), Steps: 50000, Below: 1e-8},
	}
	variants["svrg"] = []string{"svrg:passes=0.7", "svrg:passes=3,lr=0.01", "svrg:lr=0"}
	variants["saga"] = []string{"saga:lr=0.01", "saga:budget=1e-5"}
	variants["sarah"] = []string{"sarah:passes=0.7", "sarah:passes=3,gamma=0.9", "sarah:gamma=0.01"}
	variants["storm"] = []string{"storm:c=1", "storm:c=0,w=1", "storm:elementwise", "storm:elementwise,c=3,largest=1e-6"}
	wrapped = append(wrapped, "svrg+lookahead:k=2", "saga+ema:decay=0.9", "sarah+decay:weight_decay=0.1", "storm+onecycle:steps=20", "saga+cosine:t_max=5",
		"sgd+norm_test:every=1,theta=0.3", "adam+norm_test:every=2,theta=0.1,factor=1.2,most=60", "sgd:momentum=0.9+norm_test:theta=1e-6,every=1,factor=1.4",
		"sgd+clip+lookahead:k=2+norm_test:every=1", "adam+cosine:t_max=5+norm_test", "sgd+norm_test:every=1,theta=0.2+onecycle:steps=20+ema",
		"sgd+geometric_batch:tau=1.3", "adam+geometric_batch:tau=1.2,most=50", "hf:curvature=10+geometric_batch:tau=1.1", "svrg+geometric_batch:tau=1.3",
		"saga+geometric_batch:tau=1.3", "sarah+geometric_batch:tau=1.5", "storm+geometric_batch:tau=1.1", "sgd+geometric_batch:tau=1.2+sam")
	for _, wrapper := range []string{"clip", "noise", "sam", "accumulate"} {
		clashes["svrg+"+wrapper] = wrapper + " cannot stand around svrg: it takes differences of gradients at several points"
	}
	clashes["sarah+lookahead+clip"] = "clip cannot stand around sarah+lookahead: it takes differences"
	clashes["svrg+norm_test"] = "the variance of its direction is another; allowed is geometric_batch"
	clashes["sgd+norm_test+geometric_batch"] = "its minibatch grows already"
	clashes["sgd+norm_test+clip"] = "write clip before what grows it"
	clashes["adam+norm_test+accumulate"] = "it needs squared per-example gradients of minibatches that are gone"
	clashes["saga+accumulate"] = "it needs gradients of single examples of minibatches that are gone"
}

// A table that does not fit is an error that says how large it would be.
func TestSAGAKeepsItsBudget(t *testing.T) {
	p := opttest.NewExamples[float32]()
	o, err := optimizers.New[float32](parsed("saga:budget=1e-6")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Step(t.Context(), p.Start(), p)
	if err == nil || !strings.Contains(err.Error(), "a table of 96 gradients of 11 numbers takes 3.93e-06 GiB, more than its budget of 1e-06") || !strings.Contains(err.Error(), "svrg") {
		t.Errorf("the error is %v", err)
	}
	if _, err := p.Batch().Grad(make([]float32, 11), p.Start()); err != nil {
		t.Fatal(err)
	}
}
