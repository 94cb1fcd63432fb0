package autodiff

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// CheckOptions are settings of Check. The zero value is the default.
type CheckOptions struct {
	Seed   uint64      // of the random point, tangents and cotangents
	Lo, Hi float64     // the point is uniform on [Lo, Hi); both 0 mean [-2, 2)
	Fixed  []bool      // which operands are constants: labels, indices
	Values [][]float64 // the point; an operand without values is drawn at random
	Order  int         // 1 or 2; 0 means 2
	Tol    float64     // relative tolerance of differences; 0 means 1e-8
}

// Check compares, in float64, the derivatives of f at a random point with
// finite differences, and forward with reverse mode. f is a function of
// operands of the given shapes, written with the builder; its value may have
// any shape.
//
// For random tangents v, w and a cotangent u of that shape it tests, with J the
// Jacobian:
//
//   - J v against differences of f along v;
//   - <u, J v> = <J'u, v> to 1e-12 of the sum of the products' sizes;
//   - the derivative of J'u along v (forward over reverse) and that of J v along
//     w (forward over forward) against differences of J'u and J v;
//   - the transposes of both (reverse over reverse, reverse over forward)
//     by the same dot-product test.
//
// A difference is (4 D(h/2) - D(h))/3 with D(h) = (f(x+hv) - f(x-hv))/2h and
// h = 1e-3: its error is of the order of h^4 times the fifth derivative plus
// 1e-12 times the value. It must agree within Tol of the larger of the
// derivative and the value, both in the largest element.
func Check(f func(b *ops.Builder, x []*Node) *Node, shapes [][]int, o CheckOptions) error {
	g := gorgonia.NewGraph()
	b := ops.NewBuilder(g, tensor.Float64)
	xs := make([]*Node, len(shapes))
	for i, s := range shapes {
		xs[i] = NewInput(g, tensor.Float64, fmt.Sprintf("x%d", i), s...)
	}
	y := f(b, xs)
	if b.Err() != nil {
		return b.Err()
	}
	return CheckNode(y, xs, o)
}

// CheckNode is Check for a node y that depends on the inputs given.
func CheckNode(y *Node, inputs []*Node, o CheckOptions) error {
	c, err := newChecker(y, inputs, o)
	if err != nil {
		return err
	}
	return c.run()
}

type checker struct {
	o     CheckOptions
	rng   *rand.Rand
	prog  *exec.Program[float64]
	names map[string]int
	x     [][]float64 // the point, and where the program reads it
	at    [][]float64
	v, w  [][]float64 // tangents of the operands that are not fixed
	u     []float64
	free  []int // their numbers
}

