package nn

import (
	"fmt"
	"reflect"
	"strings"

	"gorgonia.org/gorgonia"
)

// Node is a node of a Gorgonia graph.
type Node = gorgonia.Node

// A Layer is a part of a network: a function of a tensor, whose first axis is
// the batch, with parameters of its own. Layers are settings only and may be
// used in many models.
type Layer interface {
	// Apply adds the layer applied to x to the graph.
	Apply(s *Scope, x *Node) *Node
}

// Func is a layer given by one function. It may use the methods of the scope,
// which are those of an ops.Builder and the declaration of parameters, and
// Gorgonia's own functions.
type Func func(s *Scope, x *Node) *Node

// Apply calls f.
func (f Func) Apply(s *Scope, x *Node) *Node {
	if f == nil {
		return s.Failf("the function is nil")
	}
	return f(s, x)
}

// Sequential applies layers one after another.
type Sequential []Layer

// Apply applies the layers in order.
func (q Sequential) Apply(s *Scope, x *Node) *Node {
	for _, l := range q {
		x = s.Layer(l, x)
	}
	return x
}

// Residual adds the result of its layers to their input, which must have the
// same shape (He et al., arXiv 1512.03385).
type Residual []Layer

// Apply gives x + layers(x).
func (r Residual) Apply(s *Scope, x *Node) *Node {
	y := x
	for _, l := range r {
		y = s.Layer(l, y)
	}
	if s.Err() == nil && !x.Shape().Eq(y.Shape()) {
		return s.Failf("input of shape %v, but its layers give %v", []int(x.Shape()), []int(y.Shape()))
	}
	return s.Add(x, y)
}

// Named gives a layer the name that its parameters and errors begin with,
// instead of its kind and number.
type Named struct {
	Name  string
	Layer Layer
}

// Apply applies the layer.
func (n Named) Apply(s *Scope, x *Node) *Node { return within(s, n.Layer, x) }

// Shared is a layer whose parameters are the same wherever a Shared of that
// name stands in the network.
type Shared struct {
	Name  string
	Layer Layer
}

// Apply applies the layer with the parameters of that name.
func (h Shared) Apply(s *Scope, x *Node) *Node { return within(s, h.Layer, x) }

// within applies a layer in the scope of the one around it.
func within(s *Scope, l Layer, x *Node) *Node {
	if isNil(l) {
		return s.Failf("its layer is nil")
	}
	return l.Apply(s, x)
}

// kind is the short name of a layer: that of its type, unless it says one.
func kind(l Layer) string {
	if k, ok := l.(interface{ kind() string }); ok {
		return k.kind()
	}
	t := reflect.TypeOf(l)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "layer"
	}
	return strings.ToLower(t.Name())
}

// isNil tells an absent value from one that is there, also behind an interface.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// describe is a layer in a word or two, for errors and the summary.
func describe(l Layer) string {
	if isNil(l) {
		return "nil"
	}
	switch l := l.(type) {
	case fmt.Stringer:
		return l.String()
	case Named:
		return describe(l.Layer)
	case Shared:
		return describe(l.Layer)
	}
	t := reflect.TypeOf(l)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "layer"
	}
	return t.Name()
}
