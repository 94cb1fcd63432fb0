package landscape

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
	"gonum.org/v1/gonum/mat"
)

// Conserved is a quantity that gradient flow would keep, of one symmetry, with what
// three theories say that it is after the steps so far. For
//
//	b = Momentum·b + (1-Dampening)·(g + WeightDecay·x),  x = x - LR·b
//
// with dt = LR·(1-Dampening) a step they are, with λ the weight decay and β the
// momentum,
//
//	flow      gradient flow with decay: Q e^{-2λt}, of translations Q e^{-λt}, at time t = Σ dt/(1-β)
//	modified  the flow that has the step's length in it (Kunin et al. 2021, section 5), at time t = Σ dt:
//	          dt(1+β)/2 Q'' + (1-β) Q' + 2λQ = dt(1+β) |x'|², of translations with λQ and 0 to the right;
//	          without momentum Q' + 2λQ = LR |g|², all of a step's at its end
//	discrete  the recursion that the steps obey to rounding; without momentum Q = (1-LR λ)² Q + LR² |g|²
//
// where |.|² of a rescaling is the difference |.|² of θ_1 less that of θ_2. What
// goes into them is the value at the beginning and, of each step, the gradient and
// the length of the step, but not how Q moves.
type Conserved struct {
	Symmetry
	Start    float64
	Measured float64
	Flow     float64
	Modified float64
	Discrete float64
	Size     float64 // sum of the magnitudes of the terms of Measured: what roundings are relative to

	// Of scales: the effective learning rate of the direction in the last step, and
	// what its law says (Tanaka & Kunin 2021, section 5); 0 before the first.
	Rate, RateLaw float64
}

// Conservation follows the would-be conserved quantities of the symmetries of a
// loss through the steps of SGD.
type Conservation struct {
	Of []Conserved

	decay     float64
	dampening float64
	buffered  bool // the method has momentum

	momentum []float64 // the buffer, in float64 and by its rule
	begun    bool
	time     float64 // of the flow
	more     []hidden

	lr, beta    float64    // of the last step
	dt          float64    // of the step that propagate is for, with beta
	square, sum *mat.Dense // propagators of the modified flow of squares and of sums
}

// hidden is what the theories keep beside a value.
type hidden struct {
	Rate   float64 // Q' of the modified flow
	Buffer float64 // Σ b, or Σ x·b
	Fourth float64 // of scales: Q² by the law of the effective rate
}

// SGDOf is the SGD with constant settings whose steps a method takes, a schedule for
// its rate and momentum aside.
func SGDOf(m optimizers.Method) (*optimizers.SGD, error) {
	for {
		switch v := m.(type) {
		case *optimizers.SGD:
			if v.Nesterov {
				return nil, errors.New("landscape: conservation laws are known here for sgd with heavy-ball momentum; nesterov=true has others")
			}
			if v.Dampening == 1 {
				return nil, errors.New("landscape: sgd with dampening=1 stands still after its first step; there is nothing to follow")
			}
			return v, nil
		case *optimizers.Scheduled:
			m = v.Of
		default:
			return nil, fmt.Errorf("landscape: conservation laws are known here for the steps of sgd (momentum, dampening, weight decay and any schedule), not for %s", optimizers.Spec(m))
		}
	}
}

// NewConservation begins at the parameters x, under the steps of s.
func NewConservation[T train.Float](list []Symmetry, s *optimizers.SGD, x []T) *Conservation {
	c := &Conservation{decay: s.WeightDecay, dampening: s.Dampening, buffered: s.Momentum != 0 && s.Momentum != optimizers.Zero}
	if !c.buffered {
		c.dampening = 0 // there is no buffer that it could dampen
	}
	if c.decay == optimizers.Zero {
		c.decay = 0
	}
	c.momentum = make([]float64, len(x))
	for i := range list {
		v, size := quantity(&list[i], x, x)
		c.Of = append(c.Of, Conserved{Symmetry: list[i], Start: v, Measured: v, Flow: v, Modified: v, Discrete: v, Size: size})
		c.more = append(c.more, hidden{Fourth: v * v})
	}
	return c
}

// quantity is Σ x of a translation, or Σ x·y, with the sum of the magnitudes.
func quantity[T train.Float](s *Symmetry, x, y []T) (sum, size float64) {
	for _, i := range s.In {
		v := float64(x[i])
		if s.Kind != Translation {
			v *= float64(y[i])
		}
		sum += v
		size += math.Abs(v)
	}
	for _, i := range s.Out {
		v := float64(x[i]) * float64(y[i])
		sum -= v
		size += math.Abs(v)
	}
	return sum, size
}

