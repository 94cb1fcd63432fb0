package optimizers_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

func TestConformanceOfGroups(t *testing.T) {
	for _, spec := range []string{
		"adamw:weight_decay=0.1+group:bias,norm:weight_decay=0",
		"sgd:momentum=0.9+group:bias:lr=0.1x,momentum=0.5+group:norm*:freeze+clip:norm=0.05+onecycle:steps=20",
		"adam+group:dense:lr=0.013,beta1=0.7+cyclic:step_size_up=3",
		"adam+lookahead:k=2+group:weight:lr=2x",
		"lion+group:weight:beta1=0.5+group:bias:lr=3x+sam",
		"sgd+clip:norm=0.01+group:*:lr=0.5x",
		"adam+group:*:freeze",
		"adam+group:bias:lr=0.5x+ema:decay=0.5",
	} {
		t.Run(spec, func(t *testing.T) { opttest.Run(t, parsed(spec)) })
	}
}

// TestGroupsThatEqualTheMethodAreTheMethod, bit for bit, for every method whose rule is element by element.
func TestGroupsThatEqualTheMethodAreTheMethod(t *testing.T) {
	for _, method := range []string{"sgd:momentum=0.9,weight_decay=0.1", "adam:lr=0.1", "adamw:weight_decay=0.1,amsgrad", "lion", "adagrad", "rmsprop:momentum=0.5,centered",
		"adadelta", "adamax", "nadam", "radam", "adabelief", "adan"} {
		for _, groups := range []string{"+group:weight:lr=1x", "+group:bias:lr=1x+group:weight:lr=1x", "+group:norm.scale,dense.bias:lr=1x"} {
			for _, around := range []string{"", "+cosine:t_max=7", "+clip:norm=0.01+lookahead:k=3"} {
				want, a, _ := path(t, parsed(method+around)(), 10)
				got, b, _ := path(t, parsed(method+groups+around)(), 10)
				for k := range want {
					if !slices.Equal(got[k], want[k]) {
						t.Fatalf("%s: step %d goes to %v, want %v", method+groups+around, k, got[k], want[k])
					}
				}
				if a.Needs() != b.Needs() {
					t.Errorf("%s asks for %v, want %v", method+groups+around, b.Needs(), a.Needs())
				}
			}
		}
	}
}

// slice is a sample whose gradient is a part of another's.
type slice struct {
	optimizers.Func[float64]
}

func (p *slice) Len() int                                       { return 1 }
func (p *slice) Batch() optimizers.Sample[float64]              { return p }
func (p *slice) Full() optimizers.Sample[float64]               { return p }
func (p *slice) Draw(n int) (optimizers.Sample[float64], error) { return p, nil }

// TestNoDecayOnBiasesIsTwoOptimizers compares with AdamW at two settings, each on its own piece of the gradient.
func TestNoDecayOnBiasesIsTwoOptimizers(t *testing.T) {
	m := &optimizers.Groups{Of: &optimizers.AdamW{LR: 0.1, WeightDecay: 0.5},
		Rules: []optimizers.Rule{{Tensors: []string{"bias", "norm"}, Set: map[string]any{"weight_decay": 0.0}}}}
	got, _, _ := path(t, m, 10)

	p := opttest.NewExamples[float64]()
	x := p.Start()
	const weights = 6 // the elements of dense.weight, which comes first
	decayed, err := optimizers.New[float64](&optimizers.AdamW{LR: 0.1, WeightDecay: 0.5}, optimizers.Flat(weights))
	if err != nil {
		t.Fatal(err)
	}
	free, err := optimizers.New[float64](&optimizers.AdamW{LR: 0.1, WeightDecay: optimizers.Zero}, optimizers.Flat(len(x)-weights))
	if err != nil {
		t.Fatal(err)
	}
	g := make([]float64, len(x))
	for k := range got {
		p.At(k)
		if _, err := p.Batch().Grad(g, x); err != nil {
			t.Fatal(err)
		}
		piece := func(part []float64) *slice {
			return &slice{optimizers.Func[float64]{G: func(dst, _ []float64) float64 { copy(dst, part); return 0 }}}
		}
		step(t, decayed, x[:weights], optimizers.Problem[float64](piece(g[:weights])))
		step(t, free, x[weights:], optimizers.Problem[float64](piece(g[weights:])))
		if !slices.Equal(got[k], x) {
			t.Fatalf("step %d: groups go to %v, two optimizers to %v", k, got[k], x)
		}
	}
	if all, _, _ := path(t, parsed("adamw:lr=0.1,weight_decay=0.5")(), 10); slices.Equal(all[9], got[9]) {
		t.Error("the decay of the biases makes no difference")
	}
}

