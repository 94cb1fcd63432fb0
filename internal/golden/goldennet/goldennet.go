// Package goldennet builds the networks of golden files: layers and losses by
// their settings, none of which may be unknown.
package goldennet

import (
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/nn"
)

// Layer builds a layer from its settings, all of which must be known.
func Layer(s golden.Settings) (nn.Layer, error) {
	var kind string
	if err := s.Take("type", &kind); err != nil {
		return nil, err
	}
	var l nn.Layer
	var err error
	take := func(name string, v any) {
		if e := s.Take(name, v); e != nil && err == nil {
			err = e
		}
	}
	window := func() (k, st [2]int, p nn.Padding) {
		var pad [2]int
		take("kernel", &k)
		take("stride", &st)
		take("padding", &pad)
		return k, st, nn.Padding{Top: pad[0], Bottom: pad[0], Left: pad[1], Right: pad[1]}
	}
	switch kind {
	case "dense":
		bias := true
		d := nn.Dense{}
		take("units", &d.Units)
		take("bias", &bias)
		d.NoBias = !bias
		l = d
	case "conv2d":
		bias := true
		c := nn.Conv2D{}
		c.KernelHW, c.StrideHW, c.Padding = window()
		take("filters", &c.Filters)
		take("dilation", &c.DilationHW)
		take("groups", &c.Groups)
		take("bias", &bias)
		c.NoBias = !bias
		l = c
	case "maxpool":
		p := nn.MaxPool2D{}
		p.SizeHW, p.StrideHW, p.Padding = window()
		l = p
	case "avgpool":
		count := true
		p := nn.AvgPool2D{}
		p.SizeHW, p.StrideHW, p.Padding = window()
		take("count_pad", &count)
		p.ExcludePadding = !count
		l = p
	case "batchnorm", "layernorm":
		var features int
		eps, momentum := 1e-5, 0.1
		take("features", &features)
		take("eps", &eps)
		eps = exactly(eps)
		if kind == "batchnorm" {
			take("momentum", &momentum)
			l = checked{features, 1, nn.BatchNorm{Eps: eps, Momentum: momentum}}
		} else {
			l = checked{features, -1, nn.LayerNorm{Eps: eps}}
		}
	case "residual":
		var inner []golden.Settings
		take("layers", &inner)
		var r nn.Residual
		for _, s := range inner {
			m, e := Layer(s)
			if e != nil {
				return nil, e
			}
			r = append(r, m)
		}
		l = r
	case "elu":
		alpha := 1.0
		take("alpha", &alpha)
		l = nn.ELU{Alpha: exactly(alpha)}
	case "leaky_relu", "leakyrelu":
		slope := 0.01
		take("slope", &slope)
		take("negative_slope", &slope)
		l = nn.LeakyReLU{Slope: exactly(slope)}
	case "clamp":
		c := nn.Clamp{}
		take("lo", &c.Lo)
		take("hi", &c.Hi)
		l = c
	case "reshape":
		r := nn.Reshape{}
		take("shape", &r.To)
		l = r
	case "dropout":
		d := nn.Dropout{}
		take("rate", &d.Rate)
		l = d
	case "flatten":
		l = nn.Flatten{}
	case "globalavgpool":
		l = nn.GlobalAvgPool{}
	case "relu":
		l = nn.ReLU{}
	case "tanh":
		l = nn.Tanh{}
	case "sigmoid":
		l = nn.Sigmoid{}
	case "softplus":
		l = nn.Softplus{}
	case "silu":
		l = nn.SiLU{}
	case "gelu":
		l = nn.GELU{}
	case "gelu_tanh":
		l = nn.GELUTanh{}
	case "erf":
		l = nn.Erf{}
	case "sin":
		l = nn.Sin{}
	case "cos":
		l = nn.Cos{}
	case "abs":
		l = nn.Abs{}
	case "square":
		l = nn.Square{}
	case "sqrt":
		l = nn.Sqrt{}
	case "exp":
		l = nn.Exp{}
	case "log":
		l = nn.Log{}
	case "softmax":
		l = nn.Softmax{}
	case "log_softmax":
		l = nn.LogSoftmax{}
	case "identity", "linear":
		l = nn.Identity{}
	default:
		return nil, fmt.Errorf("unknown layer %q", kind)
	}
	if err == nil {
		err = s.Rest()
	}
	if err != nil {
		return nil, fmt.Errorf("layer %q: %w", kind, err)
	}
	return l, nil
}

// exactly is v for a setting that takes 0 for its default.
func exactly(v float64) float64 {
	if v == 0 {
		return math.SmallestNonzeroFloat64
	}
	return v
}

// checked is a normalisation with its number of features stated.
type checked struct {
	features, axis int
	layer          nn.Layer
}

func (c checked) Apply(s *nn.Scope, x *nn.Node) *nn.Node {
	shape := s.Shape(x)
	axis := c.axis
	if axis < 0 {
		axis += len(shape)
	}
	if s.Err() == nil && c.features != 0 && shape[axis] != c.features {
		return s.Failf("%d features, input has the shape %v", c.features, shape)
	}
	return c.layer.Apply(s, x)
}

func Loss(s golden.Settings) (nn.Loss, error) {
	var kind string
	if err := s.Take("type", &kind); err != nil {
		return nil, err
	}
	var l nn.Loss
	var err error
	switch kind {
	case "softmax_cross_entropy":
		c := nn.SoftmaxCrossEntropy{}
		err = s.Take("smoothing", &c.Smoothing)
		l = c
	case "sigmoid_cross_entropy":
		l = nn.SigmoidCrossEntropy{}
	case "mse":
		l = nn.MeanSquaredError{}
	case "huber":
		h := nn.Huber{}
		err = s.Take("delta", &h.Delta)
		l = h
	default:
		return nil, fmt.Errorf("unknown loss %q", kind)
	}
	if err == nil {
		err = s.Rest()
	}
	if err != nil {
		return nil, fmt.Errorf("loss %q: %w", kind, err)
	}
	return l, nil
}
