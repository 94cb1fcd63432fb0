package nn

import "fmt"

// BatchNorm normalises each feature (axis 1) by its mean and variance over the
// batch and, of images, over the plane, then scales and shifts it (Ioffe and
// Szegedy, arXiv 1502.03167). In training it uses the statistics of the batch,
// whose derivatives are exact, and keeps running averages of them; otherwise it
// uses those.
type BatchNorm struct {
	Momentum float64 // of the running averages: new = (1-m) old + m batch; 0 means 0.1
	Eps      float64 // added to the variance; 0 means 1e-5
	NoScale  bool    // leave out the scale, as where a relu and a dense layer follow
	NoShift  bool
}

func (BatchNorm) kind() string { return "batchnorm" }

// Apply normalises x.
func (n BatchNorm) Apply(s *Scope, x *Node) *Node {
	shape := s.Shape(x)
	if s.Err() != nil {
		return nil
	}
	if len(shape) != 2 && len(shape) != 4 {
		return s.Failf("input of shape %v, want a batch of vectors or of images", shape)
	}
	if !(n.Momentum >= 0 && n.Momentum <= 1 && n.Eps >= 0) {
		return s.Failf("momentum %g and eps %g; they must be in [0, 1] and not negative", n.Momentum, n.Eps)
	}
	if n.Momentum == 0 {
		n.Momentum = 0.1
	}
	if n.Eps == 0 {
		n.Eps = 1e-5
	}
	f := shape[1]
	axes, wide := []int{0}, []int{f}
	if len(shape) == 4 {
		axes, wide = []int{0, 2, 3}, []int{f, 1, 1}
	}
	each := func(v *Node) *Node { return s.Builder.Reshape(v, wide...) }
	affine := newAffine(s, n.NoScale, n.NoShift, []int{f})
	runMean := s.Buffer("running_mean", 0, f)
	runVar := s.Buffer("running_var", 1, f)
	mean, variance := runMean, runVar
	centred := s.Sub(x, each(mean))
	if s.Training() {
		count := size(shape) / f
		if count < 2 {
			return s.Failf("one number a feature has no variance: train with a batch of more than one example")
		}
		mean = s.Mean(x, axes...)
		centred = s.Sub(x, each(mean))
		variance = s.Mean(s.Builder.Square(centred), axes...)
		m, c := s.Const(n.Momentum), float64(count)/float64(count-1)
		ema := func(old, now *Node) *Node { return s.Add(s.Mul(s.Sub(s.Const(1), m), old), s.Mul(m, now)) }
		unbiased := s.Mul(s.Const(c), variance) // as in PyTorch
		s.Update("running_mean", ema(s.pending("running_mean"), mean))
		s.Update("running_var", ema(s.pending("running_var"), unbiased))
		s.Statistic("running_mean", mean)
		s.Statistic("running_var", unbiased)
	}
	unit := s.Rsqrt(s.Add(variance, s.Const(n.Eps)))
	scale := unit
	if affine.scale != nil {
		scale = s.Mul(affine.scale, scale)
	}
	y := s.Mul(centred, each(scale))
	if affine.shift != nil {
		y = s.Add(y, each(affine.shift))
	}
	affine.site(s, y, f, axes[1:], func(s *Scope) *Node { return s.Mul(centred, each(unit)) })
	return y
}

// affine is what follows a normalisation; either part may be nil.
type affine struct{ scale, shift *Node }

func newAffine(s *Scope, noScale, noShift bool, shape []int) affine {
	var a affine
	n := size(shape)
	if !noScale {
		a.scale = s.param("weight", Norm, Constant(1), n, n, shape)
	}
	if !noShift {
		a.shift = s.param("bias", Norm, Zeros, n, n, shape)
	}
	return a
}

// site notes the use of scale and shift, of f elements each. The rows of their
// block are the gradients of single examples, sums over the axes.
func (a affine) site(s *Scope, y *Node, f int, axes []int, unit func(*Scope) *Node) {
	each := func(s *Scope, ct *Node) *Node {
		if s.Err() == nil && len(axes) > 0 {
			ct = s.Sum(ct, axes...)
		}
		if s.Err() != nil {
			return nil
		}
		return s.Builder.Reshape(ct, s.Shape(ct)[0], f)
	}
	out := 0
	for _, p := range []*Node{a.scale, a.shift} {
		if p != nil {
			out += f
		}
	}
	s.site(Block{Out: out, Groups: 1}, y, []*Node{a.scale, a.shift}, nil, func(s *Scope, ct *Node) *Node {
		var parts []*Node
		if a.scale != nil {
			parts = append(parts, each(s, s.Mul(ct, unit(s))))
		}
		if a.shift != nil {
			parts = append(parts, each(s, ct))
		}
		return s.Concat(1, parts...)
	})
}

// LayerNorm normalises each example over its last Axes axes, of which 0 means
// 1, then scales and shifts each element (Ba et al., arXiv 1607.06450).
type LayerNorm struct {
	Axes    int
	Eps     float64 // added to the variance; 0 means 1e-5
	NoScale bool
	NoShift bool
}

func (LayerNorm) kind() string { return "layernorm" }

func (n LayerNorm) String() string { return fmt.Sprintf("LayerNorm %d", max(n.Axes, 1)) }

// Apply normalises x.
func (n LayerNorm) Apply(s *Scope, x *Node) *Node {
	shape := s.Shape(x)
	if s.Err() != nil {
		return nil
	}
	if n.Axes == 0 {
		n.Axes = 1
	}
	if n.Eps == 0 {
		n.Eps = 1e-5
	}
	if n.Axes < 1 || n.Axes >= len(shape) || !(n.Eps >= 0) {
		return s.Failf("over %d axes with eps %g; input of shape %v has %d axes behind the batch", n.Axes, n.Eps, shape, len(shape)-1)
	}
	var axes []int
	for i := range n.Axes {
		axes = append(axes, len(shape)-n.Axes+i)
	}
	affine := newAffine(s, n.NoScale, n.NoShift, shape[len(shape)-n.Axes:])
	mean := func(v *Node) *Node { return s.ExpandDims(s.Mean(v, axes...), axes...) }
	centred := s.Sub(x, mean(x))
	scale := s.Rsqrt(s.Add(mean(s.Builder.Square(centred)), s.Const(n.Eps)))
	unit := s.Mul(centred, scale)
	y := unit
	if affine.scale != nil {
		y = s.Mul(y, affine.scale)
	}
	if affine.shift != nil {
		y = s.Add(y, affine.shift)
	}
	var between []int
	for i := 1; i < axes[0]; i++ {
		between = append(between, i)
	}
	affine.site(s, y, size(shape[axes[0]:]), between, func(*Scope) *Node { return unit })
	return y
}
