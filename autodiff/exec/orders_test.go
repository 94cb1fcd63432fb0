package exec_test

import (
	"fmt"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/nn"
)

// TestMemoryIsNearTheBestOrder: of many orders of real programs, the one chosen
// holds at most a tenth more numbers at once than the best, and the arena is at
// most a tenth larger than what is held.
func TestMemoryIsNearTheBestOrder(t *testing.T) {
	dense := func(act nn.Layer, sizes ...int) nn.Sequential {
		net := nn.Sequential{nn.Flatten{}}
		for _, n := range sizes {
			net = append(net, nn.Dense{Units: n}, act)
		}
		return net
	}
	conv := func(filters int) nn.Layer { return nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same} }
	images := nn.Sequential{conv(32), nn.ReLU{}, nn.MaxPool2D{Size: 2}, conv(64), nn.ReLU{}, nn.MaxPool2D{Size: 2}}
	images = append(append(images, dense(nn.ReLU{}, 128)...), nn.Dense{Units: 10})
	for name, w := range map[string]struct {
		net   nn.Layer
		loss  nn.Loss
		batch int
	}{
		"small mlp":   {append(dense(nn.ReLU{}, 128), nn.Dense{Units: 10}), nn.SoftmaxCrossEntropy{}, 64},
		"mlp":         {append(dense(nn.ReLU{}, 512, 512), nn.Dense{Units: 10}), nn.SoftmaxCrossEntropy{}, 512},
		"images":      {images, nn.SoftmaxCrossEntropy{}, 256},
		"autoencoder": {append(dense(nn.Sigmoid{}, 1000, 500, 250, 30, 250, 500, 1000), nn.Dense{Units: 784}), nn.SigmoidCrossEntropy{}, 1000},
	} {
		m, err := nn.Build[float32](w.net, w.loss, []int{1, 28, 28}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, product := range []bool{false, true} {
			g, err := m.Graph(w.batch, true)
			if err != nil {
				t.Fatal(err)
			}
			var outs []*autodiff.Node
			var late exec.Inputs
			if product {
				for i, p := range g.Params {
					late = append(late, autodiff.NewInput(p.Graph(), p.Dtype(), fmt.Sprint("direction ", i), []int(p.Shape())...))
				}
				outs, err = autodiff.HVP(g.Loss, g.Params, late)
			} else {
				outs, err = autodiff.Grad(g.Loss, g.Params...)
				outs = append(outs, g.Loss)
			}
			if err != nil {
				t.Fatal(err)
			}
			chosen, best, arena, err := exec.Orders(outs, exec.Inputs{g.X, g.Y}, exec.Params(g.Params), late, 50)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, product %t: chosen %d, best %d, arena %d", name, product, chosen, best, arena)
			if float64(chosen) > 1.1*float64(best) {
				t.Errorf("%s, product %t: the order holds %d numbers at once, another one %d", name, product, chosen, best)
			}
			if float64(arena) > 1.1*float64(chosen) {
				t.Errorf("%s, product %t: the arena has %d elements for %d held at once", name, product, arena, chosen)
			}
		}
	}
}
