package landscape

import (
	"math"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// normed is a network with one batch normalisation, of 4 units, and examples.
func normed(t *testing.T) (*nn.Model[float64], *data.Pair) {
	t.Helper()
	d, err := data.Open(background, "spirals", "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](nn.Sequential{nn.Dense{Units: 4}, nn.BatchNorm{}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{2}, nn.Seed(2))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Params { // scales and shifts that are not 1 and 0
		m.Params[i] += 0.1 * float64(i%7)
	}
	return m, d
}

// byHand is the mean loss of such a network on n examples, with moments of its own.
// Those it has been given in place of none it uses: 4 means, then 4 variances.
func byHand(t *testing.T, m *nn.Model[float64], x []float64, d data.Dataset, n int, moments []float64) (loss float64, own []float64) {
	t.Helper()
	in, y := make([]float64, 2*n), make([]float64, n)
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	if err := data.Read(d, in, y, index); err != nil {
		t.Fatal(err)
	}
	tensor := func(name string) []float64 {
		for _, p := range m.Parameters() {
			if p.Name == name {
				return x[p.Offset : p.Offset+p.Size()]
			}
		}
		t.Fatalf("no %s", name)
		return nil
	}
	w, b, gain, shift, v, c := tensor("dense1.weight"), tensor("dense1.bias"), tensor("batchnorm1.weight"), tensor("batchnorm1.bias"), tensor("dense2.weight"), tensor("dense2.bias")
	own = make([]float64, 8)
	hidden := make([][4]float64, n)
	for u := range 4 {
		for i := range n {
			hidden[i][u] = in[2*i]*w[u] + in[2*i+1]*w[4+u] + b[u]
			own[u] += hidden[i][u] / float64(n)
		}
		for i := range n {
			own[4+u] += (hidden[i][u] - own[u]) * (hidden[i][u] - own[u]) / float64(n)
		}
	}
	if moments == nil {
		moments = own
	}
	for i := range n {
		var z [3]float64
		sum := 0.0
		for k := range z {
			z[k] = c[k]
			for u := range 4 {
				z[k] += v[3*u+k] * math.Tanh(gain[u]*(hidden[i][u]-moments[u])/math.Sqrt(moments[4+u]+1e-5)+shift[u])
			}
			sum += math.Exp(z[k])
		}
		loss += (math.Log(sum) - z[int(y[i])]) / float64(n)
	}
	return loss, own
}

// Losses of both kinds are those that are computed by hand: re-estimated ones with
// the moments of the training examples at the same point, frozen ones with what
// lies between the buffers of the ends.
func TestStatisticsOfBatchNormalisation(t *testing.T) {
	m, d := normed(t)
	const n, others = 90, 70
	p, err := At(m, d.Train, n)
	if err != nil {
		t.Fatal(err)
	}
	q, err := At(m, d.Test, others)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.StatisticsOf(p); err != nil {
		t.Fatal(err)
	}
	from, to := wideOf(m.Params), wideOf(m.Params)
	for i := range to {
		to[i] += math.Sin(float64(3 * i))
	}
	saved := [2][]float64{make([]float64, 8), make([]float64, 8)}
	for i := range 8 {
		saved[0][i], saved[1][i] = 0.3+0.1*float64(i), 1.1-0.05*float64(i)
	}
	before := append([]float64(nil), m.Buffers...)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12*math.Abs(want) { // sums of 90 numbers
			t.Errorf("%s: loss %v, by hand %v", what, got, want)
		}
	}
	for _, alpha := range []float64{0, 0.3, 1} {
		x := make([]float64, len(from))
		point(x, from, to, alpha)
		at := func(p *Model[float64]) float64 {
			t.Helper()
			loss, err := p.Line(background, from, to, []float64{alpha})
			if err != nil {
				t.Fatal(err)
			}
			return loss[0]
		}
		if err := p.StatisticsOf(p); err != nil { // as it is, but for the variance over n-1
			t.Fatal(err)
		}
		want, moments := byHand(t, m, x, d.Train, n, nil)
		for u := range 4 {
			moments[4+u] *= float64(n) / (n - 1)
		}
		unbiased, _ := byHand(t, m, x, d.Train, n, moments)
		near("training, over n-1", at(p), unbiased)
		p.stats = statistics[float64]{}
		near("training", at(p), want)
		want, _ = byHand(t, m, x, d.Test, others, moments)
		near("test", at(q), want)
		if err := p.Freeze(saved[0], saved[1]); err != nil {
			t.Fatal(err)
		}
		between := make([]float64, 8)
		point(between, saved[0], saved[1], alpha)
		want, _ = byHand(t, m, x, d.Train, n, between)
		near("frozen", at(p), want)
		grid := NewGrid([]float64{alpha}, []float64{0})
		if err := p.Fill(background, grid, &Plane{Centre: from, A: Difference(to, from), B: make([]float64, len(from))}, nil); err != nil {
			t.Fatal(err)
		}
		want, _ = byHand(t, m, x, d.Train, n, saved[0])
		near("frozen, of a plane", grid.Loss[0], want)
		p.stats = statistics[float64]{}
	}
	for i, v := range before {
		if m.Buffers[i] != v {
			t.Fatal("the model's buffers have changed")
		}
	}
	if err := p.Freeze(saved[0], saved[1][:7]); err == nil || !strings.Contains(err.Error(), "8 and 7 numbers") {
		t.Errorf("error %v", err)
	}
	if _, err := ParseStatistics("frozn"); err == nil || !strings.Contains(err.Error(), `did you mean "frozen"?`) {
		t.Errorf("error %v", err)
	}
}

