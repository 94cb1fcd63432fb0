package optimizers_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// plainAdafactor restates the rule for one tensor, a stack of matrices or, with one row, a vector, in float64.
type plainAdafactor struct {
	count, rows, cols int
	row, col          []float64
	t                 float64
}

func (a *plainAdafactor) step(x, g []float64, lr float64) {
	a.t++
	const eps1, eps2, d, decay = 0x1p-52, 1e-3, 1.0, 0.1
	w := math.Pow(a.t, -0.8)
	rms := func(v []float64) float64 {
		sum := 0.0
		for _, v := range v {
			sum += v * v
		}
		return math.Sqrt(sum / float64(len(v)))
	}
	alpha := max(eps2, rms(x)) * min(lr, 1/math.Sqrt(a.t))
	u := make([]float64, len(x))
	for k := range a.count {
		row, col := a.row[k*a.rows:][:a.rows], a.col[k*a.cols:][:a.cols]
		g, u := g[k*a.rows*a.cols:], u[k*a.rows*a.cols:]
		mean := 0.0
		for i := range row {
			sum := 0.0
			for j := range col {
				sum += g[i*a.cols+j] * g[i*a.cols+j]
			}
			row[i] += w * (sum/float64(a.cols) - row[i])
			mean += row[i] / float64(a.rows)
		}
		for j := range col {
			sum := 0.0
			for i := range row {
				sum += g[i*a.cols+j] * g[i*a.cols+j]
			}
			col[j] += w * (sum/float64(a.rows) - col[j])
		}
		for i := range row {
			for j := range col {
				v := row[i] * col[j] / max(eps1, mean)
				if a.rows == 1 && a.count == 1 {
					v = col[j]
				}
				u[i*a.cols+j] = g[i*a.cols+j] / math.Sqrt(max(eps1*eps1, v))
			}
		}
	}
	size := max(1, rms(u)/d)
	for i := range x {
		x[i] = (1-lr*decay)*x[i] - alpha/size*u[i]
	}
}

// TestAdafactorIsItsFormula takes tensors that are cut in every way there is.
func TestAdafactorIsItsFormula(t *testing.T) {
	shapes := [][]int{{3}, {}, {9001}, {3, 4}, {70, 200}, {200, 70}, {700, 13}, {5, 2, 3, 3}, {500, 4, 3, 3}, {2, 80, 100}, {2, 9000}, {6000, 1}, {3, 1, 1}, {40, 33}}
	var l optimizers.Layout
	var plain []*plainAdafactor
	for i, shape := range shapes {
		l = append(l, optimizers.Tensor{Name: string(rune('a' + i)), Shape: shape, Offset: l.Size()})
		p := &plainAdafactor{count: 1, rows: 1, cols: l[i].Size()}
		if d := len(shape); d > 1 {
			p.rows, p.cols = shape[d-2], shape[d-1]
			p.count = l[i].Size() / (p.rows * p.cols)
		}
		p.row, p.col = make([]float64, p.count*p.rows), make([]float64, p.count*p.cols)
		plain = append(plain, p)
	}
	const lr = 0.05
	o64, err := optimizers.New[float64](&optimizers.Adafactor{LR: lr, WeightDecay: 0.1}, l)
	if err != nil {
		t.Fatal(err)
	}
	o32, err := optimizers.New[float32](&optimizers.Adafactor{LR: lr, WeightDecay: 0.1}, l)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	n := l.Size()
	want, x64, x32 := make([]float64, n), make([]float64, n), make([]float32, n)
	for i := range want {
		want[i] = r.NormFloat64()
		x64[i], x32[i] = want[i], float32(want[i])
	}
	g := make([]float64, n)
	p64, p32 := &separate[float64]{}, &separate[float32]{}
	p64.G = func(dst, _ []float64) float64 { copy(dst, g); return 1 }
	p32.G = func(dst, _ []float32) float64 {
		for i, v := range g {
			dst[i] = float32(v)
		}
		return 1
	}
	for range 4 {
		for i := range g {
			g[i] = r.NormFloat64() * float64(i%11)
		}
		if _, err := o64.Step(context.Background(), x64, p64); err != nil {
			t.Fatal(err)
		}
		if _, err := o32.Step(context.Background(), x32, p32); err != nil {
			t.Fatal(err)
		}
		for i, tensor := range l {
			lo, hi := tensor.Offset, tensor.Offset+tensor.Size()
			plain[i].step(want[lo:hi], g[lo:hi], lr)
		}
	}
	for i, v := range want {
		tensor, at := l.At(i)
		if d := math.Abs(x64[i] - v); !(d <= 1e-12) {
			t.Fatalf("%v: element %d goes to %v, by the formula %v", tensor.Shape, at, x64[i], v)
		}
		if d := math.Abs(float64(x32[i]) - v); !(d <= 1e-5) {
			t.Fatalf("float32, %v: element %d goes to %v, by the formula %v", tensor.Shape, at, x32[i], v)
		}
	}
}
