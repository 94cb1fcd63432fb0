package train

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/data"
)

// The loss of a batch, which goes through in parts, is that of Evaluate, at the
// buffers that the model has; restated ones are the moments of the batch.
func TestEvaluationOfABatch(t *testing.T) {
	m, _ := small[float64](t)
	d, err := data.Blobs(2*evaluationPart+100, 3, 5, 0.7, 4)
	if err != nil {
		t.Fatal(err)
	}
	b := batch[float64](t, d, 0, d.Len())
	e, err := EvaluationOf(m, b)
	if err != nil {
		t.Fatal(err)
	}
	mean, variance := m.Tensor("batchnorm1.running_mean"), m.Tensor("batchnorm1.running_var")
	for _, shift := range []float64{0, 0.3} {
		mean[2] += shift
		got, err := e.Loss(m.Params)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Evaluate(context.Background(), m, d)
		if err != nil || math.Abs(got-want.Loss) > 1e-12*want.Loss {
			t.Errorf("loss %v, evaluated %v (%v)", got, want.Loss, err)
		}
	}
	// With derivatives it is the same loss, and they are its differences.
	frozen, err := FrozenOf(m, b)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := e.Loss(m.Params)
	if err != nil {
		t.Fatal(err)
	}
	g, v, x := make([]float64, len(m.Params)), make([]float64, len(m.Params)), make([]float64, len(m.Params))
	if got, err := frozen.Grad(g, m.Params); err != nil || math.Abs(got-loss) > 1e-12*loss {
		t.Errorf("loss %v beside its gradient, %v alone (%v)", got, loss, err)
	}
	slope, difference := 0.0, 0.0
	for i := range v {
		v[i] = math.Sin(float64(3 * i))
		slope += g[i] * v[i]
	}
	for _, s := range []float64{1e-5, -1e-5} {
		for i := range x {
			x[i] = m.Params[i] + s*v[i]
		}
		at, err := e.Loss(x)
		if err != nil {
			t.Fatal(err)
		}
		difference += at / (2 * s)
	}
	if math.Abs(slope-difference) > 1e-7*math.Abs(slope) { // of order 1e-10, and roundings over 1e-5
		t.Errorf("slope %v, by differences %v", slope, difference)
	}
	if err := e.Restate(m.Params); err != nil {
		t.Fatal(err)
	}
	w, bias := m.Tensor("dense1.weight"), m.Tensor("dense1.bias")
	for u := range mean {
		z := make([]float64, b.N)
		sum, squares := 0.0, 0.0
		for i := range z {
			z[i] = bias[u]
			for k := range 5 {
				z[i] += b.X[5*i+k] * w[8*k+u]
			}
			sum += z[i]
		}
		for _, v := range z {
			squares += (v - sum/float64(b.N)) * (v - sum/float64(b.N))
		}
		if math.Abs(mean[u]-sum/float64(b.N)) > 1e-12 || math.Abs(variance[u]-squares/float64(b.N-1)) > 1e-12*variance[u] {
			t.Errorf("unit %d: mean %v and variance %v, by hand %v and %v", u, mean[u], variance[u], sum/float64(b.N), squares/float64(b.N-1))
		}
	}
	if _, err := e.Loss(m.Params[:3]); err == nil {
		t.Error("three parameters are enough")
	}
	b.N++
	if _, err := EvaluationOf(m, b); err == nil {
		t.Error("a batch that lacks an example is accepted")
	}
}
