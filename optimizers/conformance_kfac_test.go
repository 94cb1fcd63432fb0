package optimizers_test

import "github.com/saddle-ml/saddle/optimizers/opttest"

// The known functions have no layers: K-FAC is steepest descent there, with the step and momentum of the quadratic.
func init() {
	goals["kfac"] = []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed("kfac:weight_decay=0,damping=1,adapt_every=1,average=0"), Steps: 200, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed("kfac:weight_decay=0,damping=1,adapt_every=1,average=0"), Steps: 200, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed("kfac:weight_decay=0,damping=1,adapt_every=1,average=0"), Steps: 2000, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed("kfac:weight_decay=0,damping=1,adapt_every=1,average=0"), Steps: 200, Below: 1e-8},
		{Known: opttest.Rosenbrock, Method: parsed("kfac:weight_decay=0,rescale=false,lr=0.001,average=0"), Steps: 20000, Below: 1e-8},
	}
	variants["kfac"] = []string{
		"kfac:curvature=1,adapt_every=1,average=2", "kfac:average=0,weight_decay=0,damping=1e-3", "kfac:rescale=false,kl_clip=1e-4",
		"kfac:rescale=false,momentum=0,adapt=false", "kfac:growth=1", "kfac:growth=1.1,grow_from=2,most=48", "kfac:stat_every=3,invert_every=1,min_gamma=0",
	}
}
