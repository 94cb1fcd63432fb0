package train

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// factorOutputs says which outputs of a program are the rows of a tensor; one
// that is not there is -1.
type factorOutputs struct {
	tensor, in, out, grad, positions int
}

// roots are the roots of the loss's Hessian that factors are made of.
var roots = map[optimizers.Targets]nn.Root{
	optimizers.TargetsMC: nn.SampledRoot, optimizers.TargetsExact: nn.ColumnRoot, optimizers.TargetsEmpirical: nn.EmpiricalRoot,
}

// factorNodes lists what a program of factors computes.
func (c *program[T]) factorNodes(r request) ([]*autodiff.Node, error) {
	kind, ok := roots[r.targets]
	if !ok {
		return nil, fmt.Errorf("train: targets %d of factors; allowed are 0 to %d", r.targets, len(roots)-1)
	}
	var u *autodiff.Node
	if kind == nn.ColumnRoot {
		u = autodiff.NewInput(c.graph.Output.Graph(), c.graph.Output.Dtype(), "column", c.graph.Output.Shape()...)
		c.v = []*autodiff.Node{u}
	}
	blocks := c.model.Blocks()
	covered := 0
	for _, b := range blocks {
		covered += b.Tensors
	}
	// Of parameters without a block only sums over examples are known, whose squares are to be sums of squares in the
	// mean; sampled gradients have mean zero by themselves.
	root, err := c.graph.Root(kind, u, kind != nn.SampledRoot && covered < len(c.list))
	if err != nil {
		return nil, err
	}
	f, err := c.graph.Factors(root, r.reduce)
	if err != nil {
		return nil, err
	}
	var nodes []*autodiff.Node
	add := func(n *autodiff.Node) int {
		nodes = append(nodes, n)
		return len(nodes) - 1
	}
	for i, b := range blocks {
		o := factorOutputs{tensor: b.Param, in: -1, out: add(f.Out[i]), grad: -1, positions: f.Out[i].Shape()[1]}
		if f.In[i] != nil {
			o.in = add(f.In[i])
		}
		c.factors = append(c.factors, o)
	}
	for i, k := range f.OtherParams {
		c.factors = append(c.factors, factorOutputs{tensor: k, in: -1, out: -1, grad: add(f.Others[i])})
	}
	return nodes, nil
}

// Passes is how often the network is run back with those targets.
func (s *sample[T]) Passes(t optimizers.Targets) int {
	if t == optimizers.TargetsExact {
		return product(s.programs.model.Output())
	}
	return 1
}

// Factors shows f what goes in and comes back at each layer; see
// optimizers.Factors.
func (s *sample[T]) Factors(x []T, t optimizers.Targets, reduce bool, f func(*optimizers.FactorRows[T]) error) error {
	if err := s.check(nil, x); err != nil {
		return err
	}
	if m := s.programs.model; m.Joint() {
		return fmt.Errorf("train: %s is a function of all examples together, so that single examples have no factors", m.Loss())
	}
	in, _ := sizes(s.programs.model)
	err := s.each(func(ex, ey []T, row int) error {
		n := len(ex) / in
		c, err := s.programs.lookup(request{want: wantFactors, size: n, targets: t, reduce: reduce})
		if err != nil {
			return err
		}
		c.Seed(s.seed, s.step, row)
		if err := c.on(ex, ey, x); err != nil {
			return err
		}
		share := float64(n) / float64(s.n)
		if t != optimizers.TargetsExact {
			if err := c.Run(); err != nil {
				return err
			}
			return c.show(n, share, true, f)
		}
		if err := c.Prepare(); err != nil {
			return err
		}
		outputs := s.Passes(t)
		column := make([]T, n*outputs)
		for k := range outputs {
			for i := range n {
				column[i*outputs+(k+outputs-1)%outputs] = 0
				column[i*outputs+k] = 1
			}
			if err := c.Set(c.v[0], column); err != nil {
				return err
			}
			if err := c.Run(); err != nil {
				return err
			}
			if err := c.show(n, share, k == 0, f); err != nil {
				return err
			}
		}
		return nil
	})
	s.count(err)
	return err
}

// show shows f the rows of the last run, with what goes in only on demand.
func (c *program[T]) show(n int, share float64, in bool, f func(*optimizers.FactorRows[T]) error) error {
	for _, o := range c.factors {
		c.rows = optimizers.FactorRows[T]{Tensor: o.tensor, Share: share, Examples: n, Positions: o.positions}
		if o.in >= 0 && in {
			c.rows.In = c.Output(o.in)
		}
		if o.out >= 0 {
			c.rows.Out = c.Output(o.out)
		}
		if o.grad >= 0 {
			c.rows.Grad = c.Output(o.grad)
		}
		if err := f(&c.rows); err != nil {
			return err
		}
	}
	return nil
}
