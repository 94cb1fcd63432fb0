package optimizers_test

import (
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// goals has, for each method of Methods, settings with which it comes near the known minima.
var goals = map[string][]opttest.Goal{
	"sgd": {
		{Known: opttest.Rosenbrock, Method: parsed("sgd:lr=0.001,momentum=0.9"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("sgd:lr=0.01,momentum=0.9,nesterov"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("sgd:lr=0.0002,momentum=0.9,nesterov"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("sgd"), Steps: 500, Below: 1e-8},
	},
	"adam": {
		{Known: opttest.Rosenbrock, Method: parsed("adam:lr=0.02"), Steps: 10000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("adam:lr=0.05"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("adam:lr=0.05"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("adam:lr=0.01,amsgrad"), Steps: 5000, Below: 1e-8},
	},
	"adamw": {
		{Known: opttest.Rosenbrock, Method: parsed("adamw:lr=0.02,weight_decay=0"), Steps: 10000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("adamw:lr=0.05,weight_decay=0"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("adamw:lr=0.03,weight_decay=0"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("adamw:lr=0.01"), Steps: 5000, Below: 1e-4},
	},
	"hf": {
		{Known: opttest.Rosenbrock, Steps: 100, Below: 1e-12},
		{Known: opttest.Beale, Steps: 100, Below: 1e-12},
		{Known: opttest.Wood, Steps: 100, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 100, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("hf:hessian"), Steps: 100, Below: 1e-12},
		{Known: opttest.Beale, Method: parsed("hf:hessian"), Steps: 100, Below: 1e-12},
		{Known: opttest.Wood, Method: parsed("hf:hessian"), Steps: 200, Below: 1e-12},
		{Known: opttest.Saddle, Method: parsed("hf:hessian"), Steps: 100, Below: 1e-12},
	},
}

// variants are further settings that have to keep the contract.
var variants = map[string][]string{
	"sgd":   {"sgd:momentum=0.9", "sgd:momentum=0.9,dampening=0.5,weight_decay=0.1", "sgd:momentum=0.9,nesterov", "sgd:lr=0"},
	"adam":  {"adam:amsgrad,weight_decay=0.1", "adam:beta1=0,beta2=0"},
	"adamw": {"adamw:amsgrad,weight_decay=0.1", "adamw:weight_decay=0"},
	"hf": {
		"hf:curvature=10", "hf:curvature=10,objective=batch", "hf:curvature=10,precondition=squares,weight_decay=0.01", "hf:hessian,objective=full,curvature=20,damping=0.001",
		"hf:hessian,damping=1e-6,warm_start=0", "hf:cg_iters=3,cg_progress=0,precondition=squares,hessian",
	},
}

// parsed makes the method of a specification.
func parsed(spec string) func() optimizers.Method {
	return func() optimizers.Method {
		m, err := optimizers.Parse(spec)
		if err != nil {
			panic(err)
		}
		return m
	}
}

func TestConformance(t *testing.T) {
	for _, info := range optimizers.Methods() {
		if len(goals[info.Name]) == 0 {
			t.Errorf("%s has no goals in this test's table", info.Name)
		}
		reached := map[string]bool{}
		for _, g := range goals[info.Name] {
			reached[g.Known.Name] = true
		}
		for _, k := range opttest.Functions() {
			if !reached[k.Name] {
				t.Errorf("%s has no goal for %s in this test's table", info.Name, k.Name)
			}
		}
		t.Run(info.Name, func(t *testing.T) { opttest.Run(t, parsed(info.Name), goals[info.Name]...) })
		for _, spec := range variants[info.Name] {
			t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed(spec)) })
		}
	}
	for _, spec := range []string{
		"adam+clip", "sgd:momentum=0.9+clip:norm=0.01", "hf:curvature=10+clip:norm=0.05",
		"adam+cosine:t_max=5", "sgd:momentum=0.9+onecycle:steps=20", "adamw+clip:norm=0.1+onecycle:steps=20,three_phase",
		"adam+constant:factor=0.5,total_iters=3+clip",
	} {
		t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed(spec)) })
	}
}
