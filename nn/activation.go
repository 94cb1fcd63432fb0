package nn

import "fmt"

// The activations without settings; each is the function of that name in
// package ops.
type (
	Identity   struct{}
	Abs        struct{}
	Square     struct{}
	Sqrt       struct{}
	Exp        struct{}
	Log        struct{}
	Sin        struct{}
	Cos        struct{}
	Tanh       struct{}
	Sigmoid    struct{}
	Softplus   struct{}
	Erf        struct{}
	ReLU       struct{}
	GELU       struct{} // by the error function
	GELUTanh   struct{} // its approximation by tanh
	SiLU       struct{} // also called swish
	Softmax    struct{} // over the last axis
	LogSoftmax struct{} // over the last axis
)

func (Identity) Apply(_ *Scope, x *Node) *Node   { return x }
func (Abs) Apply(s *Scope, x *Node) *Node        { return s.Builder.Abs(x) }
func (Square) Apply(s *Scope, x *Node) *Node     { return s.Builder.Square(x) }
func (Sqrt) Apply(s *Scope, x *Node) *Node       { return s.Builder.Sqrt(x) }
func (Exp) Apply(s *Scope, x *Node) *Node        { return s.Builder.Exp(x) }
func (Log) Apply(s *Scope, x *Node) *Node        { return s.Builder.Log(x) }
func (Sin) Apply(s *Scope, x *Node) *Node        { return s.Builder.Sin(x) }
func (Cos) Apply(s *Scope, x *Node) *Node        { return s.Builder.Cos(x) }
func (Tanh) Apply(s *Scope, x *Node) *Node       { return s.Builder.Tanh(x) }
func (Sigmoid) Apply(s *Scope, x *Node) *Node    { return s.Builder.Sigmoid(x) }
func (Softplus) Apply(s *Scope, x *Node) *Node   { return s.Builder.Softplus(x) }
func (Erf) Apply(s *Scope, x *Node) *Node        { return s.Builder.Erf(x) }
func (ReLU) Apply(s *Scope, x *Node) *Node       { return s.Relu(x) }
func (GELU) Apply(s *Scope, x *Node) *Node       { return s.Gelu(x) }
func (GELUTanh) Apply(s *Scope, x *Node) *Node   { return s.GeluTanh(x) }
func (SiLU) Apply(s *Scope, x *Node) *Node       { return s.Silu(x) }
func (Softmax) Apply(s *Scope, x *Node) *Node    { return s.Builder.Softmax(x, -1) }
func (LogSoftmax) Apply(s *Scope, x *Node) *Node { return s.Builder.LogSoftmax(x, -1) }

// LeakyReLU is x where x > 0, else Slope x; a Slope of 0 means 0.01.
type LeakyReLU struct{ Slope float64 }

func (l LeakyReLU) String() string { return fmt.Sprintf("LeakyReLU %g", l.slope()) }

func (l LeakyReLU) slope() float64 {
	if l.Slope == 0 {
		return 0.01
	}
	return l.Slope
}

// Apply applies it to each element.
func (l LeakyReLU) Apply(s *Scope, x *Node) *Node { return s.LeakyRelu(x, l.slope()) }

// ELU is x where x > 0, else Alpha (e^x - 1); an Alpha of 0 means 1.
type ELU struct{ Alpha float64 }

func (e ELU) String() string { return fmt.Sprintf("ELU %g", e.alpha()) }

func (e ELU) alpha() float64 {
	if e.Alpha == 0 {
		return 1
	}
	return e.Alpha
}

// Apply applies it to each element.
func (e ELU) Apply(s *Scope, x *Node) *Node { return s.Elu(x, e.alpha()) }

// Clamp limits each element to [Lo, Hi], where Lo is below Hi.
type Clamp struct{ Lo, Hi float64 }

func (c Clamp) String() string { return fmt.Sprintf("Clamp %g %g", c.Lo, c.Hi) }

// Apply applies it to each element.
func (c Clamp) Apply(s *Scope, x *Node) *Node {
	if !(c.Lo < c.Hi) {
		return s.Failf("limits %g and %g; the first must be below the second", c.Lo, c.Hi)
	}
	return s.Builder.Clamp(x, c.Lo, c.Hi)
}
