package ops_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// choices reads small decisions from a string of bytes.
type choices struct{ data []byte }

func (c *choices) more() bool { return len(c.data) > 0 }

func (c *choices) below(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return int(b) % n
}

// number is a small whole number, now and then one that no shape may have.
func (c *choices) number() int {
	if c.below(16) > 0 {
		return c.below(9) - 3
	}
	return []int{math.MaxInt, math.MinInt, 1 << 62, -1 << 40, 1 << 32, 1<<31 - 1}[c.below(6)]
}

// value draws an argument of a method; nodes are among those made before.
func (c *choices) value(t reflect.Type, nodes []*ops.Node) (reflect.Value, bool) {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[*ops.Node]():
		v.Set(reflect.ValueOf(nodes[c.below(len(nodes))]))
		return v, true
	case t.Kind() == reflect.Int:
		v.SetInt(int64(c.number()))
		return v, true
	case t.Kind() == reflect.Bool:
		v.SetBool(c.below(2) == 1)
		return v, true
	case t.Kind() == reflect.Uint32:
		v.SetUint(uint64(c.below(256)))
		return v, true
	case t.Kind() == reflect.Float64:
		v.SetFloat([]float64{0.5, 0, 1, -1, 3, 0.25, math.Inf(1), math.NaN(), -0.5, 1e300}[c.below(10)])
		return v, true
	case t.Kind() == reflect.Slice:
		for range c.below(5) {
			e, ok := c.value(t.Elem(), nodes)
			if !ok {
				return v, false
			}
			v = reflect.Append(v, e)
		}
		return v, true
	case t.Kind() == reflect.Array:
		for i := range t.Len() {
			e, ok := c.value(t.Elem(), nodes)
			if !ok {
				return v, false
			}
			v.Index(i).Set(e)
		}
		return v, true
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			e, ok := c.value(t.Field(i).Type, nodes)
			if !ok {
				return v, false
			}
			v.Field(i).Set(e)
		}
		return v, true
	}
	return v, false
}

// operations are the methods of a Builder that give a node and whose arguments
// can be drawn.
func operations() []reflect.Method {
	var all []reflect.Method
	t := reflect.TypeFor[*ops.Builder]()
	for i := range t.NumMethod() {
		m := t.Method(i)
		if m.Type.NumOut() != 1 || m.Type.Out(0) != reflect.TypeFor[*ops.Node]() {
			continue
		}
		if m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[ops.Rule]() {
			continue // a rule from elsewhere
		}
		all = append(all, m)
	}
	return all
}

// expression writes operations as the bytes choose, each on operands drawn from
// the nodes before it. What is refused must be refused with an error; what is
// not must have the shape it says.
func expression(t testing.TB, data []byte) {
	c := &choices{data}
	g := gorgonia.NewGraph()
	b := ops.NewBuilder(g, tensor.Float64)
	inputs := exec.Inputs{}
	nodes := []*ops.Node{}
	for i, s := range [][]int{{}, {3}, {2, 3}, {1, 2, 5, 4}, {2, 1, 2, 2}, {0, 2}, {4}} {
		n := autodiff.NewInput(g, tensor.Float64, string(rune('a'+i)), s...)
		inputs, nodes = append(inputs, n), append(nodes, n)
	}
	other := autodiff.NewInput(gorgonia.NewGraph(), tensor.Float64, "other", 3)
	methods := operations()
	var trace []string
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic", strings.Join(trace, "; "))
			panic(r)
		}
	}()
	for c.more() && len(nodes) < 24 {
		m := methods[c.below(len(methods))]
		from := nodes
		if c.below(40) == 0 {
			from = []*ops.Node{nil, other}
		}
		args := []reflect.Value{reflect.ValueOf(b)}
		for i := 1; i < m.Type.NumIn(); i++ {
			v, ok := c.value(m.Type.In(i), from)
			if !ok {
				t.Fatalf("%s: no way to draw a %v", m.Name, m.Type.In(i))
			}
			args = append(args, v)
		}
		trace = append(trace, m.Name)
		var out []reflect.Value
		if m.Type.IsVariadic() {
			out = m.Func.CallSlice(args)
		} else {
			out = m.Func.Call(args)
		}
		n := out[0].Interface().(*ops.Node)
		if err := b.Err(); err != nil {
			if n != nil {
				t.Fatalf("%s: a node beside the error %v", m.Name, err)
			}
			if !strings.HasPrefix(err.Error(), "ops: ") {
				t.Fatalf("%s: error %v does not say where it is from", m.Name, err)
			}
			b.Refail(nil)
			continue
		}
		if n == nil {
			t.Fatalf("%s: neither a node nor an error", m.Name)
		}
		size := 1.0
		for _, d := range n.Shape() {
			if d < 0 {
				t.Fatalf("%s: shape %v", m.Name, n.Shape())
			}
			size *= float64(d)
		}
		if size > 1<<14 {
			continue // too large for what follows, or for any machine
		}
		nodes = append(nodes, n)
	}
	made := nodes[len(inputs):]
	if len(made) == 0 {
		return
	}
	trace = append(trace, "derivatives")
	grads, err := autodiff.VJP(made, inputs, made)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(trace, "; "), err)
	}
	tangents, err := autodiff.JVP(grads, inputs, inputs)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(trace, "; "), err)
	}
	for _, outputs := range [][]*ops.Node{made, append(grads, tangents...)} {
		trace = append(trace, "compile")
		p, err := autodiff.Compile[float64](outputs, inputs, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "axes; at most") {
				t.Fatalf("%s: %v", strings.Join(trace, "; "), err)
			}
			return
		}
		r := rand.New(rand.NewPCG(1, uint64(len(data))))
		for i, in := range inputs {
			x := make([]float64, exec.Size(in.Shape()))
			for j := range x {
				x[j] = float64(r.IntN(3))
			}
			if err := p.SetInput(i, x); err != nil {
				t.Fatal(err)
			}
		}
		trace = append(trace, "run")
		if err := p.Run(); err != nil {
			if !strings.Contains(err.Error(), "want a whole number") {
				t.Fatalf("%s: %v", strings.Join(trace, "; "), err)
			}
			return
		}
		for i, n := range outputs {
			if len(p.Output(i)) != exec.Size(n.Shape()) {
				t.Fatalf("%s: %d numbers for shape %v", strings.Join(trace, "; "), len(p.Output(i)), n.Shape())
			}
		}
	}
}

// TestAnyExpressionIsANodeOrAnError draws expressions at random.
func TestAnyExpressionIsANodeOrAnError(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		data := make([]byte, 20+r.IntN(200))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		expression(t, data)
		if t.Failed() {
			return
		}
	}
}

func FuzzBuilder(f *testing.F) {
	f.Add([]byte("any bytes are an expression"))
	f.Fuzz(func(t *testing.T, data []byte) { expression(t, data) })
}
