package nn

// Traces estimates for each example the trace of the Gauss-Newton matrix of its loss, over the parameters of the blocks:
// a node [batch]. With the root of a target drawn from the model it is the squared length of the gradient there, whose
// mean over targets is the trace; with that of the data's it is that of the empirical Fisher matrix. Of a convolution it
// is no less than that: it multiplies the squares of what goes in and of what comes back, each added up over the
// positions.
func (g *Graph) Traces(kind Root) (*Node, error) {
	r, err := g.Root(kind, nil, false)
	if err != nil {
		return nil, err
	}
	f, err := g.Factors(r, false)
	if err != nil {
		return nil, err
	}
	s := g.scope
	n := batch(s, g.Output)
	var sum *Node
	for i, b := range g.sites {
		groups := max(b.block.Groups, 1)
		squares := func(rows *Node) *Node { // [n, groups]
			shape := s.Shape(rows)
			if s.Err() != nil {
				return nil
			}
			return s.Sum(s.Sum(s.Square(s.Reshape(rows, shape[0], shape[1], groups, shape[2]/groups)), 3), 1)
		}
		t := squares(f.Out[i])
		if f.In[i] != nil {
			in := squares(f.In[i])
			if b.block.Tensors > 1 { // the bias sees a 1 in each row
				in = s.Add(in, s.Const(float64(s.Shape(f.In[i])[1])))
			}
			t = s.Mul(t, in)
		}
		t = s.Sum(t, 1)
		if sum != nil {
			t = s.Add(sum, t)
		}
		sum = t
	}
	if sum == nil {
		return s.Broadcast(s.Const(0), int(n)), s.Err()
	}
	// The root is that of a mean.
	sum = s.Mul(sum, s.Const(n))
	return sum, s.Err()
}
