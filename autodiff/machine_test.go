package autodiff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// onMachine is a case written on a graph, with numbers for its inputs.
type onMachine struct {
	g      *gorgonia.ExprGraph
	in     map[*node][]float64
	free   []*node // the inputs that are not constants
	y      *node
	loss   *node
	labels []string // what the printed graph must name
}

// write builds the case at the shapes of a seed.
func write(t *testing.T, c opCase, seed uint64) onMachine {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	f, shapes, o := c.draw(r)
	lo, hi := o.Lo, o.Hi
	if lo == 0 && hi == 0 {
		lo, hi = -2, 2
	}
	m := onMachine{g: gorgonia.NewGraph(), in: map[*node][]float64{}}
	b := ops.NewBuilder(m.g, tensor.Float64)
	var xs []*node
	for i, s := range shapes {
		n := autodiff.NewInput(m.g, tensor.Float64, fmt.Sprintf("x%d", i), s...)
		data := make([]float64, exec.Size(s))
		for j := range data {
			data[j] = lo + (hi-lo)*r.Float64()
		}
		if i < len(o.Values) && o.Values[i] != nil {
			copy(data, o.Values[i])
		}
		if i >= len(o.Fixed) || !o.Fixed[i] {
			m.free = append(m.free, n)
		}
		xs, m.in[n] = append(xs, n), data
	}
	m.y = f(b, xs)
	m.loss = b.Sum(m.y)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	for _, n := range m.g.AllNodes() {
		if op, ok := n.Op().(*ops.Op); ok {
			m.labels = append(m.labels, op.String())
		}
	}
	return m
}

// let gives the inputs of the graph their values, on Gorgonia's side.
func (m onMachine) let(t *testing.T) {
	t.Helper()
	for n, x := range m.in {
		x = append([]float64(nil), x...)
		var v any = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(x))
		if len(n.Shape()) == 0 {
			v = x[0]
		}
		if err := gorgonia.Let(n, v); err != nil {
			t.Fatal(err)
		}
	}
}

// values compiles nodes and runs them, as tensors of their own.
func (m onMachine) values(t *testing.T, nodes ...*node) [][]float64 {
	t.Helper()
	var inputs exec.Inputs
	for n := range m.in {
		inputs = append(inputs, n)
	}
	p, err := autodiff.Compile[float64](nodes, inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, x := range m.in {
		if err := p.Set(n, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(nodes))
	for i := range out {
		out[i] = p.Output(i)
	}
	return out
}

// TestEveryOperationIsAnOperationOfGorgonia prints every case with ToDot and
// runs it on Gorgonia's two machines, and the derivatives that Gorgonia takes of
// it by SymDiff on the first.
func TestEveryOperationIsAnOperationOfGorgonia(t *testing.T) {
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			m := write(t, c, 1)
			if n := m.g.ByName(exec.KeyName); len(n) > 0 { // dropout
				m.in[n[0]] = []float64{5, 6, 7, 0}
			}
			dot := m.g.ToDot()
			for _, label := range m.labels {
				if name, _, _ := strings.Cut(label, "["); !strings.Contains(dot, dotText(name)) {
					t.Errorf("the printed graph does not name %s", label)
				}
			}
			grads, err := autodiff.Grad(m.loss, m.free...)
			if err != nil {
				t.Fatal(err)
			}
			want := m.values(t, append([]*node{m.y}, grads...)...)

			lisp := write(t, c, 1)
			lisp.in = sameInputs(lisp.g, m)
			lisp.let(t)
			forward := gorgonia.NewLispMachine(lisp.g, gorgonia.ExecuteFwdOnly())
			defer forward.Close()
			if err := forward.RunAll(); err != nil {
				t.Fatalf("lisp machine: %v", err)
			}
			same(t, "value on the lisp machine", floats(lisp.y.Value()), want[0])

			tape := write(t, c, 1)
			tape.in = sameInputs(tape.g, m)
			sym, err := gorgonia.Grad(tape.loss, tape.free...)
			if err != nil {
				t.Fatal(err)
			}
			var read gorgonia.Value
			gorgonia.Read(tape.y, &read)
			tape.let(t)
			vm := gorgonia.NewTapeMachine(tape.g)
			defer vm.Close()
			if err := vm.RunAll(); err != nil {
				t.Fatalf("tape machine: %v", err)
			}
			same(t, "value on the tape machine", floats(read), want[0])
			for i, n := range sym {
				same(t, fmt.Sprintf("gradient %d by SymDiff", i), floats(n.Value()), want[1+i])
			}
		})
	}
}

// sameInputs are the inputs of g that have the names of those of m.
func sameInputs(g *gorgonia.ExprGraph, m onMachine) map[*node][]float64 {
	in := map[*node][]float64{}
	for n, x := range m.in {
		in[g.ByName(n.Name())[0]] = x
	}
	return in
}

// dotText is a name as ToDot writes it.
func dotText(name string) string {
	return strings.NewReplacer(">", "&gt;", "<", "&lt;", "'", "&#39;").Replace(name)
}
