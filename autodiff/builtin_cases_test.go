package autodiff_test

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// builtinCase is a graph written with Gorgonia's own functions.
type builtinCase struct {
	name   string
	shapes [][]int
	f      func(x []*node) (*node, error)
	lo, hi float64

	wrongValue bool // Gorgonia computes something else than it says, or nothing
	wrongGrad  bool // Gorgonia's first derivative is wrong, or there is none
}

func builtinCases() []builtinCase {
	m := [][]int{{3, 4}}
	mm := [][]int{{3, 4}, {3, 4}}
	image := [][]int{{2, 3, 6, 5}}
	one := func(f func(*node) (*node, error)) func([]*node) (*node, error) {
		return func(x []*node) (*node, error) { return f(x[0]) }
	}
	two := func(f func(a, b *node) (*node, error)) func([]*node) (*node, error) {
		return func(x []*node) (*node, error) { return f(x[0], x[1]) }
	}
	cases := []builtinCase{
		{name: "Abs", shapes: m, f: one(gorgonia.Abs)},
		{name: "Sign", shapes: m, f: one(gorgonia.Sign), wrongGrad: true},
		{name: "Ceil", shapes: m, f: one(gorgonia.Ceil), lo: 0.1, hi: 0.9, wrongGrad: true},
		{name: "Floor", shapes: m, f: one(gorgonia.Floor), lo: 0.1, hi: 0.9, wrongGrad: true},
		{name: "Sin", shapes: m, f: one(gorgonia.Sin)},
		{name: "Cos", shapes: m, f: one(gorgonia.Cos)},
		{name: "Exp", shapes: m, f: one(gorgonia.Exp)},
		{name: "Log", shapes: m, f: one(gorgonia.Log), lo: 0.5, hi: 3},
		{name: "Log2", shapes: m, f: one(gorgonia.Log2), lo: 0.5, hi: 3, wrongGrad: true},
		{name: "Neg", shapes: m, f: one(gorgonia.Neg)},
		{name: "Square", shapes: m, f: one(gorgonia.Square)},
		{name: "Sqrt", shapes: m, f: one(gorgonia.Sqrt), lo: 0.5, hi: 3},
		{name: "Inverse", shapes: m, f: one(gorgonia.Inverse), lo: 0.5, hi: 3},
		{name: "InverseSqrt", shapes: m, f: one(gorgonia.InverseSqrt), lo: 0.5, hi: 3, wrongGrad: true},
		{name: "Cube", shapes: m, f: one(gorgonia.Cube)},
		{name: "Tanh", shapes: m, f: one(gorgonia.Tanh)},
		{name: "Sigmoid", shapes: m, f: one(gorgonia.Sigmoid)},
		{name: "Log1p", shapes: m, f: one(gorgonia.Log1p), lo: -0.4, hi: 3},
		{name: "Expm1", shapes: m, f: one(gorgonia.Expm1)},
		{name: "Softplus", shapes: m, f: one(gorgonia.Softplus)},
		{name: "Rectify", shapes: m, f: one(gorgonia.Rectify)},
		{name: "LeakyRelu", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.LeakyRelu(x, 0.1) })},
		{name: "Mish", shapes: m, f: one(gorgonia.Mish)},

		{name: "Add", shapes: mm, f: two(gorgonia.Add)},
		{name: "Sub", shapes: mm, f: two(gorgonia.Sub)},
		{name: "HadamardProd", shapes: mm, f: two(gorgonia.HadamardProd)},
		{name: "HadamardDiv", shapes: mm, f: two(gorgonia.HadamardDiv), lo: 0.5, hi: 2},
		{name: "Div", shapes: mm, f: two(gorgonia.Div), lo: 0.5, hi: 2},
		{name: "Pow", shapes: mm, f: two(gorgonia.Pow), lo: 0.5, hi: 2},
		{name: "Pow constant", shapes: m, lo: 0.5, hi: 2, f: one(func(x *node) (*node, error) { return gorgonia.Pow(x, gorgonia.NewConstant(3.0)) })},
		{name: "scalar", shapes: [][]int{{3, 4}, {}}, f: two(gorgonia.Mul)},
		{name: "Lt", shapes: mm, f: compare(gorgonia.Lt), wrongGrad: true},
		{name: "Gt", shapes: mm, f: compare(gorgonia.Gt), wrongGrad: true},
		{name: "Lte", shapes: mm, f: compare(gorgonia.Lte), wrongGrad: true},
		{name: "Gte", shapes: mm, f: compare(gorgonia.Gte), wrongGrad: true},
		{name: "Eq", shapes: mm, f: compare(gorgonia.Eq), wrongGrad: true},
		{name: "Ne", shapes: mm, f: compare(gorgonia.Ne), wrongGrad: true},
		{name: "MaxBetween", shapes: mm, f: two(gorgonia.MaxBetween)},
		{name: "MinBetween", shapes: mm, f: two(gorgonia.MinBetween)},

		{name: "Mul", shapes: [][]int{{3, 4}, {4, 2}}, f: two(gorgonia.Mul)},
		{name: "Mul matrix vector", shapes: [][]int{{3, 4}, {4}}, f: two(gorgonia.Mul)},
		{name: "Mul vector matrix", shapes: [][]int{{3}, {3, 4}}, f: two(gorgonia.Mul)},
		{name: "Mul vectors", shapes: [][]int{{4}, {4}}, f: two(gorgonia.Mul)},
		{name: "OuterProd", shapes: [][]int{{3}, {4}}, f: two(gorgonia.OuterProd), wrongGrad: true},
		{name: "BatchedMatMul", shapes: [][]int{{2, 3, 4}, {2, 4, 5}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BatchedMatMul(a, b) })},
		{name: "BatchedMatMul transposed", shapes: [][]int{{2, 4, 3}, {2, 5, 4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BatchedMatMul(a, b, true, true) })},
		{name: "Tensordot", shapes: [][]int{{2, 3, 4}, {4, 3, 5}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Tensordot([]int{1, 2}, []int{1, 0}, a, b) })},

		{name: "BroadcastAdd", shapes: [][]int{{3, 4}, {4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastAdd(a, b, nil, []byte{0}) })},
		{name: "BroadcastSub", shapes: [][]int{{3}, {3, 4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastSub(a, b, []byte{1}, nil) })},
		{name: "BroadcastHadamardProd", shapes: [][]int{{3, 4}, {4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastHadamardProd(a, b, nil, []byte{0}) })},
		{name: "BroadcastHadamardDiv", shapes: [][]int{{3, 4}, {3, 1}}, lo: 0.5, hi: 2, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastHadamardDiv(a, b, nil, []byte{1}) })},
		{name: "BroadcastPow", shapes: [][]int{{3, 4}, {4}}, lo: 0.5, hi: 2, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastPow(a, b, nil, []byte{0}) })},
		{name: "BroadcastLt", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastLt), wrongGrad: true},
		{name: "BroadcastGt", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastGt), wrongGrad: true},
		{name: "BroadcastLte", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastLte), wrongGrad: true},
		{name: "BroadcastGte", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastGte), wrongGrad: true},
		{name: "BroadcastEq", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastEq), wrongGrad: true},
		{name: "BroadcastNe", shapes: [][]int{{3, 4}, {4}}, f: broadcastCompare(gorgonia.BroadcastNe), wrongGrad: true},
		{name: "Broadcast", shapes: [][]int{{3}, {2, 3, 4}}, f: two(func(a, b *node) (*node, error) {
			a, b, err := gorgonia.Broadcast(a, b, gorgonia.NewBroadcastPattern([]byte{0, 2}, nil))
			if err != nil {
				return nil, err
			}
			return gorgonia.HadamardProd(a, b)
		})},
		{name: "Auto", shapes: [][]int{{3, 4}, {1, 4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Auto(gorgonia.BroadcastAdd, a, b) })},

		{name: "Sum", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x) })},
		{name: "Sum 0", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x, 0) })},
		{name: "Sum 1 2", shapes: [][]int{{2, 3, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x, 1, 2) })},
		{name: "Mean", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Mean(x) })},
		{name: "Mean 1", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Mean(x, 1) })},
		{name: "Max", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Max(x) })},
		{name: "Max 1", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Max(x, 1) })},
		{name: "Norm 2", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Norm(x, 1, 2) })},
		{name: "Norm 3", shapes: m, lo: 0.5, hi: 2, f: one(func(x *node) (*node, error) { return gorgonia.Norm(x, 0, 3) })},
		{name: "LogSumExp", shapes: [][]int{{5}}, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.LogSumExp(x, 0) })},
		{name: "SizeOf", shapes: m, f: one(func(x *node) (*node, error) {
			n, err := gorgonia.SizeOf(1, x)
			if err != nil {
				return nil, err
			}
			return gorgonia.HadamardProd(x, n)
		}), wrongValue: true, wrongGrad: true},
		{name: "ReduceAdd", shapes: mm, f: two(func(a, b *node) (*node, error) {
			return gorgonia.ReduceAdd(gorgonia.Nodes{a, b, gorgonia.Must(gorgonia.Sin(a))})
		})},
		{name: "BinaryXent", shapes: mm, lo: 0.1, hi: 0.9, f: two(gorgonia.BinaryXent)},
		{name: "SoftMax", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.SoftMax(x) })},
		{name: "SoftMax 0", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.SoftMax(x, 0) })},
		{name: "LogSoftMax", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.LogSoftMax(x) })},

		{name: "Reshape", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Reshape(x, tensor.Shape{2, 6}) })},
		{name: "Ravel", shapes: m, f: one(gorgonia.Ravel)},
		{name: "Transpose", shapes: [][]int{{2, 3, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Transpose(x, 2, 0, 1) })},
		{name: "Slice", shapes: [][]int{{5, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Slice(x, gorgonia.S(1, 4), gorgonia.S(0, 2)) })},
		{name: "Slice one", shapes: [][]int{{5, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Slice(x, nil, gorgonia.S(2)) })},
		{name: "Slice by steps", shapes: [][]int{{7, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Slice(x, gorgonia.S(1, 7, 2)) })},
		{name: "Unconcat", shapes: [][]int{{3, 4}}, f: one(func(x *node) (*node, error) {
			parts, err := gorgonia.Unconcat(x, 1, 2)
			if err != nil {
				return nil, err
			}
			return gorgonia.HadamardProd(parts[0], parts[1])
		})},
		{name: "Upsample2D", shapes: image, f: one(func(x *node) (*node, error) { return gorgonia.Upsample2D(x, 3) })},
		{name: "Concat", shapes: [][]int{{3, 4}, {3, 2}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Concat(1, a, b) })},
		{name: "At", shapes: m, wrongValue: true, f: one(func(x *node) (*node, error) { return gorgonia.At(x, 1, 2) })},

		{name: "Conv2d", shapes: [][]int{{2, 3, 6, 5}, {4, 3, 3, 2}}, f: two(func(a, b *node) (*node, error) {
			return gorgonia.Conv2d(a, b, tensor.Shape{3, 2}, []int{1, 0}, []int{2, 1}, []int{1, 1})
		})},
		{name: "Conv2d dilated", shapes: [][]int{{2, 2, 7, 6}, {3, 2, 2, 2}}, f: two(func(a, b *node) (*node, error) {
			return gorgonia.Conv2d(a, b, tensor.Shape{2, 2}, []int{0, 1}, []int{1, 2}, []int{2, 3})
		})},
		{name: "Conv1d", shapes: [][]int{{2, 3, 1, 7}, {4, 3, 1, 3}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Conv1d(a, b, 3, 1, 1, 1) })},
		{name: "Im2Col", shapes: image, f: one(func(x *node) (*node, error) {
			return gorgonia.Im2Col(x, tensor.Shape{2, 2}, tensor.Shape{1, 1}, tensor.Shape{1, 1}, tensor.Shape{1, 1})
		})},
		{name: "MaxPool2D", shapes: image, f: one(func(x *node) (*node, error) {
			return gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
		})},
		{name: "MaxPool1D", shapes: [][]int{{2, 3, 1, 7}}, f: one(func(x *node) (*node, error) { return gorgonia.MaxPool1D(x, 3, 1, 2) })},
		{name: "AveragePool1D", shapes: [][]int{{2, 3, 1, 7}}, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.AveragePool1D(x, 3, 1, 2) })},
		{name: "AveragePool2D", shapes: image, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) {
			return gorgonia.AveragePool2D(x, tensor.Shape{2, 3}, []int{1, 0}, []int{2, 1})
		})},
		{name: "GlobalAveragePool2D", shapes: image, f: one(gorgonia.GlobalAveragePool2D), wrongGrad: true},
		{name: "Dropout", shapes: m, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.Dropout(x, 0.4) })},
	}
	return cases
}

func compare(f func(a, b *node, same bool) (*node, error)) func([]*node) (*node, error) {
	return func(x []*node) (*node, error) {
		c, err := f(x[0], x[1], true)
		if err != nil {
			return nil, err
		}
		return gorgonia.HadamardProd(c, x[0])
	}
}

func broadcastCompare(f func(a, b *node, same bool, left, right []byte) (*node, error)) func([]*node) (*node, error) {
	return func(x []*node) (*node, error) {
		c, err := f(x[0], x[1], true, nil, []byte{0})
		if err != nil {
			return nil, err
		}
		return gorgonia.HadamardProd(c, x[0])
	}
}
