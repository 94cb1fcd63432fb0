package bench

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// workload is a network with its batch sizes.
type workload struct {
	name    string
	net     nn.Layer
	loss    nn.Loss
	input   []int
	batch   int // of a training step
	product int // of gradients and products at one point
}

func dense(units int) nn.Layer { return nn.Dense{Units: units, Init: nn.HeNormal} }

func workloads() []workload {
	auto := nn.Sequential{}
	for _, units := range []int{1000, 500, 250} {
		auto = append(auto, nn.Dense{Units: units}, nn.Sigmoid{})
	}
	auto = append(auto, nn.Dense{Units: 30})
	for _, units := range []int{250, 500, 1000} {
		auto = append(auto, nn.Dense{Units: units}, nn.Sigmoid{})
	}
	auto = append(auto, nn.Dense{Units: pixels})
	conv := func(filters int) nn.Layer {
		return nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same, Init: nn.HeNormal}
	}
	return []workload{
		{"W0", nn.Sequential{dense(128), nn.ReLU{}, dense(10)}, nn.SoftmaxCrossEntropy{}, []int{pixels}, 64, 64},
		{"W1", nn.Sequential{dense(512), nn.ReLU{}, dense(512), nn.ReLU{}, dense(10)}, nn.SoftmaxCrossEntropy{}, []int{pixels}, 128, 512},
		{"W2", nn.Sequential{
			conv(32), nn.ReLU{}, nn.MaxPool2D{Size: 2},
			conv(64), nn.ReLU{}, nn.MaxPool2D{Size: 2},
			nn.Flatten{}, dense(128), nn.ReLU{}, dense(10),
		}, nn.SoftmaxCrossEntropy{}, []int{1, 28, 28}, 128, 256},
		{"W3", auto, nn.SigmoidCrossEntropy{}, []int{pixels}, 1000, 1000},
	}
}

const (
	pixels   = 28 * 28
	examples = 20000
	classes  = 10
)

// images are as sparse and bounded as MNIST's: a fifth of the pixels is uniform
// on [0, 1), the rest is 0.
var images = sync.OnceValues(func() (x, labels []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	x, labels = make([]float32, examples*pixels), make([]float32, examples)
	for i := range x {
		if r.Float32() < 0.2 {
			x[i] = r.Float32()
		}
	}
	for i := range labels {
		labels[i] = float32(r.IntN(classes))
	}
	return x, labels
})

// set is the workload's data: classified images, or images that are their own
// target.
func (w *workload) set(b *testing.B, n int) data.Dataset {
	b.Helper()
	x, labels := images()
	y, target := labels[:n], data.Target{Classes: classes}
	if w.name == "W3" {
		y, target = x[:n*pixels], data.Target{Shape: w.input}
	}
	d, err := data.New(x[:n*pixels], w.input, y, target)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func (w *workload) build() (*nn.Model[float32], error) {
	return nn.Build[float32](w.net, w.loss, w.input, 1)
}

func (w *workload) model(b *testing.B) *nn.Model[float32] {
	b.Helper()
	m, err := w.build()
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func TestWorkloadsHaveTheirParameters(t *testing.T) {
	want := map[string]int{"W0": 101770, "W1": 669706, "W2": 421642, "W3": 2837314}
	for _, w := range workloads() {
		m, err := w.build()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Params) != want[w.name] {
			t.Errorf("%s has %d parameters, want %d", w.name, len(m.Params), want[w.name])
		}
	}
}
