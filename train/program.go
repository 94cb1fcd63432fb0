package train

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// want is what a program computes.
type want uint8

const (
	wantScores              want = iota // loss and metrics, outside training
	wantLoss                            // loss, metrics and new buffers, in training
	wantGrad                            // those and the gradient
	wantHessian                         // a Hessian-vector product
	wantGaussNewton                     // a Gauss-Newton-vector product
	wantSampledGrad                     // the gradient with targets drawn from the model
	wantForms                           // Gauss-Newton forms of directions
	wantStructural                      // a product with the matrix of structural damping
	wantFactors                         // what goes in and comes back at each layer
	wantStatistics                      // the batch's statistics that buffers average, in training
	wantWeightedHessian                 // a Hessian-vector product with a weight for each example
	wantWeightedGaussNewton             // a Gauss-Newton-vector product with those
	wantTraces                          // estimates of the traces of single examples' Gauss-Newton matrices
)

// defaultPart is how many examples a program takes at once where no operation is
// known to mix examples: what is larger goes through in parts, whose activations
// fit into memory.
const defaultPart = 2048

// programs compiles a model for batches of any size, each when it is first
// needed.
type programs[T Float] struct {
	model   *nn.Model[T]
	list    []nn.Param // the model's parameters and buffers, listed once
	buffers []nn.Param
	part    int // examples a program takes at once, where none mixes them; 0 means all there are
	made    map[request]*program[T]
	asked   int  // times that a program was looked up
	measure bool // every operation
	frozen  bool // also derivatives are of the loss outside training
}

// request names a program.
type request struct {
	want   want
	size   int // examples
	copies int // of a product: directions at once
	part   int // of a product: which part of a sample it may hold the linearisation of

	targets optimizers.Targets // of factors
	reduce  bool               // of factors: one row an example
}

func newPrograms[T Float](m *nn.Model[T]) *programs[T] {
	p := &programs[T]{model: m, list: m.Parameters(), buffers: m.BufferList(), part: defaultPart, made: map[request]*program[T]{}}
	if m.Joint() {
		p.part = 0
	}
	return p
}

// single says why single examples have no loss of their own, if they have none.
func (p *programs[T]) single() error {
	switch {
	case len(p.model.Buffers) > 0:
		return errors.New("train: the model normalises over the batch, so that single examples have no gradients")
	case p.model.Joint():
		return fmt.Errorf("train: %s is a function of all examples together, so that single examples have no gradients", p.model.Loss())
	}
	return nil
}

// partOf is how many of n examples a program takes at once.
func (p *programs[T]) partOf(n int) int {
	if p.part == 0 {
		return n
	}
	return min(n, p.part)
}

// program is a model compiled to one end for batches of one size.
type program[T Float] struct {
	*exec.Program[T]
	model   *nn.Model[T]
	list    []nn.Param
	graph   *nn.Graph
	v       []*autodiff.Node // of a product: the direction, a node a parameter
	weights *autodiff.Node   // of a weighted product: [size]
	metrics int              // the first output that is a metric; output 0 is the loss
	updates []int            // of each buffer, the output that is its new value, or its statistic, or -1
	vector  int              // the first of the outputs, one a parameter, that make a flat vector
	params  *T               // where the parameters that are set begin
	scratch []float64
	used    int       // when it was looked up last
	began   time.Time // when measuring did
	factors []factorOutputs
	rows    optimizers.FactorRows[T] // the last shown

	// Of a product: whose linearisation it holds, and of the part from which row.
	holder *sample[T]
	stamp  uint64
	row    int
}

func (p *programs[T]) get(w want, size int) (*program[T], error) {
	return p.lookup(request{want: w, size: size})
}

func (p *programs[T]) lookup(r request) (*program[T], error) {
	p.asked++
	if c, ok := p.made[r]; ok {
		c.used = p.asked
		return c, nil
	}
	c, err := p.compile(r)
	if err != nil {
		return nil, err
	}
	if p.measure {
		c.began = time.Now()
		c.StartProfile()
	}
	p.forget(r)
	c.used = p.asked
	p.made[r] = c
	return c, nil
}

// mostSizes is how many programs to one end are kept, for the sizes of batches that
// were used last: minibatches that grow go through dozens, and each program has
// memory of its own.
const mostSizes = 8

// forget makes room for the program of r. A profile wants them all.
func (p *programs[T]) forget(r request) {
	if p.measure {
		return
	}
	var oldest request
	same := 0
	for q, c := range p.made {
		if other := (request{r.want, q.size, r.copies, r.part, r.targets, r.reduce}); q != other {
			continue
		}
		if same++; same == 1 || c.used < p.made[oldest].used {
			oldest = q
		}
	}
	if same >= mostSizes {
		delete(p.made, oldest)
	}
}

