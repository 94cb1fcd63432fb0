package optimizers_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// wrapped are wrappers around methods and each other that have to keep the contract.
var wrapped = []string{
	"sgd:momentum=0.9+clip:value=0.001", "adam+clip:norm=0.001,value=0.01,per_tensor",
	"sgd+decay:weight_decay=0.1", "adam+decay:weight_decay=0.1,by_rate=false,kinds=weight", "hf:curvature=10,average=0+decay:by_rate=false",
	"sgd+noise", "adam+noise:gamma=0,below=0.01,seed=3", "hf:curvature=10+noise:eta=1e-4",
	"sgd:momentum=0.9+sam", "adam+sam:adaptive", "hf:curvature=10+sam",
	"sgd+accumulate", "adamw+accumulate:k=1", "sgd:momentum=0.9,nesterov+accumulate:k=3",
	"sgd:momentum=0.9+lookahead:k=2", "sgd:momentum=0.9+lookahead:k=2,momentum=reset", "adam+lookahead:k=3,alpha=0.5,momentum=interpolate",
	"hf:curvature=10,average=0+lookahead:k=1",
	"adam+ema:decay=0.9", "sgd+ema:decay=0.9,warmup,batch_norm", "hf:curvature=10,average=0+ema",
	"sgd+polyak", "adam+polyak:start=2", "sgd+swa", "sgd:momentum=0.9+swa:start=2,every=2",

	"sgd+sam+clip+noise+decay+lookahead:k=2+ema", "adam+cosine:t_max=5+sam+lookahead:k=2+swa:start=3+clip",
	"sgd:momentum=0.9+clip+sam:adaptive", "adam+ema+sam+noise+clip", "sgd+noise+sam",
	"sgd+lookahead:k=2+decay", "sgd+decay+lookahead:k=2,alpha=0.5",
	"sgd+decay+lookahead:k=2+accumulate+sam+clip", "sgd+ema+accumulate", "sgd+accumulate+ema",
	"sgd:momentum=0.9+onecycle:steps=20+accumulate", "sgd:momentum=0.9+accumulate+onecycle:steps=20", "adam+clip+noise+accumulate:k=3+polyak",
}

// clashes are compositions that mean nothing, with what their errors say.
var clashes = map[string]string{
	"adam+ema+swa":                                "swa cannot stand around adam+ema: its weights are averaged already",
	"adam+polyak+clip+ema":                        "ema cannot stand around adam+polyak+clip: its weights are averaged already",
	"adam+ema+lookahead":                          "lookahead cannot stand around adam+ema: it would move the weights that are averaged there",
	"adam+swa+decay":                              "decay cannot stand around adam+swa: it would move the weights that are averaged there",
	"adam+lookahead+lookahead":                    "it has slow weights already",
	"hf+ema":                                      "ema cannot stand around hf: its weights are averaged already",
	"adam+sam+clip+sam":                           "worst point nearby already",
	"adam+noise+noise":                            "noise already",
	"adam+decay+decay":                            "decay there already",
	"adam+accumulate+accumulate":                  "accumulates already",
	"adam+accumulate+decay":                       "write decay before accumulate",
	"adam+accumulate+lookahead":                   "write lookahead before accumulate",
	"adam+sam+accumulate":                         "write accumulate before sam",
	"hf+accumulate":                               "it needs Gauss-Newton products of minibatches that are gone",
	"hf:average=0+decay":                          "hf has no learning rate for the decay to follow; allowed is by_rate=false",
	"sgd+lookahead:momentum=reset":                "momentum is reset, and sgd has none; allowed is keep",
	"adam:beta1=0+lookahead:momentum=interpolate": "momentum is interpolate, and adam has none; allowed is keep",
}

func init() {
	maps.Copy(goals, map[string][]opttest.Goal{
		// The functions have one vector.
		"muon": near("muon:vector_lr=0.02,vector_beta2=0.999", 10000, "muon:vector_lr=0.05", 1500, "muon:vector_lr=0.03,vector_beta2=0.999", 20000, "muon:vectors=sgd,lr=0.1", 500),
		"soap": near("soap:lr=0.02,weight_decay=0,beta2=0.999", 15000, "soap:lr=0.05,weight_decay=0,precondition_1d,frequency=1", 2000,
			"soap:lr=0.05,weight_decay=0,beta2=0.999", 20000, "soap:lr=0.02,weight_decay=0", 2000),
		"shampoo": near("shampoo:lr=2,precondition_1d,frequency=1", 9000, "shampoo:lr=0.5,precondition_1d,frequency=1", 1000,
			"shampoo:lr=0.1,graft=adam", 15000, "shampoo:lr=0.1,graft=adagrad", 1000),
		// The length of their steps follows that of the parameters.
		"lars": near("lars:lr=1+cosine:t_max=20000", 20000, "lars:lr=1+cosine:t_max=5000", 5000, "lars:lr=1+cosine:t_max=20000", 20000, "lars:lr=10+cosine:t_max=2000", 2000),
		"lamb": near("lamb:lr=0.01+cosine:t_max=20000", 20000, "lamb:lr=0.01+cosine:t_max=5000", 5000, "lamb:lr=0.01+cosine:t_max=20000", 20000, "lamb:lr=0.01+cosine:t_max=5000", 5000),
	})
	maps.Copy(variants, map[string][]string{
		"muon": {
			"muon:preset=torch,adjust=match_rms_adamw", "muon:nesterov=false,weight_decay=0.1,ns_steps=1", "muon:vectors=sgd,vector_weight_decay=0.1",
			"muon:layers=hidden,momentum=0", "muon:lr=0", "muon:adjust=none,a=1.5,b=-0.5,c=0",
		},
		"shampoo": {
			"shampoo:frequency=1,weight_decay=0.1", "shampoo:frequency=2,beta2=0.9,max_dim=2,precondition_1d", "shampoo:beta1=0,graft=sgd",
			"shampoo:graft=adagrad,frequency=3", "shampoo:graft=rmsprop,precondition_1d", "shampoo:graft=adam,beta2=0.99,max_dim=1",
		},
		"lars": {"lars:weight_decay=0.1,nesterov", "lars:momentum=0,all,eps=1e-3,weight_decay=0.1", "lars:lr=0"},
		"lamb": {"lamb:weight_decay=0.1", "lamb:correct_bias=false,all,weight_decay=0.1,beta1=0"},
		"soap": {"soap:frequency=2,weight_decay=0.1", "soap:precondition_1d,frequency=1,normalize_grads", "soap:max_dim=2,frequency=1", "soap:max_dim=1,correct_bias=false,shampoo_beta=0,beta1=0"},
	})
	wrapped = append(wrapped, "muon+lookahead:k=2,momentum=interpolate+ema+clip", "muon+decay+accumulate+sam", "muon+onecycle:steps=20",
		"shampoo:frequency=2+lookahead:k=2,momentum=reset", "soap:frequency=2+sam+clip", "lars+onecycle:steps=20+swa:start=2", "lamb+accumulate+noise")
}

func TestWrappedConformance(t *testing.T) {
	for _, spec := range wrapped {
		t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed(spec)) })
	}
}

func TestClashesAreErrors(t *testing.T) {
	for spec, want := range clashes {
		_, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(3))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", spec, err, want)
		}
	}
}