// Follow moves all theories of c on by one step with gradient g at x. It allocates where
// the rate or the momentum has changed.
func Follow[T train.Float](c *Conservation, g, x []T, lr, momentum float64) {
	beta, fresh := momentum, 1-c.dampening
	if !c.buffered {
		beta = 0
	}
	mu := beta
	if !c.begun {
		mu, fresh = 0, 1
	}
	for i := range c.momentum {
		c.momentum[i] = mu*c.momentum[i] + fresh*(float64(g[i])+c.decay*float64(x[i]))
	}
	c.begun, c.lr = true, lr
	dt := lr * (1 - c.dampening)
	if beta < 1 {
		c.time += dt / (1 - beta)
	}
	c.propagate(dt, beta)
	for i := range c.Of {
		q, more := &c.Of[i], &c.more[i]
		if q.Kind == Translation {
			more.Buffer = mu*more.Buffer + fresh*c.decay*q.Discrete
			q.Discrete -= lr * more.Buffer
			q.Flow = q.Start * math.Exp(-c.decay*c.time)
			if !c.buffered {
				q.Modified *= math.Exp(-c.decay * lr)
			} else {
				apply(c.sum, &q.Modified, &more.Rate, 0, dt)
			}
			continue
		}
		q.Flow = q.Start * math.Exp(-2*c.decay*c.time)
		var force float64
		if c.buffered {
			force, _ = quantity(&q.Symmetry, c.momentum, c.momentum)
		} else {
			force, _ = quantity(&q.Symmetry, g, g)
		}
		if q.Kind == Scale && beta < 1 {
			square, _ := quantity(&q.Symmetry, x, x)
			more.Fourth = c.fourth(more.Fourth, square, force, lr, beta)
		}
		if !c.buffered {
			keep := 1 - lr*c.decay
			q.Discrete = keep*keep*q.Discrete + lr*lr*force
			q.Modified = q.Modified*math.Exp(-2*c.decay*lr) + lr*lr*force
			continue
		}
		more.Buffer = mu*more.Buffer + fresh*c.decay*q.Discrete
		q.Discrete += -2*lr*more.Buffer + lr*lr*force
		more.Buffer -= lr * force // with the new x
		fresh := 1 - c.dampening
		apply(c.square, &q.Modified, &more.Rate, 2*force/(fresh*fresh), dt)
	}
}

// propagate computes how the modified flow goes on for dt, with a constant force:
// exponentials of the system of Q and dt Q'.
func (c *Conservation) propagate(dt, beta float64) {
	same := c.square != nil && c.dt == dt && c.beta == beta
	c.dt, c.beta = dt, beta
	if !c.buffered || same {
		return
	}
	friction := 2 * (1 - beta) / (1 + beta) // 2γ dt
	spring := 2 * c.decay * dt / (1 + beta) // ω² dt² of sums
	for _, one := range []struct {
		to     **mat.Dense
		spring float64
	}{{&c.sum, spring}, {&c.square, 2 * spring}} {
		*one.to = &mat.Dense{}
		(*one.to).Exp(mat.NewDense(3, 3, []float64{
			0, 1, 0,
			-one.spring, -friction, 1,
			0, 0, 0}))
	}
}

// apply moves a value and its rate on by dt under a force.
func apply(m *mat.Dense, value, rate *float64, force, dt float64) {
	if dt == 0 {
		return
	}
	u, v, f := *value, *rate*dt, force*dt*dt
	*value = m.At(0, 0)*u + m.At(0, 1)*v + m.At(0, 2)*f
	*rate = (m.At(1, 0)*u + m.At(1, 1)*v + m.At(1, 2)*f) / dt
}

// MeasureConserved sets Measured, Size and the effective rates to what they are at x.
func MeasureConserved[T train.Float](c *Conservation, x []T) {
	for i := range c.Of {
		q := &c.Of[i]
		q.Measured, q.Size = quantity(&q.Symmetry, x, x)
		if q.Kind == Scale && c.begun {
			q.Rate, q.RateLaw = c.effective(q.Measured), c.effective(math.Sqrt(c.more[i].Fourth))
		}
	}
}

// conservationState is a Conservation in JSON, without the symmetries.
type conservationState struct {
	Momentum []byte `json:"momentum,omitempty"` // float64s, least significant byte first
	Begun    bool   `json:"begun"`
	Time     float64
	Values   [][4]float64 // Start, Flow, Modified, Discrete
	Hidden   []hidden
}

func (c *Conservation) state() (json.RawMessage, error) {
	s := conservationState{Begun: c.begun, Time: c.time, Hidden: c.more}
	if c.buffered {
		for _, v := range c.momentum {
			s.Momentum = binary.LittleEndian.AppendUint64(s.Momentum, math.Float64bits(v))
		}
	}
	for _, q := range c.Of {
		s.Values = append(s.Values, [4]float64{q.Start, q.Flow, q.Modified, q.Discrete})
	}
	return json.Marshal(s)
}

func (c *Conservation) restore(state json.RawMessage) error {
	var s conservationState
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("landscape: state of the conserved quantities: %w", err)
	}
	want := 0
	if c.buffered {
		want = 8 * len(c.momentum)
	}
	if len(s.Values) != len(c.Of) || len(s.Hidden) != len(c.Of) || len(s.Momentum) != want {
		return fmt.Errorf("landscape: state of %d conserved quantities with %d bytes of momentum; there are %d with %d", len(s.Values), len(s.Momentum), len(c.Of), want)
	}
	for i := 0; i < want; i += 8 {
		c.momentum[i/8] = math.Float64frombits(binary.LittleEndian.Uint64(s.Momentum[i:]))
	}
	for i, v := range s.Values {
		q := &c.Of[i]
		q.Start, q.Flow, q.Modified, q.Discrete = v[0], v[1], v[2], v[3]
	}
	c.begun, c.time, c.more = s.Begun, s.Time, s.Hidden
	return nil
}