func (p *programs[T]) compile(r request) (*program[T], error) {
	w := r.want
	g, err := p.model.Graph(r.size, w != wantScores && !p.frozen)
	if err != nil {
		return nil, err
	}
	c := &program[T]{model: p.model, list: p.list, graph: g}
	inputs := exec.Inputs{g.X, g.Y}
	for _, b := range g.Buffers {
		if b != nil {
			inputs = append(inputs, b)
		}
	}
	var outputs []*autodiff.Node
	var vector []*autodiff.Node
	switch w {
	case wantScores, wantLoss, wantGrad:
		outputs, c.metrics = append(outputs, g.Loss), 1
		for _, m := range g.Metrics {
			outputs = append(outputs, m.Value)
		}
		for _, u := range g.Updates {
			c.updates = append(c.updates, -1)
			if u != nil && w != wantScores {
				c.updates[len(c.updates)-1] = len(outputs)
				outputs = append(outputs, u)
			}
		}
		if w == wantGrad {
			vector, err = autodiff.Grad(g.Loss, g.Params...)
		}
	case wantStatistics:
		outputs = append(outputs, g.Loss)
		for _, u := range g.Statistics {
			c.updates = append(c.updates, -1)
			if u != nil {
				c.updates[len(c.updates)-1] = len(outputs)
				outputs = append(outputs, u)
			}
		}
	case wantSampledGrad:
		u, err := g.SampledGrad()
		if err != nil {
			return nil, err
		}
		b := ops.NewBuilder(g.X.Graph(), g.X.Dtype())
		mean := b.Mul(u, b.Const(1/float64(r.size)))
		if err := b.Err(); err != nil {
			return nil, err
		}
		vector, err = autodiff.VJP([]*autodiff.Node{g.Output}, g.Params, []*autodiff.Node{mean})
		if err != nil {
			return nil, err
		}
	case wantHessian, wantGaussNewton, wantForms, wantStructural, wantWeightedHessian, wantWeightedGaussNewton:
		for i, q := range g.Params {
			c.v = append(c.v, autodiff.NewInput(q.Graph(), q.Dtype(), "direction of "+p.list[i].Name, p.list[i].Shape...))
		}
		if w == wantWeightedHessian || w == wantWeightedGaussNewton {
			c.weights = autodiff.NewInput(g.X.Graph(), g.X.Dtype(), "weights of examples", r.size)
			inputs = append(inputs, c.weights)
		}
		switch w {
		case wantWeightedHessian:
			vector, err = g.WeightedHessian(c.weights, c.v)
		case wantWeightedGaussNewton:
			vector, err = g.WeightedGaussNewton(c.weights, c.v)
		case wantHessian:
			vector, err = autodiff.HVP(g.Loss, g.Params, c.v)
		case wantGaussNewton:
			vector, err = g.GaussNewton(c.v)
		case wantStructural:
			vector, err = g.Structural(c.v)
		default:
			outputs, err = c.formNodes()
		}
	case wantFactors:
		outputs, err = c.factorNodes(r)
	case wantTraces:
		kind := nn.EmpiricalRoot
		if _, ok := nn.AsSampler(p.model.Loss()); ok {
			kind = nn.SampledRoot
		}
		outputs = make([]*autodiff.Node, 1)
		outputs[0], err = g.Traces(kind)
	}
	if err != nil {
		return nil, err
	}
	c.vector = len(outputs)
	o := exec.Options{Late: c.v, Copies: r.copies}
	if w == wantGrad {
		for i := range vector {
			o.Squares = append(o.Squares, c.vector+i)
		}
	}
	if c.Program, err = autodiff.CompileWith[T](append(outputs, vector...), inputs, exec.Params(g.Params), o); err != nil {
		return nil, err
	}
	return c, nil
}

// run runs the program on examples x with targets y at the point params.
func (c *program[T]) run(x, y, params []T) error {
	if err := c.on(x, y, params); err != nil {
		return err
	}
	return c.Run()
}

// on sets the examples and the point.
func (c *program[T]) on(x, y, params []T) error {
	if err := c.at(params); err != nil {
		return err
	}
	// The first inputs, see compile.
	if err := c.SetInput(0, x); err != nil {
		return err
	}
	return c.SetInput(1, y)
}

// at makes the program read its parameters from params.
func (c *program[T]) at(params []T) error {
	if len(params) == len(c.model.Params) && c.params == &params[0] {
		return nil
	}
	if err := c.model.Bind(c.graph, c.Program, params); err != nil {
		return err
	}
	c.params = &params[0]
	return nil
}

// into makes the program write its vector, of a product that of one direction, to
// dst.
func (c *program[T]) into(copy int, dst []T) error {
	for i, p := range c.list {
		if err := c.SetOutputCopy(c.vector+i, copy, dst[p.Offset:p.Offset+p.Size()]); err != nil {
			return err
		}
	}
	return nil
}

// length is that of the vector of the last run of a gradient's program.
func (c *program[T]) length() float64 {
	sum := 0.0
	for i := range c.list {
		sum += c.Squares(c.vector + i)
	}
	return math.Sqrt(sum)
}

// along sets one direction of a product.
func (c *program[T]) along(copy int, v []T) error {
	for i, p := range c.list {
		if err := c.SetCopy(c.v[i], copy, v[p.Offset:p.Offset+p.Size()]); err != nil {
			return err
		}
	}
	return nil
}

// loss is the loss of the last run.
func (c *program[T]) loss() float64 { return float64(c.Output(0)[0]) }

// means are the metrics of the last run, until the next.
func (c *program[T]) means() []float64 {
	c.scratch = c.scratch[:0]
	for i := range c.graph.Metrics {
		c.scratch = append(c.scratch, float64(c.Output(c.metrics + i)[0]))
	}
	return c.scratch
}
