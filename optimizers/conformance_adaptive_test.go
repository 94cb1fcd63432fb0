package optimizers_test

import (
	"maps"

	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// near are goals at the known functions: a specification and the steps it may take to 1e-8, for each.
func near(rosenbrock string, steps1 int, beale string, steps2 int, wood string, steps3 int, saddle string, steps4 int) []opttest.Goal {
	return []opttest.Goal{
		{Known: opttest.Rosenbrock, Method: parsed(rosenbrock), Steps: steps1, Below: 1e-8},
		{Known: opttest.Beale, Method: parsed(beale), Steps: steps2, Below: 1e-8},
		{Known: opttest.Wood, Method: parsed(wood), Steps: steps3, Below: 1e-8},
		{Known: opttest.Saddle, Method: parsed(saddle), Steps: steps4, Below: 1e-8},
	}
}

func init() {
	// Methods whose steps do not shrink with the gradient come that near under a schedule only.
	maps.Copy(goals, map[string][]opttest.Goal{
		"adagrad":  near("adagrad:lr=1", 15000, "adagrad:lr=1", 500, "adagrad:lr=5", 10000, "adagrad:lr=1", 100),
		"adadelta": near("adadelta:lr=0.003,eps=0.001,rho=0.99+cosine:t_max=50000", 25000, "adadelta:lr=0.02", 12000, "adadelta:lr=0.01,eps=0.001,rho=0.99+cosine:t_max=50000", 45000, "adadelta", 600),
		"rmsprop":  near("rmsprop:lr=0.003+cosine:t_max=20000", 20000, "rmsprop", 1000, "rmsprop:lr=0.1,centered,momentum=0.9", 1500, "rmsprop:lr=0.01,momentum=0.9+cosine:t_max=2000", 2000),
		"adamax":   near("adamax:lr=0.3", 4000, "adamax:lr=1", 500, "adamax:lr=3", 5000, "adamax", 3000),
		"nadam":    near("nadam", 15000, "nadam:lr=0.05", 1000, "nadam:lr=0.02", 20000, "nadam:lr=0.02", 500),
		// The first steps of RAdam are as long as the gradients.
		"radam":     near("radam", 15000, "radam:lr=0.02", 3000, "radam:lr=0.003+clip", 7000, "radam:lr=0.05", 500),
		"adabelief": near("adabelief:lr=0.1", 2000, "adabelief:lr=0.1", 500, "adabelief:lr=1", 2500, "adabelief:lr=0.01", 500),
		"adan":      near("adan:lr=0.02", 2000, "adan:lr=0.05", 1000, "adan:lr=0.05", 2500, "adan:lr=0.1", 600),
		"lion":      near("lion:lr=0.01+cosine:t_max=20000", 20000, "lion:lr=0.01+cosine:t_max=20000", 20000, "lion:lr=0.02+cosine:t_max=20000", 20000, "lion:lr=0.01+cosine:t_max=20000", 20000),
	})
	maps.Copy(variants, map[string][]string{
		"adagrad":   {"adagrad:lr_decay=0.1,initial_accumulator=0.5,weight_decay=0.1"},
		"adadelta":  {"adadelta:weight_decay=0.1,rho=0"},
		"rmsprop":   {"rmsprop:centered", "rmsprop:momentum=0.9,weight_decay=0.1", "rmsprop:centered,momentum=0.9"},
		"adamax":    {"adamax:weight_decay=0.1,beta1=0"},
		"nadam":     {"nadam:weight_decay=0.1", "nadam:weight_decay=0.1,decoupled,momentum_decay=0.1"},
		"radam":     {"radam:weight_decay=0.1,beta2=0.9", "radam:weight_decay=0.1,decoupled,beta2=0.5"},
		"adabelief": {"adabelief:weight_decay=0.1,decoupled=false", "adabelief:amsgrad,rectify,beta2=0.8", "adabelief:weight_decay=0.1,rectify"},
		"adan":      {"adan:weight_decay=0.1", "adan:weight_decay=0.1,no_prox", "adan:beta1=0"},
		"lion":      {"lion:weight_decay=0.1", "lion:beta1=0"},
	})
}