// TestRatesOfGroupsKeepTheirProportion measures the steps of gradient descent; norm.scale has no gradient, so that only
// its decay moves it.
func TestRatesOfGroupsKeepTheirProportion(t *testing.T) {
	spec := "sgd:lr=0.5,weight_decay=0.1+group:dense.bias:lr=0.1x+group:norm:lr=2,weight_decay=0.3+group:dense:lr=3x+step:step_size=2,gamma=0.5"
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x, g := p.Start(), make([]float64, 11)
	for k := range 6 {
		p.At(k)
		before := slices.Clone(x)
		if _, err := p.Batch().Grad(g, x); err != nil {
			t.Fatal(err)
		}
		r := step(t, o, x, optimizers.Problem[float64](p))
		rate := 0.5 * math.Pow(0.5, float64(k/2))
		if r.LR != rate {
			t.Errorf("step %d reports the rate %v, want %v", k, r.LR, rate)
		}
		for i, v := range before {
			share, decay := 3.0, 0.1 // dense.weight
			switch {
			case i == 10: // dense.bias, by the first rule that names it
				share = 0.1
			case i >= 6: // norm.scale
				share, decay = 4, 0.3
			}
			if want := v - share*rate*(g[i]+decay*v); math.Abs(x[i]-want) > 1e-15 {
				t.Errorf("step %d, parameter %d: %v, want %v", k, i, x[i], want)
			}
		}
	}
}

// TestEveryMethodHasGroups resumes each method in the middle of a run with groups, and counts its work.
func TestEveryMethodHasGroups(t *testing.T) {
	for _, info := range optimizers.Methods() {
		rule := "+group:bias:freeze"
		alone, err := optimizers.New[float64](parsed(info.Name)(), optimizers.Layout{})
		if err != nil {
			t.Fatal(err)
		}
		if _, rated := optimizers.As[optimizers.Rated](alone); rated && !slices.Contains([]string{"svrg", "sarah", "storm"}, info.Name) {
			rule = "+group:norm,bias:lr=0.5x"
		}
		start := func() (optimizers.Optimizer[float64], *opttest.Examples[float64]) {
			p := opttest.NewExamples[float64]()
			o, err := optimizers.New[float64](parsed(info.Name+rule)(), p.Layout())
			if err != nil {
				t.Fatal(err)
			}
			return o, p
		}
		o, p := start()
		x := p.Start()
		run := func(o optimizers.Optimizer[float64], p *opttest.Examples[float64], x []float64, from, to int) {
			t.Helper()
			for k := from; k < to; k++ {
				p.At(k)
				before := p.Work
				if r := step(t, o, x, optimizers.Problem[float64](p)); r.Work != p.Work-before {
					t.Errorf("%s: step %d reports %d forward-equivalents of %d", info.Name, k, r.Work, p.Work-before)
				}
			}
		}
		run(o, p, x, 0, 3)
		again, q := start()
		y := slices.Clone(x)
		if err := again.Restore(o.State()); err != nil {
			t.Errorf("%s: %v", info.Name, err)
			continue
		}
		run(o, p, x, 3, 7)
		run(again, q, y, 3, 7)
		if !slices.Equal(x, y) || slices.Equal(x, p.Start()) {
			t.Errorf("%s: resumed at %v, uninterrupted %v", info.Name, y, x)
		}
		bad := o.State()
		for name := range bad.Vectors {
			bad.Vectors[name] = append(bad.Vectors[name], 0)
		}
		if err := o.Restore(bad); len(bad.Vectors) > 0 && err == nil {
			t.Errorf("%s: a state of another layout was accepted", info.Name)
		}
	}
}

