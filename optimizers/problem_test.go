package optimizers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

func TestOracleInWords(t *testing.T) {
	for o, want := range map[optimizers.Oracle]string{
		0:                   "losses only",
		optimizers.NeedGrad: "gradients",
		optimizers.NeedGrad | optimizers.NeedHessian: "gradients, Hessian products",
		optimizers.NeedGaussNewton | 0x100:           "Gauss-Newton products, Oracle(0x100)",
		optimizers.NeedSquaredGrads:                  "squared per-example gradients",
		optimizers.NeedSampledGrads:                  "gradients with sampled targets",
		optimizers.NeedExampleGrads:                  "gradients of single examples",
		optimizers.NeedStructural:                    "structural damping",
	} {
		if got := o.String(); got != want {
			t.Errorf("%#x is %q, want %q", uint(o), got, want)
		}
	}
}

func TestCheckSaysWhatIsMissing(t *testing.T) {
	p := opttest.NewExamples[float64]()
	for spec, c := range map[string]struct {
		lacks optimizers.Oracle
		want  string
	}{
		"hf":                      {optimizers.NeedGaussNewton, "hf needs Gauss-Newton products, which this problem does not give (it gives gradients, Hessian products, squared per-example gradients, gradients with sampled targets, structural damping, gradients of single examples); a setting such as hessian=true may do without"},
		"hf:hessian":              {optimizers.NeedHessian | optimizers.NeedGrad, "hf needs gradients, Hessian products, which"},
		"hf:precondition=squares": {optimizers.NeedSquaredGrads, "hf needs squared per-example gradients, which"},
		"adam+clip":               {optimizers.NeedGrad, "adam needs gradients, which"},
		"sgd+onecycle:steps=10":   {optimizers.NeedGrad, "sgd needs gradients, which"},
	} {
		o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		p.Lacks = c.lacks
		err = optimizers.Check(o, optimizers.Problem[float64](p))
		if err == nil || !strings.HasPrefix(err.Error(), "optimizers: "+c.want) {
			t.Errorf("%s: %v", spec, err)
		}
		p.Lacks = ^o.Needs()
		if err := optimizers.Check(o, optimizers.Problem[float64](p)); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
	p.Lacks = 0
	o, err := optimizers.New[float64](parsed("tr:sampling=norms")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := optimizers.Check(o, optimizers.Problem[float64](p)); err == nil || !strings.HasSuffix(err.Error(), "; sampling=uniform does without") {
		t.Errorf("samples by norm: %v", err)
	}
	if err := optimizers.Check[float64](nil, p); err == nil {
		t.Error("no optimizer passes")
	}
}

// veiled is a sample around another, of which only what every sample has can be seen.
type veiled struct{ optimizers.Sample[float64] }

// worn is one that says what is inside.
type worn struct{ veiled }

func (w worn) Unwrap() optimizers.Sample[float64] { return w.Sample }

func TestSampleAsLooksInside(t *testing.T) {
	inside := opttest.NewExamples[float64]().Batch()
	type squares = optimizers.SquaredGrads[float64]
	for claim, c := range map[string]struct {
		s    optimizers.Sample[float64]
		want bool
	}{
		"the sample itself":  {inside, true},
		"inside of one":      {worn{veiled{inside}}, true},
		"inside of two":      {worn{veiled{worn{veiled{inside}}}}, true},
		"behind a veil":      {veiled{inside}, false},
		"a veil inside":      {worn{veiled{veiled{inside}}}, false},
		"nothing inside":     {worn{}, false},
		"there is no sample": {nil, false},
	} {
		got, ok := optimizers.SampleAs[squares](c.s)
		if ok != c.want || ok && got != inside.(squares) {
			t.Errorf("%s: found %v", claim, ok)
		}
	}
}

// TestHFAsksInside has squared gradients of a sample that is wrapped, and without Unwrap none.
func TestHFAsksInside(t *testing.T) {
	for _, c := range []struct {
		wrap func(optimizers.Sample[float64]) optimizers.Sample[float64]
		want bool
	}{
		{func(s optimizers.Sample[float64]) optimizers.Sample[float64] { return worn{veiled{s}} }, true},
		{func(s optimizers.Sample[float64]) optimizers.Sample[float64] { return veiled{s} }, false},
	} {
		p := wrapping{opttest.NewExamples[float64](), c.wrap}
		o, err := optimizers.New[float64](&optimizers.HF{Precondition: "squares", Curvature: 10}, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Step(context.Background(), p.Start(), p)
		if (err == nil) != c.want || err != nil && !strings.Contains(err.Error(), "samples give no squared per-example gradients") {
			t.Errorf("with Unwrap %v: %v", c.want, err)
		}
	}
}

// wrapping is a problem whose samples are wrapped.
type wrapping struct {
	*opttest.Examples[float64]
	wrap func(optimizers.Sample[float64]) optimizers.Sample[float64]
}

func (p wrapping) Batch() optimizers.Sample[float64] { return p.wrap(p.Examples.Batch()) }
func (p wrapping) Full() optimizers.Sample[float64]  { return p.wrap(p.Examples.Full()) }
func (p wrapping) Draw(n int) (optimizers.Sample[float64], error) {
	s, err := p.Examples.Draw(n)
	if err != nil {
		return nil, err
	}
	return p.wrap(s), nil
}

// told is a problem that tells the length of its gradients.
type told struct {
	optimizers.Problem[float64]
	length float64
}

func (p told) Batch() optimizers.Sample[float64] {
	return toldSample{p.Problem.Batch(), p.length}
}

type toldSample struct {
	optimizers.Sample[float64]
	length float64
}

func (s toldSample) GradNorm() (float64, bool) { return s.length, s.length != 5 }

// TestLengthsOfGradients: what a sample tells is taken for the length of its gradient, also under wrappers, where it tells
// anything, and where squares could not have mattered.
func TestLengthsOfGradients(t *testing.T) {
	for _, spec := range []string{"sgd", "sgd+clip:norm=1e9", "adam+decay:weight_decay=0"} {
		p := opttest.NewExamples[float64]()
		x := make([]float64, p.Layout().Size())
		step := func(problem optimizers.Problem[float64]) float64 {
			o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
			if err != nil {
				t.Fatal(err)
			}
			r, err := o.Step(context.Background(), append([]float64{}, x...), problem)
			if err != nil {
				t.Fatal(err)
			}
			return r.GradNorm
		}
		own := step(p)
		for length, want := range map[float64]float64{3: 3, 5: own, 0: own, 1e-200: own, 1e200: own} {
			if got := step(told{p, length}); got != want {
				t.Errorf("%s: told of a gradient of length %v, it reports %v, want %v", spec, length, got, want)
			}
		}
	}
}
