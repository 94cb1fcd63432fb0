package optimizers_test

import (
	"maps"

	"github.com/saddle-ml/saddle/optimizers/opttest"
)

func init() {
	maps.Copy(goals, map[string][]opttest.Goal{
		"adahessian": {
			{Known: opttest.Rosenbrock, Method: parsed("adahessian:lr=1,beta2=0.99"), Steps: 20000, Below: 1e-8},
			{Known: opttest.Beale, Method: parsed("adahessian"), Steps: 5000, Below: 1e-8},
			{Known: opttest.Wood, Method: parsed("adahessian:lr=1,beta2=0.99"), Steps: 5000, Below: 1e-8},
			{Known: opttest.Saddle, Method: parsed("adahessian"), Steps: 500, Below: 1e-8},
		},
		"sophia": {
			{Known: opttest.Rosenbrock, Method: parsed("sophia:estimator=hutchinson,weight_decay=0,every=1,lr=0.02"), Steps: 20000, Below: 1e-8},
			{Known: opttest.Beale, Method: parsed("sophia:estimator=hutchinson,weight_decay=0,every=1,lr=0.005"), Steps: 5000, Below: 1e-8},
			{Known: opttest.Wood, Method: parsed("sophia:estimator=hutchinson,weight_decay=0,every=1,lr=0.02"), Steps: 20000, Below: 1e-8},
			{Known: opttest.Saddle, Method: parsed("sophia:estimator=hutchinson,weight_decay=0,lr=0.005"), Steps: 1000, Below: 1e-8},
		},
		"natural_gradient": {
			{Known: opttest.Rosenbrock, Steps: 200, Below: 1e-12},
			{Known: opttest.Beale, Steps: 100, Below: 1e-12},
			{Known: opttest.Wood, Steps: 300, Below: 1e-12},
			{Known: opttest.Saddle, Steps: 100, Below: 1e-12},
			{Known: opttest.Rosenbrock, Method: parsed("natural_gradient:adapt=false,lr=0.1,damping=1e-3"), Steps: 5000, Below: 1e-8},
		},
		"negative_curvature": {
			{Known: opttest.Rosenbrock, Steps: 20000, Below: 1e-8},
			{Known: opttest.Beale, Steps: 5000, Below: 1e-8},
			{Known: opttest.Wood, Steps: 10000, Below: 1e-8},
			{Known: opttest.Saddle, Steps: 200, Below: 1e-12},
		},
		"perturbed_gd": {
			{Known: opttest.Rosenbrock, Method: parsed("perturbed_gd:lr=0.001"), Steps: 40000, Below: 1e-8},
			{Known: opttest.Beale, Method: parsed("perturbed_gd:lr=0.01"), Steps: 20000, Below: 1e-8},
			{Known: opttest.Wood, Method: parsed("perturbed_gd:lr=0.0003"), Steps: 60000, Below: 1e-8},
			{Known: opttest.Saddle, Steps: 1000, Below: 1e-8},
		},
	})
	hfVariants := []string{"hf:structural=0.5,curvature=10,weight_decay=0.01", "hf:growth=1.3,curvature=10", "hf:growth=3,objective=batch,curvature=0.1", "hf:growth=1.5,objective=full,structural=2,hessian",
		"hf:preset=martens2010,curvature=20", "hf:precondition=kfac,curvature=10", "hf:precondition=kfac,hessian,weight_decay=0.1,curvature=30", "hf:preset=martens2010,cg_iters=20,growth=2"}
	variants["hf"] = append(variants["hf"], hfVariants...)
	maps.Copy(variants, map[string][]string{
		"adahessian":         {"adahessian:every=3,probes=2,curvature=10,weight_decay=0.1", "adahessian:hessian_power=0.5,average_kernels=false", "adahessian:beta1=0,hessian_power=0"},
		"sophia":             {"sophia:estimator=hutchinson,every=2,seed=3", "sophia:curvature=20,every=1,rho=1", "sophia:estimator=hutchinson,curvature=20,weight_decay=0"},
		"natural_gradient":   {"natural_gradient:curvature=10,weight_decay=0.01", "natural_gradient:kl=1e-4,curvature=0.5,objective=full", "natural_gradient:adapt=false,objective=sample,lr=0.3,curvature=20"},
		"negative_curvature": {"negative_curvature:curvature=10", "negative_curvature:every=3,objective=full,weight_decay=0.1", "negative_curvature:l=1e6,m=1e-6,lanczos_iters=2", "negative_curvature:l=1e-6,tries=1,objective=sample,curvature=0.5"},
		"perturbed_gd":       {"perturbed_gd:threshold=100,wait=1,radius=1", "perturbed_gd:threshold=100,wait=2,decrease=1", "perturbed_gd:threshold=0", "perturbed_gd:threshold=0.3,wait=1,seed=5"},
	})
}
