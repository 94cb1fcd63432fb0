package autodiff

import (
	"slices"

	"github.com/saddle-ml/saddle/autodiff/builtin"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// translation holds the nodes of a call, made of the operations of package ops
// alone, and the builder that adds to them.
type translation struct {
	b  *ops.Builder
	of map[*Node]*Node
}

// newTranslation translates all nodes of the lists, which belong to one graph.
func newTranslation(what string, lists ...[]*Node) (*translation, error) {
	nodes := slices.Concat(lists...)
	if err := check(what, nodes...); err != nil {
		return nil, err
	}
	t := &translation{b: ops.On(nodes[0]), of: make(map[*Node]*Node)}
	tr := builtin.New(t.b)
	for _, n := range nodes {
		m, err := tr.Node(n)
		if err != nil {
			return nil, err
		}
		t.of[n] = m
	}
	return t, nil
}

// all is the translations of nodes; that of nil is nil.
func (t *translation) all(nodes []*Node) []*Node {
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		out[i] = t.of[n]
	}
	return out
}
