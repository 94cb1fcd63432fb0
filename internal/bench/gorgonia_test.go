package bench

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// BenchmarkGorgonia is the step of BenchmarkSaddle as a user of Gorgonia alone
// writes it: its functions, its derivatives, its tape machine and its Adam.
func BenchmarkGorgonia(b *testing.B) {
	for _, w := range workloads() {
		if w.name == "W3" {
			continue
		}
		b.Run(w.name, func(b *testing.B) { b.Run("step", w.gorgonia) })
	}
}

func (w *workload) gorgonia(b *testing.B) {
	x, labels := images()
	r, err := newRaw(w)
	if err != nil {
		b.Fatal(err)
	}
	defer r.machine.Close()
	order := rand.New(rand.NewPCG(5, 6)).Perm(examples)
	at := 0
	step := func() {
		if at+w.batch > examples {
			at = 0
		}
		r.gather(x, labels, order[at:at+w.batch])
		at += w.batch
		if err := r.step(); err != nil {
			b.Fatal(err)
		}
	}
	step()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(w.batch)*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
}

// raw is a network in Gorgonia alone.
type raw struct {
	g       *gorgonia.ExprGraph
	x, y    *gorgonia.Node // y is one-hot
	params  gorgonia.Nodes
	loss    *gorgonia.Node
	machine gorgonia.VM
	solver  gorgonia.Solver
	xs, ys  []float32
}

func newRaw(w *workload) (*raw, error) {
	r := &raw{g: gorgonia.NewGraph(), xs: make([]float32, w.batch*pixels), ys: make([]float32, w.batch*classes)}
	shape := append([]int{w.batch}, w.input...)
	r.x = gorgonia.NewTensor(r.g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("x"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(r.xs))))
	r.y = gorgonia.NewMatrix(r.g, tensor.Float32, gorgonia.WithShape(w.batch, classes), gorgonia.WithName("y"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(w.batch, classes), tensor.WithBacking(r.ys))))
	z, err := r.network(w)
	if err != nil {
		return nil, err
	}
	// -sum(y log softmax(z)) / batch
	logits, err := gorgonia.LogSoftMax(z)
	if err != nil {
		return nil, err
	}
	picked, err := gorgonia.HadamardProd(r.y, logits)
	if err != nil {
		return nil, err
	}
	sum, err := gorgonia.Sum(picked)
	if err != nil {
		return nil, err
	}
	if r.loss, err = gorgonia.Mul(sum, gorgonia.NewConstant(float32(-1)/float32(w.batch))); err != nil {
		return nil, err
	}
	if _, err := gorgonia.Grad(r.loss, r.params...); err != nil {
		return nil, err
	}
	r.machine = gorgonia.NewTapeMachine(r.g, gorgonia.BindDualValues(r.params...))
	r.solver = gorgonia.NewAdamSolver(gorgonia.WithLearnRate(1e-3))
	return r, nil
}

// network is the output of W0, W1 or W2.
func (r *raw) network(w *workload) (*gorgonia.Node, error) {
	switch w.name {
	case "W0":
		return r.dense(r.x, 128, classes)
	case "W1":
		return r.dense(r.x, 512, 512, classes)
	}
	z, in := r.x, 1
	for _, filters := range []int{32, 64} {
		k := r.param(filters, in, 3, 3)
		in = filters
		var err error
		if z, err = gorgonia.Conv2d(z, k, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}); err != nil {
			return nil, err
		}
		bias := r.param(1, filters, 1, 1)
		if z, err = gorgonia.BroadcastAdd(z, bias, nil, []byte{0, 2, 3}); err != nil {
			return nil, err
		}
		if z, err = gorgonia.Rectify(z); err != nil {
			return nil, err
		}
		if z, err = gorgonia.MaxPool2D(z, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}); err != nil {
			return nil, err
		}
	}
	z, err := gorgonia.Reshape(z, tensor.Shape{w.batch, z.Shape().TotalSize() / w.batch})
	if err != nil {
		return nil, err
	}
	return r.dense(z, 128, classes)
}

// dense is dense layers of the given sizes with relu between.
func (r *raw) dense(z *gorgonia.Node, sizes ...int) (*gorgonia.Node, error) {
	for i, units := range sizes {
		var err error
		if z, err = gorgonia.Mul(z, r.param(z.Shape()[1], units)); err != nil {
			return nil, err
		}
		if z, err = gorgonia.BroadcastAdd(z, r.param(1, units), nil, []byte{0}); err != nil {
			return nil, err
		}
		if i == len(sizes)-1 {
			break
		}
		if z, err = gorgonia.Rectify(z); err != nil {
			return nil, err
		}
	}
	return z, nil
}

func (r *raw) param(shape ...int) *gorgonia.Node {
	name := string(rune('a' + len(r.params)))
	p := gorgonia.NewTensor(r.g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithInit(gorgonia.Gaussian(0, 0.05)))
	r.params = append(r.params, p)
	return p
}

// gather copies a minibatch to the machine's inputs.
func (r *raw) gather(x, labels []float32, index []int) {
	clear(r.ys)
	for i, k := range index {
		copy(r.xs[i*pixels:(i+1)*pixels], x[k*pixels:(k+1)*pixels])
		r.ys[i*classes+int(labels[k])] = 1
	}
}

func (r *raw) step() error {
	if err := r.machine.RunAll(); err != nil {
		return err
	}
	if err := r.solver.Step(gorgonia.NodesToValueGrads(r.params)); err != nil {
		return err
	}
	r.machine.Reset()
	return nil
}

// A step that goes wrong would be no peer: the same batch, again and again, is
// learned.
func TestGorgoniaLearns(t *testing.T) {
	w := workloads()[0]
	r, err := newRaw(&w)
	if err != nil {
		t.Fatal(err)
	}
	defer r.machine.Close()
	x, labels := images()
	index := make([]int, w.batch)
	for i := range index {
		index[i] = i
	}
	var first, last float32
	for i := range 100 {
		r.gather(x, labels, index)
		if err := r.machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		last = r.loss.Value().Data().(float32)
		if i == 0 {
			first = last
		}
		if err := r.solver.Step(gorgonia.NodesToValueGrads(r.params)); err != nil {
			t.Fatal(err)
		}
		r.machine.Reset()
	}
	if !(last < first/4) {
		t.Errorf("the loss goes from %v to %v in 100 steps on one batch", first, last)
	}
}
