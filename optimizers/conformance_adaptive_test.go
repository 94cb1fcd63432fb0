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
		"aggmo":     near("aggmo:lr=0.001", 1500, "aggmo:lr=0.003", 1500, "aggmo:lr=0.0003", 1500, "aggmo:lr=0.1", 300),
		"asgd":      near("asgd:lr=0.001,lambd=0", 25000, "asgd:lr=0.03,lambd=0", 1500, "asgd:lr=0.0003,lambd=0", 40000, "asgd:lr=0.1", 300),
		// Its smallest steps have to be smaller than the distance wanted.
		"rprop":   near("rprop:step_sizes=1e-12/50", 8000, "rprop", 200, "rprop:lr=3,step_sizes=1e-12/50", 5000, "rprop", 100),
		"prodigy": near("prodigy", 5000, "prodigy", 500, "prodigy:d0=0.01", 4000, "prodigy", 400),
		"schedule_free_sgd": near("schedule_free_sgd:lr=0.003,r=1", 4000, "schedule_free_sgd:lr=0.03,r=1", 600,
			"schedule_free_sgd:lr=0.0003", 25000, "schedule_free_sgd", 200),
		"schedule_free_adamw": near("schedule_free_adamw:lr=0.1,beta1=0.95,r=2", 2000, "schedule_free_adamw:lr=0.1", 1500,
			"schedule_free_adamw:lr=3,beta1=0.95,r=2", 2000, "schedule_free_adamw:lr=0.1", 400),
		"adafactor": near("adafactor+cosine:t_max=20000", 20000, "adafactor", 1500, "adafactor+cosine:t_max=30000", 30000, "adafactor", 800),
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
		"aggmo":     {"aggmo:weight_decay=0.1,betas=0.5", "aggmo:weight_decay=0.1,betas=0/0.9", "aggmo:betas=0/0.5/0.9/0.99", "aggmo:betas=0/0.9/0.9/0.99/0.999"},
		"asgd":      {"asgd:t0=2,weight_decay=0.1,lambd=0.1"},
		"rprop":     {"rprop:lr=1,etas=0.9/1.1,step_sizes=0.001/1"},
		"prodigy": {
			"prodigy:weight_decay=0.1,bias_correction", "prodigy:weight_decay=0.1,decoupled=false,safeguard_warmup",
			"prodigy:growth_rate=1.02,d0=0.01,d_coef=2", "prodigy:beta1=0,beta3=0.9", "prodigy:lr=0",
		},
		"schedule_free_sgd":   {"schedule_free_sgd:weight_decay=0.1,warmup_steps=4,r=1", "schedule_free_sgd:lr=0,weight_lr_power=0"},
		"schedule_free_adamw": {"schedule_free_adamw:weight_decay=0.1,warmup_steps=4,r=1", "schedule_free_adamw:lr=0"},
		"adafactor":           {"adafactor:weight_decay=0.1,d=2", "adafactor:eps1=1,eps2=0.1,beta2_decay=0"},
		"lion":                {"lion:weight_decay=0.1", "lion:beta1=0"},
	})
}