func newChecker(y *Node, xs []*Node, o CheckOptions) (*checker, error) {
	if err := check("check", append([]*Node{y}, xs...)...); err != nil {
		return nil, err
	}
	if dt := y.Dtype(); dt != tensor.Float64 {
		return nil, fmt.Errorf("autodiff: check: node %v holds %v; differences need float64", y, dt)
	}
	switch {
	case o.Order < 0 || o.Order > 2:
		return nil, fmt.Errorf("autodiff: check: order %d; allowed are 1 and 2", o.Order)
	case !(o.Tol >= 0):
		return nil, fmt.Errorf("autodiff: check: tolerance %v; it must be positive", o.Tol)
	case !(o.Lo <= o.Hi):
		return nil, fmt.Errorf("autodiff: check: points from %v to %v", o.Lo, o.Hi)
	case len(o.Fixed) > len(xs) || len(o.Values) > len(xs):
		return nil, fmt.Errorf("autodiff: check: %d operands, but settings for %d", len(xs), max(len(o.Fixed), len(o.Values)))
	}
	if o.Lo == 0 && o.Hi == 0 {
		o.Lo, o.Hi = -2, 2
	}
	if o.Order == 0 {
		o.Order = 2
	}
	if o.Tol == 0 {
		o.Tol = 1e-8
	}
	c := &checker{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), names: map[string]int{}}
	draw := func(n *Node, lo, hi float64) []float64 {
		data := make([]float64, elements(n))
		for i := range data {
			data[i] = lo + (hi-lo)*c.rng.Float64()
		}
		return data
	}
	inputs := exec.Inputs(append([]*Node(nil), xs...))
	input := func(name string, shape []int) (*Node, []float64) {
		n := NewInput(y.Graph(), tensor.Float64, "check "+name, shape...)
		inputs = append(inputs, n)
		return n, draw(n, -1, 1)
	}
	var free, vs, ws []*Node
	for i, n := range xs {
		data := draw(n, o.Lo, o.Hi)
		if i < len(o.Values) && o.Values[i] != nil {
			if len(o.Values[i]) != len(data) {
				return nil, fmt.Errorf("autodiff: check: %d values for operand %d of shape %v", len(o.Values[i]), i, n.Shape())
			}
			copy(data, o.Values[i])
		}
		c.x, c.at = append(c.x, data), append(c.at, append([]float64(nil), data...))
		if i < len(o.Fixed) && o.Fixed[i] {
			continue
		}
		free = append(free, n)
		c.free = append(c.free, i)
	}
	for i, n := range free {
		vn, v := input(fmt.Sprintf("v%d", i), n.Shape())
		wn, w := input(fmt.Sprintf("w%d", i), n.Shape())
		vs, ws, c.v, c.w = append(vs, vn), append(ws, wn), append(c.v, v), append(c.w, w)
	}
	if len(free) == 0 {
		return nil, fmt.Errorf("autodiff: check: no operand to differentiate")
	}
	un, u := input("u", y.Shape())
	c.u = u

	var outputs []*Node
	want := func(name string, nodes []*Node, err error) ([]*Node, error) {
		if err != nil {
			return nil, fmt.Errorf("autodiff: check: %s: %w", name, err)
		}
		c.names[name] = len(outputs)
		outputs = append(outputs, nodes...)
		return nodes, nil
	}
	var err error
	step := func(name string, nodes []*Node, e error) []*Node {
		if err != nil {
			return nil
		}
		nodes, err = want(name, nodes, e)
		return nodes
	}
	step("f", []*Node{y}, nil)
	jv, e := JVP([]*Node{y}, free, vs)
	jv = step("Jv", jv, e)
	ju, e := VJP([]*Node{y}, free, []*Node{un})
	ju = step("J'u", ju, e)
	if err == nil && o.Order > 1 {
		a, e := JVP(ju, free, vs)
		step("forward over reverse", a, e)
		a, e = VJP(ju, free, ws)
		step("reverse over reverse", a, e)
		a, e = JVP(jv, free, ws)
		step("forward over forward", a, e)
		a, e = VJP(jv, free, []*Node{un})
		step("reverse over forward", a, e)
	}
	if err != nil {
		return nil, err
	}
	if c.prog, err = Compile[float64](outputs, inputs, nil); err != nil {
		return nil, err
	}
	c.prog.Seed(o.Seed, 0, 0)
	set := func(n *Node, x []float64) {
		if e := c.prog.Set(n, x); e != nil && err == nil {
			err = e
		}
	}
	for i, n := range xs {
		set(n, c.at[i])
	}
	for i := range free {
		set(vs[i], c.v[i])
		set(ws[i], c.w[i])
	}
	set(un, c.u)
	return c, err
}

// NewInput is an input node: a tensor that the caller of a program gives. Every
// input of a graph needs a name of its own.
func NewInput(g *gorgonia.ExprGraph, dt tensor.Dtype, name string, shape ...int) *Node {
	if len(shape) == 0 {
		return gorgonia.NewScalar(g, dt, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...))
}

