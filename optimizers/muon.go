package optimizers

// Muon moves each weight matrix by its momentum with all singular values brought near to 1, so that every direction in
// which the momentum points gets a step of the same size. With the minibatch gradient G at X, for a matrix
//
//	B = B + (1-Momentum)·(G - B)
//	U = G + Momentum·(B - G)                 Nesterov; else U = B
//	O = NSSteps Newton-Schulz iterations (A, B, C) of U/max(|U|, Eps)
//	X = (1 - LR·WeightDecay)·X - LR·f·O
//
// where f is sqrt(max(1, out/in)) (Adjust original) or 0.2·sqrt(max(out, in)), which gives steps the size of AdamW's
// (match_rms_adamw; Liu et al. 2025), or 1. The kernel of a convolution is a matrix [out, in·kh·kw]. Biases, norms and
// other tensors that are no matrices have the method Vectors: AdamW with the settings that begin with vector, or plain
// SGD. A schedule sets LR, and VectorLR in proportion. With Layers hidden the first and the last matrix of the layout
// have it too, as is advised for nets of many layers.
//
// The rule is that of Jordan et al. (2024). Preset keller has the defaults of their code, of which LR is 0.02; preset
// torch those of torch.optim.Muon with torch.optim.AdamW beside it. Both run the iterations in bfloat16; here they have
// the precision of the parameters.
//
// For hidden layers that are wide, in long training: it reaches a loss in fewer steps than Adam, each of which costs some
// products of matrices more. For small nets, and where layers are narrow, Adam is as good.
type Muon struct {
	LR          float64 `set:"lr" default:"0.02, or 0.001 with preset torch" range:"[0,inf)" help:"learning rate of matrices"`
	Momentum    float64 `set:"momentum" default:"0.95" range:"[0,1)" help:"decay of the mean of the gradient"`
	Nesterov    Toggle  `set:"nesterov" default:"true" help:"Nesterov momentum"`
	WeightDecay float64 `set:"weight_decay" default:"0, or 0.1 with preset torch" range:"[0,inf)" help:"times the learning rate: the share of a matrix that each step takes away"`
	NSSteps     int     `set:"ns_steps" default:"5" range:"[1,100]" help:"Newton-Schulz iterations"`
	A           float64 `set:"a" default:"3.4445" range:"(-inf,inf)" help:"their coefficient of X"`
	B           float64 `set:"b" default:"-4.775" range:"(-inf,inf)" help:"of (X X') X"`
	C           float64 `set:"c" default:"2.0315" range:"(-inf,inf)" help:"of (X X')² X"`
	Eps         float64 `set:"eps" default:"1e-07" range:"(0,inf)" help:"smallest norm that a matrix is divided by"`
	Adjust      string  `set:"adjust" default:"original" oneof:"original|match_rms_adamw|none" help:"the learning rate's factor, by the shape"`
	Layers      string  `set:"layers" default:"all" oneof:"all|hidden" help:"hidden: not the first and the last matrix"`
	Preset      string  `set:"preset" default:"keller" oneof:"keller|torch" help:"whose defaults"`

	Vectors           string  `set:"vectors" default:"adamw" oneof:"adamw|sgd" help:"the method of what is no matrix"`
	VectorLR          float64 `set:"vector_lr" default:"0.0003, or 0.001 with preset torch, or lr with vectors=sgd" range:"[0,inf)" help:"its learning rate"`
	VectorBeta1       float64 `set:"vector_beta1" default:"0.9" range:"[0,1)" help:"AdamW's beta1"`
	VectorBeta2       float64 `set:"vector_beta2" default:"0.95, or 0.999 with preset torch" range:"[0,1)" help:"AdamW's beta2"`
	VectorEps         float64 `set:"vector_eps" default:"1e-10, or 1e-08 with preset torch" range:"[0,inf)" help:"AdamW's eps"`
	VectorWeightDecay float64 `set:"vector_weight_decay" default:"0, or 0.01 with preset torch" range:"[0,inf)" help:"its weight decay, times its learning rate"`
}

var _ Method = (*Muon)(nil)

// Name is muon.
func (*Muon) Name() string { return "muon" }