func wideOf[T train.Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// Gradient and curvature of a frozen loss are its differences: at the point with the
// statistics where lines begin, and on a curve with those of the place.
func TestDerivativesOfFrozenStatistics(t *testing.T) {
	m, d := normed(t)
	p, err := At(m, d.Train, 90)
	if err != nil {
		t.Fatal(err)
	}
	own, _, err := p.Gradient()
	if err != nil {
		t.Fatal(err)
	}
	from, to := make([]float64, 8), make([]float64, 8)
	for i := range 8 {
		from[i], to[i] = 0.3+0.1*float64(i), 1.1-0.05*float64(i)
	}
	if err := p.Freeze(from, to); err != nil {
		t.Fatal(err)
	}
	n := len(m.Params)
	v := make([]float64, n)
	normals(v, source(1, 2))
	const h = 1e-5
	shifted := func(s float64) []float64 {
		x := wideOf(m.Params)
		axpy(x, s, v)
		return x
	}
	for _, at := range []float64{0, 0.3} {
		difference := 0.0
		for _, s := range []float64{1, -1} {
			loss, err := p.On(at).Loss(shifted(s * h))
			if err != nil {
				t.Fatal(err)
			}
			difference += s * loss / (2 * h)
		}
		g := make([]float64, n)
		loss, err := p.On(at).Grad(g, m.Params)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := p.On(at).Loss(m.Params); err != nil || loss != want {
			t.Errorf("loss %v beside the gradient, %v alone (%v)", loss, want, err)
		}
		if math.Abs(dot(g, v)-difference) > 1e-8*norm(g)*norm(v) { // of order h²
			t.Errorf("slope at %v: %v, by differences %v", at, dot(g, v), difference)
		}
		if at > 0 {
			continue
		}
		point, _, err := p.Gradient()
		if err != nil || Distance(point, g) != 0 {
			t.Errorf("the gradient at the point is not that of where lines begin (%v)", err)
		}
		if Distance(point, own) < 0.01*norm(own) {
			t.Error("the gradient is still that of training")
		}
	}
	product := [][]float64{make([]float64, n)}
	if err := p.Hessian().Mul(background, product, [][]float64{v}); err != nil {
		t.Fatal(err)
	}
	difference := make([]float64, n)
	for _, s := range []float64{1, -1} {
		g := make([]float64, n)
		if _, err := p.On(0).Grad(g, shifted(s*h)); err != nil {
			t.Fatal(err)
		}
		axpy(difference, s/(2*h), g)
	}
	if off := Distance(product[0], difference); off > 1e-7*norm(difference) {
		t.Errorf("the Hessian's product is %v from the difference of gradients, of length %v", off, norm(difference))
	}
	// The point moves, and its statistics stay.
	x := shifted(0.1)
	if err := p.Move(x); err != nil {
		t.Fatal(err)
	}
	_, loss, err := p.Gradient()
	if want, _ := p.Loss(x); err != nil || loss != want {
		t.Errorf("loss %v where the point is, %v there (%v)", loss, want, err)
	}
	again := [][]float64{make([]float64, n)}
	if err := p.Hessian().Mul(background, again, [][]float64{v}); err != nil || Distance(again[0], product[0]) < 1e-3*norm(product[0]) {
		t.Errorf("the curvature is still that of the point before (%v)", err)
	}
}

// Matched units take their statistics along: the network with frozen ones is the
// same.
func TestMatchedUnitsTakeTheirStatistics(t *testing.T) {
	m, d := normed(t)
	p, err := At(m, d.Train, 50)
	if err != nil {
		t.Fatal(err)
	}
	buffers := []float64{0.1, -0.2, 0.3, 0.4, 1, 2, 0.5, 0.7}
	h := HiddenLayers(m)[0]
	order := []int{2, 0, 3, 1}
	x, moved := h.Permute(m.Params, order), h.PermuteBuffers(buffers, order)
	if err := p.Freeze(buffers, moved); err != nil {
		t.Fatal(err)
	}
	loss, err := p.Line(background, m.Params, x, []float64{0, 0.5, 1})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(loss[0]-loss[2]) > 1e-13 || math.Abs(loss[0]-loss[1]) < 1e-3 {
		t.Errorf("losses %v", loss)
	}
}
