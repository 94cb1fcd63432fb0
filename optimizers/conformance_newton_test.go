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
		"tr:curvature=10", "tr:curvature=1e6", "tr:curvature=0.5,objective=full,weight_decay=0.01", "tr:curvature=0.2,objective=sample,gauss_newton",
		"tr:preset=xu2018,radius=1,cg_tol=1e-4", "tr:preset=xu2018,radius=0.5,curvature=1,max_radius=2,cg_tol=0.01", "tr:radius=1e6,tries=1", "tr:start=random,average=0,warm_start=0", "tr:cg_iters=2,cg_tol=1e-6",
	}
	goals["arc"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 40, Below: 1e-12},
		{Known: opttest.Beale, Steps: 30, Below: 1e-12},
		{Known: opttest.Wood, Steps: 80, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 20, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("arc:gauss_newton"), Steps: 40, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("arc:preset=xu2018"), Steps: 60, Below: 1e-12},
		{Known: opttest.Wood, Method: parsed("arc:preset=xu2018"), Steps: 100, Below: 1e-12},
	}
	variants["arc"] = []string{
		"arc:curvature=10", "arc:curvature=1e6", "arc:curvature=0.5,objective=full,weight_decay=0.01", "arc:curvature=0.2,objective=sample,gauss_newton",
		"arc:preset=xu2018,cubic=1", "arc:cubic=1e-6,tries=1", "arc:cubic=1e6", "arc:lanczos_iters=2,lanczos_tol=1e-6",
	}
	goals["newton_cg"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 40, Below: 1e-12},
		{Known: opttest.Beale, Steps: 30, Below: 1e-12},
		{Known: opttest.Wood, Steps: 80, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 20, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("newton_cg:line_search=wolfe"), Steps: 40, Below: 1e-12},
		{Known: opttest.Wood, Method: parsed("newton_cg:line_search=wolfe"), Steps: 80, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("newton_cg:preset=xu2018"), Steps: 60, Below: 1e-12},
	}
	variants["newton_cg"] = []string{
		"newton_cg:curvature=10", "newton_cg:curvature=1e6", "newton_cg:curvature=0.5,objective=full,weight_decay=0.01", "newton_cg:curvature=0.2,objective=sample,gauss_newton",
		"newton_cg:preset=xu2018,curvature=0.9,cg_tol=0.01", "newton_cg:line_search=wolfe,weight_decay=0.1", "newton_cg:cg_iters=2,cg_tol=1e-6,shrink=0.9",
	}
	goals["lbfgs"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 5, Below: 1e-9},
		{Known: opttest.Beale, Steps: 5, Below: 1e-9},
		{Known: opttest.Wood, Method: parsed("lbfgs:tol_change=0"), Steps: 10, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 5, Below: 1e-9},
		{Known: opttest.Rosenbrock, Method: parsed("lbfgs:line_search=armijo,tol_change=0,iterations=1"), Steps: 80, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("lbfgs:preset=xu2018,history=10"), Steps: 80, Below: 1e-12},
	}
	variants["lbfgs"] = []string{
		"lbfgs:iterations=2,history=3", "lbfgs:line_search=none,lr=0.1,iterations=3,history=2", "lbfgs:line_search=armijo,iterations=2,history=2",
		"lbfgs:preset=xu2018,history=3", "lbfgs:lr=0",
	}
	goals["regnewton"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 100, Below: 1e-12},
		{Known: opttest.Beale, Steps: 60, Below: 1e-12},
		{Known: opttest.Wood, Steps: 150, Below: 1e-12},
		{Known: opttest.Saddle, Method: parsed("regnewton:nonconvex"), Steps: 60, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("regnewton:nonconvex"), Steps: 100, Below: 1e-12},
		{Known: opttest.Wood, Method: parsed("regnewton:nonconvex,direct=1"), Steps: 150, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("regnewton:rule=adan_plus"), Steps: 100, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("regnewton:rule=fixed,h=100"), Steps: 1000, Below: 1e-12},
	}
	variants["regnewton"] = []string{
		"regnewton:rule=adan_plus", "regnewton:curvature=1e6", "regnewton:rule=fixed,h=1,weight_decay=0.1", "regnewton:direct=1,curvature=0.5,cg_tol=0.01",
		"regnewton:nonconvex,h=1", "regnewton:rule=adan_plus,direct=1,h=1", "regnewton:nonconvex,direct=1,curvature=20",
	}
	goals["cubic"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 60, Below: 1e-12},
		{Known: opttest.Beale, Steps: 40, Below: 1e-12},
		{Known: opttest.Wood, Steps: 80, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 20, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("cubic:l2=1000"), Steps: 400, Below: 1e-12},
	}
	variants["cubic"] = []string{
		"cubic:curvature=10", "cubic:curvature=1e6", "cubic:l2=1,weight_decay=0.01", "cubic:cubic=1e-6,curvature=0.5", "cubic:lanczos_iters=2",
	}
	goals["gn"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Steps: 60, Below: 1e-12},
		{Known: opttest.Beale, Steps: 60, Below: 1e-12},
		{Known: opttest.Wood, Steps: 200, Below: 1e-12},
		{Known: opttest.Saddle, Steps: 60, Below: 1e-12},
		{Known: opttest.Rosenbrock, Method: parsed("gn:preset=xu2018"), Steps: 100, Below: 1e-12},
	}
	variants["gn"] = []string{
		"gn:curvature=10", "gn:curvature=1e6", "gn:precondition=squares,weight_decay=0.01", "gn:precondition=none,curvature=0.5,objective=full,warm_start=0.9",
		"gn:preset=xu2018,curvature=0.5", "gn:damping=0.01,objective=sample",
	}
	goals["sqn"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("sqn:lr=0.02,max_step=0.1,gauss_newton,interval=3"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("sqn:max_step=0.1,gauss_newton"), Steps: 2000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("sqn:lr=0.01,max_step=0.5,interval=3,history=4"), Steps: 8000, Below: 1e-8},
		{Known: opttest.Saddle, Steps: 1000, Below: 1e-8},
	}
	variants["sqn"] = []string{
		"sqn:interval=1,history=2", "sqn:interval=2,history=1,gauss_newton,curvature=20", "sqn:interval=2,weight_decay=0.1,lr=1,max_step=0.01",
	}
	goals["gd"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("gd:line_search=armijo"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("gd:line_search=armijo"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("gd:line_search=armijo,c=0.1"), Steps: 10000, Below: 1e-8},
		{Known: opttest.Saddle, Steps: 500, Below: 1e-8},
	}
	variants["gd"] = []string{"gd:line_search=armijo,weight_decay=0.1", "gd:line_search=armijo,lr=1e6,c=0.9", "gd:lr=0"}
	goals["nesterov"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("nesterov:lr=0.001"), Steps: 20000, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("nesterov:lr=0.01"), Steps: 5000, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("nesterov:lr=0.0001,restart=doubling"), Steps: 10000, Below: 1e-8},
		{Known: opttest.Saddle, Steps: 500, Below: 1e-8},
		{Known: opttest.Rosenbrock, Method: parsed("nesterov:line_search=backtracking"), Steps: 20000, Below: 1e-6},
	}
	variants["nesterov"] = []string{"nesterov:line_search=backtracking,weight_decay=0.1", "nesterov:restart=doubling", "nesterov:restart=none,lr=0"}
}
