package optimizers_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// used is what n steps under a schedule use: the rate and the momentum of each.
func used(t *testing.T, m optimizers.Method, n int) (rates, momenta []float64) {
	t.Helper()
	o, err := optimizers.New[float64](m, optimizers.Flat(1))
	if err != nil {
		t.Fatal(err)
	}
	momentum, _ := optimizers.As[optimizers.WithMomentum](o)
	x := []float64{1}
	for range n {
		r, err := o.Step(context.Background(), x, parabola{})
		if err != nil {
			t.Fatal(err)
		}
		rates, momenta = append(rates, r.LR), append(momenta, momentum.Momentum())
	}
	return rates, momenta
}

func sameRates(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-14*math.Abs(want[i])) {
			t.Errorf("%s: step %d has %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestSchedulesGiveTheseRates has rules for which there is no other library to compare with, and the settings that all
// schedules have. The method's own rate is 1; the run has 4 epochs of 3 steps.
func TestSchedulesGiveTheseRates(t *testing.T) {
	repeat := func(each int, values ...float64) (list []float64) {
		for _, v := range values {
			list = append(list, slices.Repeat([]float64{v}, each)...)
		}
		return list
	}
	for spec, want := range map[string][]float64{
		"step:unit=epoch,step_size=2,gamma=0.5": repeat(6, 1, 0.5),
		"multistep:unit=epoch":                  {1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1 * 0.1, 0.1 * 0.1, 0.1 * 0.1},
		"multistep":                             {1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1 * 0.1, 0.1 * 0.1, 0.1 * 0.1},
		"step":                                  {1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01},
		"polynomial:unit=epoch":                 repeat(3, 1, 0.75, 0.5, 0.25),
		"polynomial:unit=epoch,warmup=1,warmup_start=0":           repeat(3, 0, 1, 1-1.0/3, 1-2.0/3),
		"constant:warmup=4,warmup_start=0.2":                      append([]float64{0.2, 0.4, 0.6000000000000001, 0.8}, repeat(8, 1)...),
		"constant:factor=0.5,warmup=2,warmup_start=0":             append([]float64{0, 0.25}, repeat(10, 0.5)...),
		"linear:total_iters=0,start_factor=1,end_factor=0":        {1, 11. / 12, 10. / 12, 9. / 12, 8. / 12, 7. / 12, 6. / 12, 5. / 12, 4. / 12, 3. / 12, 2. / 12, 1. / 12},
		"exponential:unit=epoch":                                  repeat(3, 1, math.Pow(0.01, 0.25), 0.1, math.Pow(0.01, 0.75)),
		"cosine:unit=epoch,final=0.2":                             repeat(3, 1, 0.2+0.8*(1+math.Sqrt2/2)/2, 0.6, 0.2+0.8*(1-math.Sqrt2/2)/2),
		"cosine_restarts:t_0=2,unit=epoch,eta_min=0.5":            repeat(3, 1, 0.75, 1, 0.75),
		"cosine_restarts":                                         repeat(1, 1, 0.75, 0.25, 1, 0.75, 0.25, 1, 0.75, 0.25, 1, 0.75, 0.25),
		"large_step:until=0.25":                                   {1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 * 0.1},
		"large_step:until=0.25,second=1,factor=0.5":               append(repeat(3, 1), repeat(9, 0.5)...),
		"large_step:until=0.25,warmup_exp=0.5,second=1":           append([]float64{1, 1 + math.Sqrt(100./12), 1 + math.Sqrt(200./12)}, repeat(9, 0.1*6)...),
		"large_step:until=0.5,warmup_exp=1.1,second=0.75":         {1, math.Pow(1.1, 100./12), math.Pow(1.1, 200./12), math.Pow(1.1, 25), math.Pow(1.1, 400./12), math.Pow(1.1, 500./12), 0.1 * math.Pow(1.1, 50), 0.1 * math.Pow(1.1, 50), 0.1 * math.Pow(1.1, 50), 0.1 * 0.1 * math.Pow(1.1, 50), 0.1 * 0.1 * math.Pow(1.1, 50), 0.1 * 0.1 * math.Pow(1.1, 50)},
		"cyclic:step_size_up=2,step_size_down=1":                  {0.25, 0.625, 1, 0.25, 0.625, 1, 0.25, 0.625, 1, 0.25, 0.625, 1},
		"sequential:schedules=constant/(constant:factor=0.5)":     repeat(6, 1, 0.5),
		"sequential:schedules=step/polynomial,unit=epoch":         {1, 1, 1, 0.1, 0.1, 0.1, 1, 1, 1, 0.5, 0.5, 0.5},
		"sequential:schedules=constant/polynomial,milestones=8":   append(repeat(8, 1), 1, 0.75, 0.5, 0.25),
		"chained:schedules=sutskever/(step:step_size=6,gamma=.5)": repeat(6, 1, 0.5),
	} {
		m := optimizers.ForEpochs(parsed("sgd:lr=1,momentum=0.9+"+spec)(), 4, 3)
		got, _ := used(t, m, 12)
		sameRates(t, spec, got, want)
	}
}

// TestSchedulesOfTheMomentum compares with the formulas of the papers.
func TestSchedulesOfTheMomentum(t *testing.T) {
	run := func(spec string) []float64 {
		rates, momenta := used(t, optimizers.ForSteps(parsed("sgd:lr=0.25,momentum=0.9,nesterov+"+spec)(), 12), 12)
		if rates[0] != 0.25 {
			t.Errorf("%s: the rates are %v", spec, rates)
		}
		return momenta
	}
	var want []float64
	for k := range 12 {
		want = append(want, min(1-math.Pow(2, -1-math.Log2(math.Floor(float64(k)/2)+1)), 0.88))
	}
	sameRates(t, "sutskever", run("sutskever:period=2,max_momentum=0.88"), want)
	sameRates(t, "in a chain", run("chained:schedules=(cosine:t_max=9)/(sutskever:period=2,max_momentum=0.88)"), want)
	want[9], want[10], want[11] = 0.5, 0.5, 0.5
	sameRates(t, "sutskever at the end", run("sutskever:period=2,max_momentum=0.88,final_steps=3,final_momentum=0.5"), want)
	for k := range 12 {
		want[k] = 0.8 * math.Pow(0.9, float64(k))
	}
	sameRates(t, "momentum_decay", run("momentum_decay:momentum=0.8,gamma=0.9"), want)
	want[11] = 0.9
	sameRates(t, "momentum_decay at the end", run("momentum_decay:momentum=0.8,gamma=0.9,final_steps=1"), want)

	for spec, wrong := range map[string]string{
		"sgd+sutskever": "scheduled: sgd has no momentum that sutskever could set; give it one",
		"adam:beta1=0+sequential:schedules=constant/sutskever,milestones=5": "adam:beta1=0 has no momentum that sequential could set",
		"sgd:momentum=0.9+momentum_decay:final_steps=3":                     "momentum_decay: the length of the run is not known; set final_steps=0",
		"sgd+constant:unit=epoch":                                           "the unit of constant is the epoch, and the steps of an epoch are not known; set epoch_steps",
		"sgd+constant:warmup=5,steps=5":                                     "warmup is 5 steps, the whole run 5",
		"sgd+constant:warmup=5,steps=9,unit=epoch,epoch_steps=2":            "warmup is 5 epochs, the whole run 5",
		"sgd+chained:schedules=plateau/cosine":                              "plateau follows a metric and cannot be a part of another schedule; a warm-up before it is the setting warmup",
		"sgd+sequential:schedules=constant/plateau,milestones=3":            "plateau follows a metric",
		"sgd+chained":    "chained: no schedules given",
		"sgd+sequential": "sequential: no schedules given",
		"sgd+sequential:schedules=constant/constant": "sequential: the length of the run is not known; set milestones",
		"sgd+step":                          "step: the length of the run is not known; set step_size",
		"sgd+exponential":                   "exponential: the length of the run is not known; set gamma",
		"sgd+multistep":                     "multistep: the length of the run is not known; set milestones",
		"sgd+cosine_restarts":               "the length of the run is not known; set t_0",
		"sgd+large_step":                    "the length of the run is not known; set steps",
		"sgd+cosine:t_max=4+cosine:t_max=5": "is under a schedule already; several at once are chained",
		"hf+plateau":                        "hf has no learning rate that plateau could set",
		"sgd+sequential:schedules=cosine,epoch_steps=10": "cosine: the length of the run is not known",
	} {
		if _, err := optimizers.New[float32](parsed(spec)(), optimizers.Flat(1)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v; want %s", spec, err, wrong)
		}
	}
}

// TestMomentaOfAggMoFallTogether compares with AggMo's rule on a gradient of 1.
func TestMomentaOfAggMoFallTogether(t *testing.T) {
	one := &optimizers.Func[float64]{G: func(dst, _ []float64) float64 { dst[0] = 1; return 0 }}
	for spec, momentum := range map[string]func(k int) float64{
		"momentum_decay:momentum=0.99,gamma=0.9":                       func(k int) float64 { return 0.99 * math.Pow(0.9, float64(k)) },
		"momentum_decay:momentum=0.99,gamma=1,final_steps=2":           func(k int) float64 { return []float64{0.99, 0.9}[k/6] },
		"sutskever:period=2":                                           func(k int) float64 { return 1 - 0.5/float64(k/2+1) },
		"onecycle":                                                     func(int) float64 { return 0.99 },
		"chained:schedules=(constant:factor=0.5)/(sutskever:period=1)": func(k int) float64 { return 1 - 0.5/float64(k+1) },
	} {
		m := optimizers.ForSteps(parsed("aggmo:lr=0.3+"+spec)(), 8)
		o, err := optimizers.New[float64](m, optimizers.Flat(1))
		if err != nil {
			t.Fatal(err)
		}
		x, v := []float64{0}, make([]float64, 3)
		for k := range 8 {
			before := x[0]
			r, err := o.Step(context.Background(), x, noisy{one})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for i, beta := range []float64{0, 0.9, 0.99} {
				v[i] = beta/0.99*momentum(k)*v[i] + 1
				sum += v[i]
			}
			// The difference of two rounded points is not exact.
			if want := -r.LR / 3 * sum; math.Abs(x[0]-before-want) > 1e-15*(math.Abs(before)-want) {
				t.Errorf("%s: step %d is %v, want %v", spec, k, x[0]-before, want)
			}
		}
	}
}

// TestChainedIsTheSameInAnyOrderOfSteps asks a recursive course for its steps back and forth.
func TestChainedIsTheSameInAnyOrderOfSteps(t *testing.T) {
	s := &optimizers.Chained{Schedules: []optimizers.Schedule{
		&optimizers.Cosine{TMax: 7, EtaMin: 0.1}, optimizers.MultiplicativeFunc(func(step int) float64 { return 1 - 0.01*float64(step) })}}
	there, err := s.Start(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	back, err := s.Start(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 20 {
		if a, b := there.At(k), back.At(19-k); a != there.At(k) || b != back.At(19-k) || there.At(19-k) != b {
			t.Errorf("steps %d and %d: %v, %v", k, 19-k, a, b)
		}
	}
	if lr := there.At(2).LR; math.Abs(lr-(0.1+(there.At(1).LR-0.1)*(1+math.Cos(2*math.Pi/7))/(1+math.Cos(math.Pi/7)))*0.98) > 1e-15 {
		t.Errorf("step 2 has %v", lr)
	}
}

// TestPlateauIsToldNothingDuringTheWarmUp feeds a metric that never improves.
func TestPlateauIsToldNothingDuringTheWarmUp(t *testing.T) {
	o, err := optimizers.New[float64](parsed("adam:lr=1+plateau:patience=1,factor=0.5,warmup=3,warmup_start=0.25+clip")(), optimizers.Flat(1))
	if err != nil {
		t.Fatal(err)
	}
	feeder, _ := optimizers.As[optimizers.Feeder](o)
	var got []float64
	for range 9 {
		r, err := o.Step(context.Background(), []float64{1}, parabola{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.LR)
		feeder.Feed(1)
	}
	sameRates(t, "plateau", got, []float64{0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5, 0.25})
}

// TestConformanceUnderSchedules runs the contract under every schedule.
func TestConformanceUnderSchedules(t *testing.T) {
	for _, info := range optimizers.Schedules() {
		spec := map[string]string{
			"sequential": "sequential:schedules=(linear:total_iters=2)/(chained:schedules=(cosine:t_max=3)/sutskever),milestones=2",
			"chained":    "chained:schedules=(cosine:t_max=3)/(exponential:gamma=0.9)/(sutskever:period=2)",
		}[info.Name]
		if spec == "" {
			spec = info.Name
		}
		if strings.Contains(spec, ":") {
			spec += ",steps=20,warmup=2,unit=epoch,epoch_steps=2"
		} else {
			spec += ":steps=20,warmup=2"
		}
		t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed("sgd:momentum=0.9+"+spec)) })
	}
}
