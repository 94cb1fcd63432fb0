package optimizers_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestParse(t *testing.T) {
	for spec, want := range map[string]optimizers.Method{
		"adam":                                   &optimizers.Adam{},
		"sgd:lr=0.05,momentum=0.9,nesterov=true": &optimizers.SGD{LR: 0.05, Momentum: 0.9, Nesterov: true},
		" sgd : lr = 5e-2 , nesterov , momentum=9E-1": &optimizers.SGD{LR: 0.05, Momentum: 0.9, Nesterov: true},
		"adam:beta1=0":                       &optimizers.Adam{Beta1: optimizers.Zero},
		"hf:cg_iters=1e+2,objective=full":    &optimizers.HF{CGIters: 100, Objective: "full"},
		"adamw:weight_decay=0.1+clip:norm=2": &optimizers.Clip{Of: &optimizers.AdamW{WeightDecay: 0.1}, Norm: 2},
		"adam:lr=1e+0+onecycle:steps=40,cycle_momentum=false": &optimizers.Scheduled{
			Of: &optimizers.Adam{LR: 1}, Schedule: &optimizers.OneCycle{CycleMomentum: optimizers.Off}, Steps: 40},
		"sgd+cosine:t_max=5+clip": &optimizers.Clip{
			Of: &optimizers.Scheduled{Of: &optimizers.SGD{}, Schedule: &optimizers.Cosine{TMax: 5}}},
	} {
		got, err := optimizers.Parse(spec)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %s", spec, optimizers.Spec(got))
		}
		again, err := optimizers.Parse(optimizers.Spec(got))
		if err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%s is written as %s: %v", spec, optimizers.Spec(got), err)
		}
	}
}

// TestPartsOfASpecification takes some apart.
func TestPartsOfASpecification(t *testing.T) {
	for spec, want := range map[string][]string{
		"adam":                       {"adam"},
		"sgd:lr=1e+2+clip:norm=1e+3": {"sgd:lr=1e+2", "clip:norm=1e+3"},
		"sgd+chained:schedules=(step:gamma=.1)/(a+b)+group:bias:lr=2x": {"sgd", "chained:schedules=(step:gamma=.1)/(a+b)", "group:bias:lr=2x"},
	} {
		method, wrappers := optimizers.SplitSpec(spec)
		if got := append([]string{method}, wrappers...); !slices.Equal(got, want) {
			t.Errorf("%s has the parts %q, want %q", spec, got, want)
		}
	}
	for part, want := range map[string]string{
		"adam":                 "",
		"adam: lr =1, amsgrad": "lr amsgrad",
		"chained:schedules=(step:gamma=1,step_size=3)/step,unit=epoch": "schedules unit",
	} {
		if got := strings.Join(optimizers.SettingNames(part), " "); got != want {
			t.Errorf("%s sets %q, want %q", part, got, want)
		}
	}
}

// TestParseSaysWhatIsAllowed has for each wrong specification what its error must say.
func TestParseSaysWhatIsAllowed(t *testing.T) {
	for spec, want := range map[string]string{
		"":                         `unknown method ""; allowed are sgd, adam`,
		"adm":                      `did you mean "adam"?`,
		"AdamW":                    `did you mean "adamw"?`,
		"clip":                     `clip wraps a method and stands after it, as in adam+clip`,
		"adam+":                    `unknown wrapper ""; allowed are clip`,
		"adam+clp":                 `unknown wrapper "clp"; allowed are clip`,
		"adam+cosin":               `did you mean "cosine"?`,
		"adam+sgd":                 `unknown wrapper "sgd"; allowed are clip`,
		"adam:":                    ``,
		"adam:lr":                  `adam: lr is ; allowed are numbers in [0, inf)`,
		"adam:lr=fast":             `adam: lr is fast; allowed are numbers in [0, inf)`,
		"adam:lr=-1":               `adam: lr is -1; allowed are numbers in [0, inf)`,
		"adam:lr=inf":              `adam: lr is +Inf; allowed are numbers in [0, inf)`,
		"adam:lr=nan":              `adam: lr is NaN; allowed are numbers in [0, inf)`,
		"adam:beta2=1":             `adam: beta2 is 1; allowed are numbers in [0, 1)`,
		"adam:bta1=0.5":            `unknown setting of adam "bta1"; allowed are lr, beta1, beta2, eps, weight_decay, amsgrad; did you mean "beta1"?`,
		"adam:lr=1,lr=2":           `adam: lr is given twice`,
		"adam:amsgrad=ture":        `adam: amsgrad is ture; allowed are true, false; did you mean "true"?`,
		"adamw:,":                  `unknown setting of adamw ""`,
		"sgd:nesterov":             `sgd: nesterov needs momentum > 0 and dampening 0`,
		"hf:cg_min_iters=0":        `hf: cg_min_iters is 0; allowed are whole numbers in [1, inf)`,
		"hf:cg_min_iters=1.5":      `hf: cg_min_iters is 1.5; allowed are whole numbers in [1, inf)`,
		"hf:cg_iters=1e9":          `hf: cg_iters is 1e+09; allowed are whole numbers in [1, 1000000]`,
		"hf:cg_min_iters=11":       `hf: cg_min_iters is 11; allowed is at most cg_iters, 5`,
		"hf:objective=ful":         `hf: objective is ful; allowed are sample, batch, full; did you mean "full"?`,
		"hf:damping=0":             `hf: damping is 0; allowed are numbers in (0, inf)`,
		"adam+clip:norm=0":         `clip: norm is 0; allowed are numbers in (0, inf)`,
		"adam+onecycle:anneal=cso": `onecycle: anneal is cso; allowed are cos, linear; did you mean "cos"?`,
	} {
		m, err := optimizers.Parse(spec)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", spec, err)
			}
			continue
		}
		if err == nil || m != nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, error %v; want %s", spec, m, err, want)
		}
	}
}

