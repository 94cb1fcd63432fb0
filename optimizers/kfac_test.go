package optimizers_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// layerless is a problem whose samples show no layers.
type layerless[T optimizers.Float] struct{ *opttest.Examples[T] }

func (p layerless[T]) Batch() optimizers.Sample[T] { return layerlessSample[T]{p.Examples.Batch()} }

type layerlessSample[T optimizers.Float] struct{ optimizers.Sample[T] }

func TestKFACNeedsFactorsForBlocks(t *testing.T) {
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](&optimizers.KFAC{}, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x := p.Start()
	if _, err := o.Step(context.Background(), x, layerless[float64]{p}); err == nil || !strings.Contains(err.Error(), "no factors") {
		t.Errorf("without factors of layers: %v", err)
	}
	if !slices.Equal(x, p.Start()) {
		t.Error("a refused step moved the parameters")
	}
	if _, err := o.Step(context.Background(), x, p); err != nil {
		t.Errorf("after a refused step: %v", err)
	}
}

// TestKFACGoesBackFromARise: where the loss of the minibatch itself rises, the step is not taken, the damping grows until
// a step is good, and the momentum is forgotten.
func TestKFACGoesBackFromARise(t *testing.T) {
	// The Gauss-Newton matrix is told a millionth of what it is, so that steps are far too long until damping matters.
	f := opttest.Func[float64](opttest.Rosenbrock)
	honest := f.GN
	f.GN = func(dst, x, v []float64) {
		honest(dst, x, v)
		for i := range dst {
			dst[i] *= 1e-6
		}
	}
	o, err := optimizers.New[float64](&optimizers.KFAC{AdaptEvery: 1, Damping: 1e-3}, optimizers.Flat(2))
	if err != nil {
		t.Fatal(err)
	}
	p := &functionProblem{f}
	x := []float64{-1.2, 1}
	loss, err := f.Loss(x)
	if err != nil {
		t.Fatal(err)
	}
	rejected, damping := 0, 0.0
	for range 600 {
		before := slices.Clone(x)
		r, err := o.Step(context.Background(), x, p)
		if err != nil {
			t.Fatal(err)
		}
		if damping > 0 && !(r.Damping > damping) {
			t.Errorf("damping %v after a rejected step with %v", r.Damping, damping)
		}
		damping = 0
		if r.Rejected {
			rejected++
			damping = r.Damping
			if !slices.Equal(before, x) {
				t.Fatal("a rejected step moved the parameters")
			}
			if r.Rho > 0 || r.StepNorm != 0 {
				t.Errorf("a rejected step reports %+v", r)
			}
			if last := o.State().Vectors["last_step"]; last[0] != 0 || last[1] != 0 {
				t.Error("a rejected step left its momentum")
			}
		}
	}
	after, err := f.Loss(x)
	if err != nil {
		t.Fatal(err)
	}
	if rejected < 10 || !(after < loss) {
		t.Errorf("%d steps were rejected; the loss went from %v to %v", rejected, loss, after)
	}
}

// functionProblem is a function as a problem.
type functionProblem struct{ *optimizers.Func[float64] }

func (p *functionProblem) Len() int                          { return 1 }
func (p *functionProblem) Batch() optimizers.Sample[float64] { return p }
func (p *functionProblem) Full() optimizers.Sample[float64]  { return p }
func (p *functionProblem) Draw(int) (optimizers.Sample[float64], error) {
	return nil, errors.New("none")
}

