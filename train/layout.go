package train

import (
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Float is the number type of a model in training.
type Float interface{ float32 | float64 }

// Layout is the model's parameters as optimizers see them.
func Layout[T Float](m *nn.Model[T]) optimizers.Layout {
	kinds := map[nn.Kind]optimizers.Kind{nn.Weight: optimizers.Weight, nn.Bias: optimizers.Bias, nn.Norm: optimizers.Norm}
	var l optimizers.Layout
	for _, p := range m.Parameters() {
		l = append(l, optimizers.Tensor{Name: p.Name, Shape: p.Shape, Offset: p.Offset, Kind: kinds[p.Kind]})
	}
	for _, b := range m.Blocks() {
		l[b.Param].Block = &optimizers.Block{Tensors: b.Tensors, In: b.In, Out: b.Out, Groups: b.Groups, Transposed: b.Transposed}
	}
	return l
}