func TestFrozenTensorsStay(t *testing.T) {
	points, o, _ := path(t, parsed("adamw:lr=0.1,weight_decay=0.5+group:*.weight,norm:freeze")(), 5)
	start := opttest.NewExamples[float64]().Start()
	for i, v := range points[4] {
		if frozen := i < 10; (v == start[i]) != frozen {
			t.Errorf("parameter %d went from %v to %v", i, start[i], v)
		}
	}
	for name, v := range o.State().Vectors {
		if len(v) != 1 {
			t.Errorf("%s of %d numbers is kept, of one parameter that is not frozen", name, len(v))
		}
	}
}

// failing is Examples whose n-th question about a gradient or product fails.
type failing struct {
	*opttest.Examples[float64]
	left int
}

var errOnce = errors.New("once")

func (f *failing) Batch() optimizers.Sample[float64] { return failingSample{f.Examples.Batch(), f} }
func (f *failing) Draw(n int) (optimizers.Sample[float64], error) {
	s, err := f.Examples.Draw(n)
	return failingSample{s, f}, err
}

type failingSample struct {
	optimizers.Sample[float64]
	f *failing
}

func (s failingSample) asked() error {
	s.f.left--
	if s.f.left == 0 {
		return errOnce
	}
	return nil
}

func (s failingSample) Grad(dst, x []float64) (float64, error) {
	if err := s.asked(); err != nil {
		return 0, err
	}
	return s.Sample.Grad(dst, x)
}

func (s failingSample) GaussNewtonMul(dst, v []float64) error {
	return errors.Join(s.asked(), s.Sample.GaussNewtonMul(dst, v))
}