// TestKFACAverage: by induction the mean gives step k of n a weight proportional to k(k+1)...(k+c-1).
func TestKFACAverage(t *testing.T) {
	const c = 3
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](&optimizers.KFAC{Average: c}, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x := p.Start()
	got, sum, weights := make([]float64, len(x)), make([]float64, len(x)), 0.0
	evaluated, _ := optimizers.As[optimizers.Averaging[float64]](o)
	if evaluated.EvalWeights(got, x); !slices.Equal(got, x) {
		t.Error("the mean of no steps is not the first weights")
	}
	for k := 1; k <= 30; k++ {
		p.At(k)
		if _, err := o.Step(context.Background(), x, p); err != nil {
			t.Fatal(err)
		}
		w := float64(k * (k + 1) * (k + 2))
		weights += w
		evaluated.EvalWeights(got, x)
		for i, v := range x {
			sum[i] += w * v
			if want := sum[i] / weights; math.Abs(got[i]-want) > 1e-12*(1+math.Abs(want)) {
				t.Fatalf("after %d steps weight %d is %v in the mean, want %v", k, i, got[i], want)
			}
		}
	}
}

// TestKFACRefusesCurvatureThatIsNotFinite: the error names it, and nothing has changed.
func TestKFACRefusesCurvatureThatIsNotFinite(t *testing.T) {
	f := opttest.Func[float64](opttest.Rosenbrock)
	honest := f.GN
	bad := true
	f.GN = func(dst, x, v []float64) {
		honest(dst, x, v)
		if bad {
			dst[1] = math.NaN()
		}
	}
	o, err := optimizers.New[float64](&optimizers.KFAC{}, optimizers.Flat(2))
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{-1.2, 1}
	_, err = o.Step(context.Background(), x, &functionProblem{f})
	var e *optimizers.NonFiniteError
	if !errors.As(err, &e) || e.What != "curvature product" || e.Index != 1 {
		t.Errorf("a product that is not finite gives %v", err)
	}
	if x[0] != -1.2 || o.State().Step != 0 {
		t.Error("a failed step changed something")
	}
	bad = false
	if _, err := o.Step(context.Background(), x, &functionProblem{f}); err != nil {
		t.Error(err)
	}
}

func TestBlocksAreChecked(t *testing.T) {
	tensor := func(name string, offset int, b *optimizers.Block, shape ...int) optimizers.Tensor {
		return optimizers.Tensor{Name: name, Shape: shape, Offset: offset, Block: b}
	}
	good := optimizers.Layout{tensor("w", 0, &optimizers.Block{Tensors: 2, In: 3, Out: 2}, 3, 2), tensor("b", 6, nil, 2),
		tensor("k", 8, &optimizers.Block{Tensors: 1, In: 4, Out: 1, Groups: 2, Transposed: true}, 2, 1, 2, 2), tensor("s", 16, &optimizers.Block{Tensors: 1, Out: 5}, 5)}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for why, b := range map[string]optimizers.Block{
		"wrong sizes": {Tensors: 1, In: 3, Out: 3}, "too many tensors": {Tensors: 2, In: 2, Out: 2}, "no tensors": {In: 3, Out: 2},
		"no outputs": {Tensors: 1, In: 6}, "groups of dense layers": {Tensors: 1, In: 3, Out: 1, Groups: 2}, "negative inputs": {Tensors: 1, In: -1, Out: 6},
	} {
		l := optimizers.Layout{tensor("w", 0, &b, 3, 2)}
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), `"w"`) {
			t.Errorf("a block with %s: %v", why, err)
		}
	}
	overlap := optimizers.Layout{tensor("w", 0, &optimizers.Block{Tensors: 2, In: 3, Out: 2}, 3, 2), tensor("b", 6, &optimizers.Block{Tensors: 1, Out: 2}, 2)}
	if err := overlap.Validate(); err == nil {
		t.Error("a block inside another was accepted")
	}
}

// TestKFACGrows: minibatches, of 32 examples, stay for the first steps, grow by half then and end at the most.
func TestKFACGrows(t *testing.T) {
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](parsed("kfac:growth=1.5,grow_from=3,most=64")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x := p.Start()
	for k, want := range []int{32, 32, 32, 32, 48, 64, 64} {
		p.At(k + 1)
		r, err := o.Step(context.Background(), x, p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Batch != want {
			t.Errorf("step %d sees %d examples, want %d", k, r.Batch, want)
		}
	}
}
