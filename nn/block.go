package nn

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// A Block is the parameters of one layer that Kronecker factors describe: the
// layer multiplies rows of numbers that come in, with a 1 behind them where it
// has a bias, by a matrix W [In(+1), Out]. The curvature in W is close to A x G,
// where A is the second moment of what comes in and G that of the derivatives
// with respect to what goes out.
//
// Only Dense, Conv2D, BatchNorm and LayerNorm make blocks. A layer whose
// parameters are used more than once, as in a Shared one that stands twice, has
// none.
type Block struct {
	Param      int  // index of its first parameter, the weight
	Tensors    int  // parameters, one behind the other: 1, or 2 with a bias
	In, Out    int  // sizes of W; a normalisation has In 0: its rows are gradients of scale and shift, Out of them
	Groups     int  // of a convolution: W is that many blocks, of In and Out each
	Transposed bool // the weight lies as [Groups, Out, In] instead of [In, Out]
}

// site is a place in a graph where a block's parameters are used.
type site struct {
	block  Block
	params []*Node
	out    *Node                          // with the bias added
	in     func(s *Scope) *Node           // rows [n, In], or [n, positions, Groups x In]
	rows   func(s *Scope, ct *Node) *Node // the same of the cotangent of out
}

// site notes a use of the parameters in a graph, of which those that are absent
// are nil.
func (s *Scope) site(b Block, out *Node, params []*Node, in func(*Scope) *Node, rows func(*Scope, *Node) *Node) {
	params = slices.DeleteFunc(params, func(n *Node) bool { return n == nil })
	if s.Err() != nil || len(params) == 0 {
		return
	}
	b.Tensors = len(params)
	s.net.sites = append(s.net.sites, &site{block: b, params: params, out: out, in: in, rows: rows})
}

// blocks keeps the sites whose parameters nothing else in the graph uses and
// that lie one behind the other, in the order of the parameters.
func (n *graphing) blocks() []*site {
	index := make(map[*Node]int, len(n.params))
	for name, p := range n.params {
		index[p] = n.declared.at[name]
	}
	var list []*site
	for _, s := range n.sites {
		s.block.Param = index[s.params[0]]
		ok := true
		for i, p := range s.params {
			ok = ok && index[p] == s.block.Param+i && n.g.To(p.ID()).Len() == 1
		}
		if ok {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *site) int { return a.block.Param - b.block.Param })
	return list
}

// Blocks lists the model's blocks in the order of their parameters.
func (m *Model[T]) Blocks() []Block { return m.blocks }

// Factors are nodes from which the Kronecker factors of every block are made.
type Factors struct {
	In  []*Node // of each block [n, positions, Groups x In]; nil where In is 0
	Out []*Node // of each block [n, positions, Groups x Out]
	// Others are the cotangents of the parameters that belong to no block, of
	// their shapes, and OtherParams which parameters those are.
	Others      []*Node
	OtherParams []int
}

// Factors gives what comes in and what goes back at the layer of each block, if
// the cotangent of the output is r. Convolutions have a position for each window,
// all others one; with reduce they have one as well: the mean of what comes in
// and the sum of what goes back (Eschenhagen et al., arXiv 2311.00636: expand and
// reduce).
func (g *Graph) Factors(r *Node, reduce bool) (Factors, error) {
	s := g.scope
	var f Factors
	var nodes []*Node
	covered := make([]bool, len(g.Params))
	for _, b := range g.sites {
		nodes = append(nodes, b.out)
		for i := range b.block.Tensors {
			covered[b.block.Param+i] = true
		}
	}
	for i, p := range g.Params {
		if !covered[i] {
			f.OtherParams = append(f.OtherParams, i)
			nodes = append(nodes, p)
		}
	}
	cts, err := autodiff.Cotangents([]*Node{g.Output}, nodes, []*Node{r})
	if err != nil {
		return f, err
	}
	for i, b := range g.sites {
		out := positions(s, b.rows(s, cts[i]))
		var in *Node
		if b.block.In > 0 {
			in = positions(s, b.in(s))
		}
		if s.Err() != nil {
			return f, fmt.Errorf("nn: factors: %w", s.Err())
		}
		if reduce && s.Shape(out)[1] > 1 {
			out = s.ExpandDims(s.Sum(out, 1), 1)
			if in != nil {
				in = s.ExpandDims(s.Mean(in, 1), 1)
			}
		}
		f.In, f.Out = append(f.In, in), append(f.Out, out)
	}
	f.Others = cts[len(g.sites):]
	if err := s.Err(); err != nil {
		return f, fmt.Errorf("nn: factors: %w", err)
	}
	return f, nil
}

// positions gives rows [n, width] one position: [n, 1, width].
func positions(s *Scope, x *Node) *Node {
	if s.Err() == nil && len(s.Shape(x)) == 2 {
		return s.ExpandDims(x, 1)
	}
	return x
}

// itself is the rows of a cotangent that has them already.
func itself(_ *Scope, ct *Node) *Node { return ct }

// windows is what a convolution multiplies by its weights: for each image and
// window a row [channels x taps], channel by channel.
func windows(s *Scope, x *Node, taps [2]int, o ops.Conv) *Node {
	if s.Err() != nil {
		return nil
	}
	x = s.Pad(x, []int{0, 0, o.Pad[0], o.Pad[2]}, []int{0, 0, o.Pad[1], o.Pad[3]})
	shape := s.Shape(x)
	if s.Err() != nil {
		return nil
	}
	n, c := shape[0], shape[1]
	var size [2]int
	for i := range 2 {
		size[i] = (shape[2+i]-o.Dilation[i]*(taps[i]-1)-1)/o.Stride[i] + 1
	}
	var all []*Node
	for a := range taps[0] {
		for b := range taps[1] {
			var r [2]ops.Range
			for i, tap := range []int{a, b} {
				first := tap * o.Dilation[i]
				r[i] = ops.Range{Start: first, Stop: first + (size[i]-1)*o.Stride[i] + 1, Step: o.Stride[i]}
			}
			tap := s.Slice(x, ops.Range{}, ops.Range{}, r[0], r[1])
			all = append(all, s.Reshape(tap, n, c, 1, size[0]*size[1]))
		}
	}
	p := s.Concat(2, all...)
	p = s.Reshape(p, n, c*taps[0]*taps[1], size[0]*size[1])
	return s.Transpose(p, 0, 2, 1)
}

// plane makes rows of images [n, channels, h, w]: [n, h w, channels].
func plane(s *Scope, x *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	shape := s.Shape(x)
	return s.Transpose(s.Reshape(x, shape[0], shape[1], shape[2]*shape[3]), 0, 2, 1)
}
