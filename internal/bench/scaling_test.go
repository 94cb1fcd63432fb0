package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// stack is depth hidden layers of width units with relu.
func stack(width, depth int) nn.Sequential {
	net := nn.Sequential{}
	for range depth {
		net = append(net, dense(width), nn.ReLU{})
	}
	return append(net, dense(classes))
}

// BenchmarkScaling is a gradient while one size doubles: its time should grow as
// the work, that is by 2 with the batch and the depth, by up to 4 with the width.
// Run it with GOMAXPROCS=1 and 2 to see what the second core gives: a process has
// as many workers as cores at its first task.
func BenchmarkScaling(b *testing.B) {
	const batch, width, depth = 128, 256, 4
	run := func(name string, batch, width, depth int) {
		b.Run(name, func(b *testing.B) {
			w := workload{name, stack(width, depth), nn.SoftmaxCrossEntropy{}, []int{pixels}, batch, batch}
			w.grad(b)
		})
	}
	for k := 1; k <= 8; k *= 2 {
		run(fmt.Sprintf("batch=%d", batch*k), batch*k, width, depth)
	}
	for k := 1; k <= 8; k *= 2 {
		run(fmt.Sprintf("width=%d", width*k), batch, width*k, depth)
	}
	for k := 1; k <= 64; k *= 2 {
		run(fmt.Sprintf("depth=%d", depth*k), batch, width, depth*k)
	}
}

// BenchmarkCompile is what comes before the first product with the Hessian: the
// graph, its derivatives and the program.
func BenchmarkCompile(b *testing.B) {
	nets := workloads()
	for _, depth := range []int{64, 128, 256, 512} {
		nets = append(nets, workload{fmt.Sprintf("depth=%d", depth), stack(32, depth), nn.SoftmaxCrossEntropy{}, []int{pixels}, 32, 32})
	}
	for _, w := range nets {
		b.Run(w.name, func(b *testing.B) {
			m, d := w.model(b), w.set(b, w.product)
			var batch data.Batch[float32]
			loader := data.Loader[float32]{Data: d}
			if err := loader.Draw(&batch, w.product, 0); err != nil {
				b.Fatal(err)
			}
			v, hv := direction(len(m.Params)), make([]float32, len(m.Params))
			for b.Loop() {
				s, err := train.ProblemOf(m, batch) // with no program yet
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Linearize(m.Params); err != nil {
					b.Fatal(err)
				}
				if err := s.HessianMul(hv, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A net of 500 layers compiles and learns.
func TestDeepNetLearns(t *testing.T) {
	block := nn.Residual{nn.LayerNorm{}, nn.Dense{Units: 16}, nn.Tanh{}}
	net := nn.Sequential{nn.Dense{Units: 16}}
	for range 500 {
		net = append(net, block)
	}
	net = append(net, nn.LayerNorm{}, nn.Dense{Units: 4})
	blobs, err := data.Blobs(400, 4, 8, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float32](net, nn.SoftmaxCrossEntropy{}, blobs.Shape(), 1)
	if err != nil {
		t.Fatal(err)
	}
	h, err := train.Fit(context.Background(), m, blobs, train.Config{Optimizer: &optimizers.Adam{LR: 0.003}, Epochs: 4, Batch: 50})
	if err != nil {
		t.Fatal(err)
	}
	first, last := h.Rows[0].Train, h.Rows[len(h.Rows)-1].Train
	if accuracy, _ := last.Accuracy(); accuracy < 0.9 || last.Loss > first.Loss/2 {
		t.Errorf("500 layers: loss from %.3f to %.3f, accuracy %.3f", first.Loss, last.Loss, accuracy)
	}
}
