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
	})
	maps.Copy(variants, map[string][]string{
		"adahessian": {"adahessian:every=3,probes=2,curvature=10,weight_decay=0.1", "adahessian:hessian_power=0.5,average_kernels=false", "adahessian:beta1=0,hessian_power=0"},
		"sophia":     {"sophia:estimator=hutchinson,every=2,seed=3", "sophia:curvature=20,every=1,rho=1", "sophia:estimator=hutchinson,curvature=20,weight_decay=0"},
	})
}