// eval runs the program at the point moved by h along the tangents d and
// copies the tensors that begin with output name.
func (c *checker) eval(h float64, d [][]float64, name string, count int) ([][]float64, error) {
	for i := range c.x {
		copy(c.at[i], c.x[i])
	}
	for k, i := range c.free {
		for j := range c.at[i] {
			if h != 0 {
				c.at[i][j] += h * d[k][j]
			}
		}
	}
	if err := c.prog.Run(); err != nil {
		return nil, err
	}
	out := make([][]float64, count)
	for i := range out {
		out[i] = append([]float64(nil), c.prog.Output(c.names[name]+i)...)
	}
	return out, nil
}

// difference is the derivative of the named tensors along d by differences.
func (c *checker) difference(d [][]float64, name string, count int) ([][]float64, error) {
	const h = 1e-3
	var at [4][][]float64
	for i, s := range []float64{h, -h, h / 2, -h / 2} {
		var err error
		if at[i], err = c.eval(s, d, name, count); err != nil {
			return nil, err
		}
	}
	out := at[0]
	for i := range out {
		for j := range out[i] {
			wide := (at[0][i][j] - at[1][i][j]) / (2 * h)
			narrow := (at[2][i][j] - at[3][i][j]) / h
			out[i][j] = (4*narrow - wide) / 3
		}
	}
	return out, nil
}

func (c *checker) run() error {
	n := len(c.free)
	if err := c.slope("f", 1, c.v, "Jv"); err != nil {
		return err
	}
	if err := c.adjoint("J", "Jv", [][]float64{c.u}, c.v, "J'u"); err != nil {
		return err
	}
	if c.o.Order < 2 {
		return nil
	}
	if err := c.slope("J'u", n, c.v, "forward over reverse"); err != nil {
		return err
	}
	if err := c.adjoint("the derivative of J'u", "forward over reverse", c.w, c.v, "reverse over reverse"); err != nil {
		return err
	}
	if err := c.slope("Jv", 1, c.w, "forward over forward"); err != nil {
		return err
	}
	return c.adjoint("the derivative of Jv", "forward over forward", [][]float64{c.u}, c.w, "reverse over forward")
}

// slope compares the derivative of the named tensors along d with differences.
func (c *checker) slope(name string, count int, d [][]float64, derivative string) error {
	value, err := c.eval(0, nil, name, count)
	if err != nil {
		return err
	}
	got, err := c.eval(0, nil, derivative, count)
	if err != nil {
		return err
	}
	want, err := c.difference(d, name, count)
	if err != nil {
		return err
	}
	for i := range got {
		scale := max(largest(value[i]), largest(want[i]))
		for j := range got[i] {
			if e := math.Abs(got[i][j] - want[i][j]); !(e <= c.o.Tol*scale) && !(e == 0) {
				return fmt.Errorf("autodiff: check: derivative of %s (%s), tensor %d, element %d: %v, by differences %v: error %.2g of %.3g",
					name, derivative, i, j, got[i][j], want[i][j], e, scale)
			}
		}
	}
	return nil
}

// adjoint tests <ct, A d> = <A'ct, d> for the linear map A.
func (c *checker) adjoint(name, forward string, ct, d [][]float64, reverse string) error {
	ad, err := c.eval(0, nil, forward, len(ct))
	if err != nil {
		return err
	}
	act, err := c.eval(0, nil, reverse, len(d))
	if err != nil {
		return err
	}
	left, size1 := dot(ct, ad)
	right, size2 := dot(act, d)
	if e := math.Abs(left - right); !(e <= 1e-12*max(size1, size2)) {
		return fmt.Errorf("autodiff: check: %s: forward gives <u, A v> = %v, reverse <A'u, v> = %v: error %.2g of %.3g", name, left, right, e, max(size1, size2))
	}
	return nil
}

func largest(x []float64) float64 {
	m := 0.0
	for _, v := range x {
		m = math.Max(m, math.Abs(v))
	}
	return m
}

// dot is the inner product and the sum of the sizes of its terms.
func dot(x, y [][]float64) (sum, size float64) {
	for i := range x {
		for j := range x[i] {
			p := x[i][j] * y[i][j]
			sum += p
			size += math.Abs(p)
		}
	}
	return sum, size
}