func (*Muon) info() Info {
	return Info{Name: "muon", Memory: 3, DefaultLR: 0.02,
		Use: "hidden layers that are wide: all directions of a matrix at the same speed; AdamW for the rest"}
}

func (m *Muon) defaults() {
	type values struct{ lr, decay, vectorLR, beta2, eps, vectorDecay float64 }
	d := values{0.02, 0, 3e-4, 0.95, 1e-10, 0}
	if m.Preset == "torch" {
		d = values{0.001, 0.1, 0.001, 0.999, 1e-8, 0.01}
	}
	set := func(field *float64, v float64) {
		if *field == 0 {
			*field = v
		}
	}
	set(&m.LR, d.lr)
	set(&m.WeightDecay, d.decay)
	if m.Vectors == "sgd" {
		d.vectorLR, d.vectorDecay = m.LR, 0
	}
	set(&m.VectorLR, d.vectorLR)
	set(&m.VectorBeta2, d.beta2)
	set(&m.VectorEps, d.eps)
	set(&m.VectorWeightDecay, d.vectorDecay)
}

func (m *Muon) start32(l Layout) (Optimizer[float32], error) { return startMuon[float32](m, l) }
func (m *Muon) start64(l Layout) (Optimizer[float64], error) { return startMuon[float64](m, l) }

func startMuon[T Float](m *Muon, l Layout) (Optimizer[T], error) {
	s, err := resolve("muon", m)
	if err != nil {
		return nil, err
	}
	o := &muon[T]{set: s}
	o.start("muon", l, o.take)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "momentum", s.Momentum, belowOne)
	first, last := -1, -1
	var rest []run
	for i, t := range l {
		if isMatrix(t) {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	for i, t := range l {
		if !isMatrix(t) || s.Layers == "hidden" && (i == first || i == last) {
			rest = appendRun(rest, t)
			continue
		}
		o.matrices = append(o.matrices, asMatrix(t))
	}
	o.buffer = o.keep("momentum_buffer")
	o.rest = newVectors(&o.elementwise, s.Vectors == "adamw", rest, o.buffer)
	p, room, largest := newProducts[T](), 0, 0
	for _, m := range o.matrices {
		n := newNewtonSchulz(p, m.rows, m.cols)
		o.schulz = append(o.schulz, n)
		room, largest = max(room, n.room()), max(largest, m.size())
	}
	o.room, o.update = make([]T, room), make([]T, largest)
	return o, nil
}

type muon[T Float] struct {
	elementwise[T]
	rate
	momentum
	set      Muon
	matrices []matrix
	schulz   []*newtonSchulz[T] // of each
	buffer   []T                // the momentum
	rest     *vectors[T]
	update   []T // of one matrix
	room     []T
}

// take is a step.
func (o *muon[T]) take(t int, x []T) {
	abc := [3]float64{o.set.A, o.set.B, o.set.C}
	lr, mu := o.Rate(), o.Momentum()
	for i, m := range o.matrices {
		x, g, b, u := elements(x, m), elements(o.grad, m), elements(o.buffer, m), o.update[:m.size()]
		lerp(b, T(1-mu), g)
		copy(u, b)
		if o.set.Nesterov == On {
			copy(u, g)
			lerp(u, T(mu), b)
		}
		o.schulz[i].orthogonalize(u, u, o.set.NSSteps, abc, o.set.Eps, o.room)
		if keep := 1 - lr*o.set.WeightDecay; keep != 1 {
			scale(x, T(keep))
		}
		axpy(x, T(-lr*shapeFactor(o.set.Adjust, m)), u)
	}
	o.rest.step(t, x, o.vectorRate(), vectorSettings{o.set.VectorBeta1, o.set.VectorBeta2, o.set.VectorEps, o.set.VectorWeightDecay})
}

// vectorRate is the rate of what is no matrix, in proportion to that of matrices.
func (o *muon[T]) vectorRate() float64 {
	switch {
	case o.Rate() == o.set.LR:
		return o.set.VectorLR
	case o.set.LR == 0:
		return o.Rate()
	}
	return o.Rate() * (o.set.VectorLR / o.set.LR)
}
