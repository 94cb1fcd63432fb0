package optimizers_test

import (
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
		"hf":                    {optimizers.NeedGaussNewton, "hf needs Gauss-Newton products, which this problem does not give (it gives gradients, Hessian products, squared per-example gradients); a setting such as hessian=true may do without"},
		"hf:hessian":            {optimizers.NeedHessian | optimizers.NeedGrad, "hf needs gradients, Hessian products, which"},
		"hf:precondition":       {optimizers.NeedSquaredGrads, "hf needs squared per-example gradients, which"},
		"adam+clip":             {optimizers.NeedGrad, "adam needs gradients, which"},
		"sgd+onecycle:steps=10": {optimizers.NeedGrad, "sgd needs gradients, which"},
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
	if err := optimizers.Check[float64](nil, p); err == nil {
		t.Error("no optimizer passes")
	}
}