// TestNewRefusesWhatParseRefuses has the same settings given as a struct.
func TestNewRefusesWhatParseRefuses(t *testing.T) {
	for want, m := range map[string]optimizers.Method{
		"sgd: lr is -1; allowed are numbers in [0, inf)":                              &optimizers.SGD{LR: -1},
		"sgd: nesterov needs momentum > 0":                                            &optimizers.SGD{Nesterov: true},
		"adam: beta1 is 1; allowed are numbers in [0, 1)":                             &optimizers.Adam{Beta1: 1},
		"adamw: weight_decay is -0.1; allowed are numbers in [0, inf)":                &optimizers.AdamW{WeightDecay: -0.1},
		"hf: cg_min_iters is -5; allowed are whole numbers in [1, inf)":               &optimizers.HF{CGMinIters: -5},
		`hf: objective is Full; allowed are sample, batch, full; did you mean "full"`: &optimizers.HF{Objective: "Full"},
		"clip: no method given":                                                       &optimizers.Clip{},
		"clip: norm is -1; allowed are numbers in (0, inf)":                           &optimizers.Clip{Of: &optimizers.SGD{}, Norm: -1},
		"scheduled: needs both a method and a schedule":                               &optimizers.Scheduled{Of: &optimizers.SGD{}},
		"onecycle: cycle_momentum is 3; allowed are the constants On and Off": &optimizers.Scheduled{
			Of: &optimizers.SGD{}, Steps: 5, Schedule: &optimizers.OneCycle{CycleMomentum: 3}},
		"cosine: the length of the run is not known; set t_max, or the steps of Scheduled": &optimizers.Scheduled{
			Of: &optimizers.SGD{}, Schedule: &optimizers.Cosine{}},
		"scheduled: hf has no learning rate that constant could set": &optimizers.Scheduled{
			Of: &optimizers.HF{}, Schedule: &optimizers.Constant{}},
		"scheduled: sgd+constant is under a schedule already": &optimizers.Scheduled{Schedule: &optimizers.Constant{},
			Of: &optimizers.Scheduled{Of: &optimizers.SGD{}, Schedule: &optimizers.Constant{}}},
		"no method given (*optimizers.Adam is nil)": (*optimizers.Adam)(nil),
	} {
		for _, try := range []func() error{
			func() error { _, err := optimizers.New[float32](m, optimizers.Flat(2)); return err },
			func() error { _, err := optimizers.New[float64](m, optimizers.Flat(2)); return err },
		} {
			if err := try(); err == nil || !strings.HasPrefix(err.Error(), "optimizers: "+want) {
				t.Errorf("%v; want %s", err, want)
			}
		}
	}
}

func TestParseSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{"method": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": true}`:            "sgd:lr=0.05,momentum=0.9,nesterov=true",
		`{"method": "clip", "norm": 0.5, "inner": {"method": "adam", "lr": 1}}`:       "adam:lr=1+clip:norm=0.5",
		`{"method": "cosine", "t_max": 7, "inner": {"method": "adamw", "eps": 1e-6}}`: "adamw:eps=1e-06+cosine:t_max=7",
		`{"method": "hf", "cg_iters": 50, "hessian": true, "warm_start": 0}`:          "hf:cg_iters=50,warm_start=0,hessian=true",
		`{"method": "adma"}`:                                          `! did you mean "adam"?`,
		`{"method": "adam", "betas": [0.9, 0.99]}`:                    `! unknown setting of adam "betas"`,
		`{"method": "adam", "lr": "0.1"}`:                             `! adam: lr is 0.1; allowed are numbers`,
		`{"method": "adam", "lr": null}`:                              `! adam: lr is <nil>; allowed are numbers`,
		`{"method": "hf", "cg_iters": 2.5}`:                           `! hf: cg_iters is 2.5; allowed are whole numbers`,
		`{"method": "adam", "inner": {"method": "sgd"}}`:              `! unknown wrapper "adam"`,
		`{"method": "clip"}`:                                          `! clip wraps a method`,
		`{"method": "clip", "inner": 3}`:                              `! clip: inner is 3; allowed is an object`,
		`{"method": "clip", "inner": {}}`:                             `! clip: inner has no method; allowed are sgd`,
		`{"method": "clip", "inner": {"method": "sgd", "rate": 0.1}}`: `! unknown setting of sgd "rate"; allowed are lr`,
	} {
		var settings map[string]any
		if err := json.Unmarshal([]byte(text), &settings); err != nil {
			t.Fatal(err)
		}
		name := settings["method"].(string)
		delete(settings, "method")
		m, err := optimizers.ParseSettings(name, settings)
		if wrong, fails := strings.CutPrefix(want, "! "); fails {
			if err == nil || m != nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%s: %v; want %s", text, err, wrong)
			}
		} else if err != nil || optimizers.Spec(m) != want {
			t.Errorf("%s is read as %s, want %s: %v", text, optimizers.Spec(m), want, err)
		}
	}
}

// TestDescriptionsAreComplete keeps the lists fit to be printed as help.
func TestDescriptionsAreComplete(t *testing.T) {
	for _, info := range slices.Concat(optimizers.Methods(), optimizers.Wrappers(), optimizers.Schedules()) {
		if info.Name == "" || info.Use == "" || len(info.Settings) == 0 {
			t.Errorf("%+v is not complete", info)
		}
		for _, s := range info.Settings {
			if s.Default == "" || s.Allowed == "" || s.Help == "" || s.Kind == "" {
				t.Errorf("%s: %+v is not complete", info.Name, s)
			}
		}
	}
	if d := optimizers.Describe(parsed("adam+clip+cosine:t_max=3")()); d.Name != "adam" || d.DefaultLR != 0.001 {
		t.Errorf("described as %+v", d)
	}
}

// TestDefaultsAreThoseDescribed gives every setting its documented default, which must change nothing.
func TestDefaultsAreThoseDescribed(t *testing.T) {
	for _, info := range optimizers.Methods() {
		for _, s := range info.Settings {
			value := s.Default
			if strings.Contains(value, " ") {
				value, _, _ = strings.Cut(value, ",") // 0.1, or 0.01 with momentum
			}
			m, err := optimizers.Parse(info.Name + ":" + s.Name + "=" + value)
			if err != nil {
				t.Errorf("the default of %s: %v", s.Name, err)
			} else if spec := optimizers.Spec(m); spec != info.Name {
				t.Errorf("with the default of %s it is written %s", s.Name, spec)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"adam+group:bias,norm:lr=0.1x,beta1=0+group:a*:freeze", "aggmo:betas=0/1+chained:schedules=(cosine:t_max=3)/(sequential:schedules=step/step,milestones=3)",
		"sgd+plateau:patience=0,warmup=3,unit=epoch", "adam", "sgd:lr=0.05,momentum=0.9,nesterov+clip:norm=1e+3+cosine:t_max=4", "hf:objective=full", "+", ":,=", "adam:lr=5e-324"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		m, err := optimizers.Parse(spec)
		if err != nil {
			if m != nil || !strings.HasPrefix(err.Error(), "optimizers: ") {
				t.Errorf("%q: %v beside %v", spec, err, m)
			}
			return
		}
		again, err := optimizers.Parse(optimizers.Spec(m))
		if err != nil || !reflect.DeepEqual(m, again) && optimizers.Spec(again) != optimizers.Spec(m) {
			t.Errorf("%q is written as %q: %v", spec, optimizers.Spec(m), err)
		}
	})
}