// TestAGroupThatFailsTakesTheOthersBack: of a method that asks more than one question, a later group may fail when
// others have stepped.
func TestAGroupThatFailsTakesTheOthersBack(t *testing.T) {
	for _, spec := range []string{"sgd:lr=0.1,momentum=0.9+sam+group:bias:lr=0.5x+group:norm:momentum=0.5", "hf:curvature=10+group:bias:damping=0.5"} {
		p := &failing{Examples: opttest.NewExamples[float64]()}
		start := func() optimizers.Optimizer[float64] {
			o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		alone, o := start(), start()
		x, y := p.Start(), p.Start()
		failures := 0
		for k := range 12 {
			p.At(k)
			p.left = -1
			want := step(t, alone, x, optimizers.Problem[float64](p))
			p.At(k)
			p.left = k%6 + 1
			before, state := slices.Clone(y), o.State()
			if _, err := o.Step(context.Background(), y, p); err != nil {
				failures++
				if !errors.Is(err, errOnce) {
					t.Fatal(err)
				}
				if !slices.Equal(before, y) {
					t.Errorf("%s: the failed step went to %v", spec, y)
				}
				for name, v := range o.State().Vectors {
					if !slices.Equal(v, state.Vectors[name]) {
						t.Errorf("%s: the failed step changed %s", spec, name)
					}
				}
				p.At(k)
				p.left = -1
				if got := step(t, o, y, optimizers.Problem[float64](p)); got.Loss != want.Loss || got.Work != want.Work {
					t.Errorf("%s: step %d reports %+v, want %+v", spec, k, got, want)
				}
			}
			if !slices.Equal(x, y) {
				t.Fatalf("%s: step %d after a failure goes to %v, want %v", spec, k, y, x)
			}
		}
		if failures < 6 {
			t.Errorf("%s: %d steps failed", spec, failures)
		}
	}
}

// TestGroupsOfAMethodWithCurvature: a group is moved as if its tensors were all there is.
func TestGroupsOfAMethodWithCurvature(t *testing.T) {
	p := opttest.NewExamples[float64]()
	whole, err := optimizers.New[float64](parsed("hf:objective=full,curvature=40")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := optimizers.New[float64](parsed("hf:objective=full,curvature=40+group:weight:damping=1+group:bias,norm:freeze")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	loss := func(o optimizers.Optimizer[float64]) float64 {
		x := p.Start()
		for k := range 20 {
			p.At(k)
			before := p.Work
			if r := step(t, o, x, optimizers.Problem[float64](p)); r.Work != p.Work-before {
				t.Errorf("step %d reports %d forward-equivalents of %d", k, r.Work, p.Work-before)
			}
		}
		f, err := p.Full().Loss(x)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	begin, err := p.Full().Loss(p.Start())
	if err != nil {
		t.Fatal(err)
	}
	all, some := loss(whole), loss(groups)
	if !(all < some && some < (begin+3*all)/4) {
		t.Errorf("from %v all parameters come to %v, the weights alone to %v", begin, all, some)
	}
}

func TestParseGroups(t *testing.T) {
	for spec, want := range map[string]string{
		"adamw+group: bias , norm : weight_decay = 0 ":          "adamw+group:bias,norm:weight_decay=0",
		"adamw+group:bias:lr=0.10x+group:conv*:freeze=true":     "adamw+group:bias:lr=0.1x+group:conv*:freeze",
		"adam+clip+group:dense1:lr=1e-3,amsgrad+cosine:t_max=3": "adam+clip+group:dense1:lr=0.001,amsgrad=true+cosine:t_max=3",
		"sgd+group:*.bias:momentum=0.9,lr=2x,nesterov":          "sgd+group:*.bias:lr=2x,momentum=0.9,nesterov=true",
		"adam+group:bias:lr=1e+3x+lookahead":                    "adam+group:bias:lr=1000x+lookahead",
	} {
		m, err := optimizers.Parse(spec)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if got := optimizers.Spec(m); got != want {
			t.Errorf("%s is written as %s", spec, got)
		}
		if again, err := optimizers.Parse(want); err != nil || optimizers.Spec(again) != want {
			t.Errorf("%s is read as %s: %v", want, optimizers.Spec(again), err)
		}
	}
	for spec, want := range map[string]string{
		"adamw+group":                      `group "" says nothing about its tensors; write it as bias,norm:weight_decay=0`,
		"adamw+group:bias":                 `group "bias" says nothing about its tensors`,
		"adamw+group:bias,:lr=1":           `names a tensor by nothing`,
		"adamw+group:bias:weight_dcay=0":   `group bias: unknown setting of adamw in a group "weight_dcay"; allowed are lr, beta1, beta2, eps, weight_decay, amsgrad, freeze; did you mean "weight_decay"?`,
		"adamw+group:bias:weight_decay=-1": `group bias: adamw: weight_decay is -1; allowed are numbers in [0, inf)`,
		"adamw+group:bias:freze":           `did you mean "freeze"?`,
		"adamw+group:bias:freeze=maybe":    `freeze is maybe; allowed are true, false`,
		"adamw+group:bias:freeze,lr=1":     `it is frozen, so that its settings say nothing`,
		"adamw+group:bias:lr=0x":           `lr is 0x; allowed are a rate, and multiples of the method's above 0, as 0.1x`,
		"adamw+group:bias:lr=fastx":        `lr is fastx`,
		"adamw+group:bias:lr=1,lr=2x":      `lr is given twice`,
		"sgd+group:bias:nesterov":          `group bias: sgd: nesterov needs momentum > 0`,
		"group:bias:lr=1":                  `group wraps a method and stands after it`,
		"adamw+groups:bias:lr=1":           `did you mean "group"?`,
	} {
		if m, err := optimizers.Parse(spec); err == nil || m != nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v; want %s", spec, err, want)
		}
	}
	layout := opttest.NewExamples[float64]().Layout()
	for spec, want := range map[string]string{
		"adamw+group:densee:lr=1":                         `group: no tensor is named "densee"; there are dense.weight, norm.scale, dense.bias, and the kinds weight, bias, norm; did you mean "dense"?`,
		"adamw+group:biases:lr=1":                         `did you mean "bias"?`,
		"adamw+group:dense.weigth:lr=1":                   `did you mean "dense.weight"?`,
		"adamw+group:dense.?ias,d*s,*t,*norm*,scale:lr=1": `no tensor is named "scale"`,
		"hf+group:bias:lr=1x":                             ``,
		"adam+cosine:t_max=5+group:bias:lr=1x":            `group cannot stand around adam+cosine: a schedule stands around the groups`,
		"adam+group:bias:lr=1x+clip+group:bias:lr=1x":     `group cannot stand around adam+group+clip: it has groups already`,
		"sgd:lr=0+group:bias:lr=1":                        `group bias: lr is 1, and that of the method is 0`,
	} {
		m, err := optimizers.Parse(spec)
		if err == nil {
			_, err = optimizers.New[float64](m, layout)
		}
		if want == "" {
			want = "hf has no learning rate to be multiplied"
		}
		if err == nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v; want %s", spec, err, want)
		}
	}
	for want, rule := range map[string]optimizers.Rule{
		"group 1 of 1 names no tensors":  {Scale: 2},
		"lr is -1x":                      {Tensors: []string{"bias"}, Scale: -1},
		"lr is given both":               {Tensors: []string{"bias"}, Scale: 1, Set: map[string]any{"lr": 1.0}},
		"it is frozen":                   {Tensors: []string{"bias"}, Scale: 1, Freeze: true},
		`unknown setting of adam "rate"`: {Tensors: []string{"bias"}, Set: map[string]any{"rate": 1.0}},
	} {
		_, err := optimizers.New[float32](&optimizers.Groups{Of: &optimizers.Adam{}, Rules: []optimizers.Rule{rule}}, layout)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v; want %s", rule, err, want)
		}
	}
}

// TestPatternsOfNames has for each pattern the tensors that it names.
func TestPatternsOfNames(t *testing.T) {
	names := []string{"conv1.weight", "conv1.bias", "residual1.conv1.weight", "dense10.weight", "dense1.bias", "beta"}
	for pattern, want := range map[string]string{
		"conv1":          "conv1.weight conv1.bias",
		"conv*":          "conv1.weight conv1.bias",
		"*conv*":         "conv1.weight conv1.bias residual1.conv1.weight",
		"dense1":         "dense1.bias",
		"dense?":         "dense1.bias",
		"dense??":        "dense10.weight",
		"*.weight":       "conv1.weight residual1.conv1.weight dense10.weight",
		"*.conv1.weight": "residual1.conv1.weight",
		"*":              strings.Join(names, " "),
		"b*a":            "beta",
		"beta":           "beta",
		"r*1":            "residual1.conv1.weight",
		"*e*e*":          "residual1.conv1.weight dense10.weight dense1.bias",
	} {
		var layout optimizers.Layout
		for i, name := range names {
			layout = append(layout, optimizers.Tensor{Name: name, Shape: []int{1}, Offset: i})
		}
		o, err := optimizers.New[float64](&optimizers.Groups{Of: &optimizers.SGD{LR: 1}, Rules: []optimizers.Rule{{Tensors: []string{pattern}, Freeze: true}}}, layout)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		x := []float64{1, 1, 1, 1, 1, 1}
		step(t, o, x, optimizers.Problem[float64](parabola{}))
		var got []string
		for i, v := range x {
			if v == 1 {
				got = append(got, names[i])
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s names %v, want %s", pattern, got, want)
		}
	}
}

// TestMemoryOfGroups measures what they keep beside the method.
func TestMemoryOfGroups(t *testing.T) {
	const n = 1 << 15
	layout := optimizers.Layout{{Name: "a", Shape: []int{n}}, {Name: "b", Shape: []int{n}, Offset: n, Kind: optimizers.Bias}}
	kept := func(spec string) float64 {
		x := make([]float64, 2*n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		o, err := optimizers.New[float64](parsed(spec)(), layout)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			step(t, o, x, optimizers.Problem[float64](parabola{}))
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / (8 * 2 * n)
	}
	for _, info := range optimizers.Wrappers() {
		if more := kept("adam+group:bias:lr=0.5x") - kept("adam"); info.Name == "group" && math.Abs(more-float64(info.Memory)) > 0.2 {
			t.Errorf("groups keep %.2f numbers more for each parameter; Info says %d", more, info.Memory)
		}
	}
}
