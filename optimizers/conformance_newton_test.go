package optimizers_test

import "github.com/saddle-ml/saddle/optimizers/opttest"

func init() {
	goals["tr"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 40, Below: 1e-12},
		{Known: opttest.Beale, Steps: 30, Below: 1e-12},
		{Known: opttest.Wood, Steps: 80, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 20, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("tr:gauss_newton"), Steps: 40, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("tr:preset=xu2018"), Steps: 60, Below: 1e-12},
		{Known: opttest.Wood, Method: parsed("tr:preset=xu2018"), Steps: 100, Below: 1e-12},
	}
	variants["tr"] = []string{
		"tr:curvature=10", "tr:curvature=0.5,objective=full,weight_decay=0.01", "tr:curvature=0.2,objective=sample,gauss_newton",
		"tr:preset=xu2018,radius=1,cg_tol=1e-4", "tr:preset=xu2018,radius=0.5,curvature=1,max_radius=2,cg_tol=0.01", "tr:radius=1e6,tries=1", "tr:cg_iters=2,cg_tol=1e-6",
	}
}
