package optimizers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// squashed is regression through tanh on inputs of many scales, so that the loss is not quadratic and conjugate
// gradients have work to do. What it draws depends on the step and the number of the draw alone.
type squashed struct {
	rows  [][]float64 // inputs and, last, the target
	step  uint64
	draws uint64
	batch int // examples of a minibatch
}

const squashedInputs = 30

func newSquashed() *squashed {
	r := rand.New(rand.NewPCG(21, 1))
	p := &squashed{batch: 120}
	for range 400 {
		row := make([]float64, squashedInputs+1)
		score := 0.0
		for i := range squashedInputs {
			row[i] = r.NormFloat64() * math.Pow(1.17, float64(-i))
			score += row[i] * math.Cos(float64(i)) * 2
		}
		row[squashedInputs] = math.Tanh(score) + 0.3*r.NormFloat64()
		p.rows = append(p.rows, row)
	}
	return p
}

func (p *squashed) at(step int) { p.step, p.draws = uint64(step), 0 }

func (p *squashed) pick(n int, draw uint64) *squashedSample {
	s := &squashedSample{}
	for _, i := range rand.New(rand.NewPCG(p.step, draw)).Perm(len(p.rows))[:n] {
		s.rows = append(s.rows, p.rows[i])
	}
	return s
}

func (p *squashed) Batch() optimizers.Sample[float64] { return p.pick(p.batch, 0) }
func (p *squashed) Full() optimizers.Sample[float64]  { return &squashedSample{rows: p.rows} }
func (p *squashed) Has() optimizers.Oracle            { return ^optimizers.Oracle(0) }
func (p *squashed) Draw(n int) (optimizers.Sample[float64], error) {
	p.draws++
	return p.pick(n, p.draws), nil
}

// squashedSample is some of the examples.
type squashedSample struct {
	rows [][]float64
	x    []float64
}

func (s *squashedSample) Len() int { return len(s.rows) }

// each calls f with every example, the tanh of its score at x and the residual.
func (s *squashedSample) each(x []float64, f func(row []float64, out, residual float64)) {
	for _, row := range s.rows {
		score := 0.0
		for i, v := range x {
			score += v * row[i]
		}
		out := math.Tanh(score)
		f(row, out, out-row[squashedInputs])
	}
}

func (s *squashedSample) Loss(x []float64) (float64, error) {
	f := 0.0
	s.each(x, func(_ []float64, _, r float64) { f += r * r / 2 / float64(len(s.rows)) })
	return f, nil
}

func (s *squashedSample) Grad(dst, x []float64) (float64, error) {
	clear(dst)
	s.each(x, func(row []float64, out, r float64) { add(dst, row, r*(1-out*out)/float64(len(s.rows))) })
	return s.Loss(x)
}

func (s *squashedSample) SquaredGrads(dst, x []float64) error {
	clear(dst)
	s.each(x, func(row []float64, out, r float64) {
		for i := range dst {
			dst[i] += math.Pow(r*(1-out*out)*row[i], 2) / float64(len(s.rows))
		}
	})
	return nil
}

func (s *squashedSample) Linearize(x []float64) error { s.x = slices.Clone(x); return nil }

func (s *squashedSample) GaussNewtonMul(dst, v []float64) error { return s.multiply(dst, v, 0) }
func (s *squashedSample) HessianMul(dst, v []float64) error     { return s.multiply(dst, v, 1) }

// multiply has the residual's second derivative times bend.
func (s *squashedSample) multiply(dst, v []float64, bend float64) error {
	clear(dst)
	s.each(s.x, func(row []float64, out, r float64) {
		slope, z := 1-out*out, 0.0
		for i, a := range v {
			z += a * row[i]
		}
		add(dst, row, (slope*slope-bend*2*r*out*slope)*z/float64(len(s.rows)))
	})
	return nil
}

// StructuralMul has the scores for hidden states.
func (s *squashedSample) StructuralMul(dst, v []float64) error {
	clear(dst)
	s.each(s.x, func(row []float64, _, _ float64) { add(dst, row, inner(row[:len(v)], v)/float64(len(s.rows))) })
	return nil
}

func add(dst, row []float64, c float64) {
	for i := range dst {
		dst[i] += c * row[i]
	}
}

// martens is the Hessian-free method written down plainly, for TestHFIsMartensMethod: with vectors made anew for
// everything, the curvature as a matrix, and the rules in the order of HF's documentation.
type martens struct {
	optimizers.HF
	damping  float64
	solution []float64
	seen     map[string]int
	steps    int
}

// sizes are those of the minibatch with what is drawn beside it, and of the curvature sample.
func (m *martens) sizes(p *squashed) (batch, curvature int) {
	batch, curvature = p.batch, int(m.Curvature)
	if m.Curvature < 1 {
		curvature = int(m.Curvature * float64(len(p.rows)))
	}
	for k := 1.0; m.Growth > 1 && k <= 2*float64(m.steps)*math.Log2(m.Growth); k++ { // by √2 at a time
		batch = min(len(p.rows), int(math.Ceil(float64(p.batch)*math.Pow(math.Sqrt2, k)-1e-6)))
		curvature = min(len(p.rows), int(math.Ceil(m.Curvature*math.Pow(math.Sqrt2, k)-1e-6)))
	}
	return batch, curvature
}

func (m *martens) step(x []float64, p *squashed) {
	n, decay := len(x), m.WeightDecay
	size, curvature := m.sizes(p)
	batch, draws := p.pick(p.batch, 0), uint64(1)
	all := &squashedSample{rows: p.rows}
	switch {
	case size == len(p.rows):
		batch = all
		m.seen["all examples"]++
	case size > p.batch:
		batch.rows = append(batch.rows, p.pick(size-p.batch, draws).rows...)
		draws++
		m.seen["a larger minibatch"]++
	}
	sample := all
	if size < len(p.rows) || curvature < len(p.rows) {
		sample = p.pick(min(curvature, len(p.rows)-1), draws)
		draws++
	}
	m.steps++
	objective := optimizers.Objective[float64](batch)
	switch m.Objective {
	case "sample":
		if size < len(p.rows) {
			objective = p.pick(size, draws)
		}
	case "full":
		objective = &squashedSample{rows: p.rows}
	}
	value := func(f optimizers.Objective[float64], at []float64) float64 {
		loss, _ := f.Loss(at)
		return loss + decay/2*inner(at, at)
	}
	slope := func(s *squashedSample) []float64 {
		g := make([]float64, n)
		_, _ = s.Grad(g, x)
		return plus(g, decay, x)
	}

	// The matrix B + (λ + decay)I, and the preconditioner's diagonal.
	_ = sample.Linearize(x)
	a := make([][]float64, n)
	for i := range a {
		unit := make([]float64, n)
		unit[i], a[i] = 1, make([]float64, n)
		if m.Hessian {
			_ = sample.HessianMul(a[i], unit)
		} else {
			_ = sample.GaussNewtonMul(a[i], unit)
		}
		a[i][i] += m.damping + decay
		states := make([]float64, n)
		_ = sample.StructuralMul(states, unit)
		a[i] = plus(a[i], m.damping*m.Structural, states)
	}
	mul := func(v []float64) []float64 {
		out := make([]float64, n)
		for i, row := range a {
			out[i] = inner(row, v)
		}
		return out
	}
	diagonal := make([]float64, n)
	_ = sample.SquaredGrads(diagonal, x)
	for i, v := range diagonal {
		diagonal[i] = 1
		if m.HF.Precondition == "squares" {
			diagonal[i] = math.Pow(v+m.damping+decay, 0.75)
		}
	}

	// Conjugate gradients on g's + s'As/2, from the last solution decayed.
	g := slope(batch)
	start := plus(make([]float64, n), m.WarmStart, m.solution)
	steps := m.cg(mul, diagonal, g, start)
	last := steps[len(steps)-1]

	// Backwards through the iterates while the objective falls.
	best, at := len(steps)-1, value(objective, plus(x, 1, last.s))
	for k := best - 1; k >= 0; k-- {
		f := value(objective, plus(x, 1, steps[k].s))
		if f >= at {
			break
		}
		best, at = k, f
	}
	if best < len(steps)-1 {
		m.seen["an earlier iterate"]++
	}
	s := steps[best].s

	// ρ, with the model's gradient and curvature those of the sample and without λ.
	states := make([]float64, n)
	_ = sample.StructuralMul(states, s)
	model := inner(slope(sample), s) + (inner(s, mul(s))-m.damping*inner(s, s)-m.damping*m.Structural*inner(s, states))/2
	rho := (value(sample, plus(x, 1, s)) - value(sample, x)) / model
	was := m.damping
	switch {
	case model >= 0 || rho < 0.25:
		m.damping *= 1.5
	case rho > 0.75:
		m.damping *= 2.0 / 3
	}

	// Armijo.
	from := value(objective, x)
	rate := 1.0
	for range 60 {
		if value(objective, plus(x, rate, s)) <= from+0.01*rate*inner(g, s) {
			break
		}
		rate *= 0.8
	}
	if inner(g, s) >= 0 || rate < 1e-5 {
		m.seen["rejected"]++
		m.damping, m.solution = was*1.5, make([]float64, n)
		return
	}
	if rate < 1 {
		m.seen["a shorter step"]++
	}
	m.solution = last.s
	copy(x, plus(x, rate, s))
}

type iterate struct {
	s     []float64
	value float64
}

// cg gives the iterates 5, ceil(5·1.3), ..., and the last.
func (m *martens) cg(mul func([]float64) []float64, diagonal, g, start []float64) []iterate {
	var kept []iterate
	s := start
	left := plus(mul(s), 1, g) // the gradient of the model
	var direction []float64
	var values []float64
	before, mark := 0.0, 5.0
	for i := 1; i <= m.CGIters; i++ {
		z := make([]float64, len(s))
		for k := range z {
			z[k] = left[k] / diagonal[k]
		}
		zr := inner(z, left)
		if direction == nil {
			direction = plus(make([]float64, len(s)), -1, z)
		} else {
			direction = plus(plus(make([]float64, len(s)), -1, z), zr/before, direction)
		}
		before = zr
		ap := mul(direction)
		bend := inner(direction, ap)
		if bend <= 0 {
			m.seen["negative curvature"]++
			if i > 1 {
				break
			}
			if inner(start, start) > 0 {
				return m.cg(mul, diagonal, g, make([]float64, len(s)))
			}
			pp, down := inner(direction, direction), inner(g, direction)
			alpha := -down / max(-bend, m.damping*pp)
			return []iterate{{plus(make([]float64, len(s)), alpha, direction), 0}}
		}
		alpha := zr / bend
		s, left = plus(s, alpha, direction), plus(left, alpha, ap)
		values = append(values, (inner(g, s)+inner(left, s))/2)
		val := values[i-1]
		gap := max(int(math.Ceil(0.1*float64(i))), 10)
		done := i == m.CGIters || i > gap && val < 0 && (val-values[i-1-gap])/val < m.CGProgress*float64(gap)
		if done && i < m.CGIters {
			m.seen["little progress"]++
		}
		if i == int(math.Ceil(mark)) {
			mark *= 1.3
			if !done {
				kept = append(kept, iterate{s, val})
			}
		}
		if done {
			break
		}
	}
	return append(kept, iterate{s: s})
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// plus is a + c·b.
func plus(a []float64, c float64, b []float64) []float64 {
	out := slices.Clone(a)
	for i, v := range b {
		out[i] += c * v
	}
	return out
}

// TestHFIsMartensMethod follows the plain one, from where it is before each step. Errors are relative to the length of
// the step: after a dozen iterations conjugate gradients have made 1e-5 of rounding, where a wrong constant in any of
// the rules makes a hundredth or more.
func TestHFIsMartensMethod(t *testing.T) {
	seen := map[string]int{}
	base := optimizers.HF{Damping: 0.1, Curvature: 60, CGIters: 25, CGProgress: 5e-4, WarmStart: 0.95, Average: optimizers.Zero, Objective: "sample"}
	for name, change := range map[string]func(h *optimizers.HF){
		"as it is":                 func(*optimizers.HF) {},
		"on the minibatch":         func(h *optimizers.HF) { h.Objective = "batch" },
		"on everything":            func(h *optimizers.HF) { h.Objective, h.Damping = "full", 3 },
		"preconditioned":           func(h *optimizers.HF) { h.Precondition = "squares" },
		"weight decay":             func(h *optimizers.HF) { h.WeightDecay, h.Precondition = 0.03, "squares" },
		"the Hessian":              func(h *optimizers.HF) { h.Hessian, h.Damping = true, 0.05 },
		"the Hessian, undamped":    func(h *optimizers.HF) { h.Hessian, h.Damping, h.Precondition = true, 1e-6, "squares" },
		"little damping":           func(h *optimizers.HF) { h.Damping, h.CGIters, h.Objective = 4e-3, 12, "full" },
		"without warm start":       func(h *optimizers.HF) { h.WarmStart = 0 },
		"it wants much progress":   func(h *optimizers.HF) { h.CGProgress = 5e-3 },
		"few iterations, much L2":  func(h *optimizers.HF) { h.CGIters, h.WeightDecay = 6, 1 },
		"structural damping":       func(h *optimizers.HF) { h.Structural, h.Damping = 0.5, 1 },
		"structural, the Hessian":  func(h *optimizers.HF) { h.Structural, h.Hessian, h.WeightDecay = 3, true, 0.01 },
		"growing":                  func(h *optimizers.HF) { h.Growth, h.Curvature, h.CGIters = 1.2, 40, 12 },
		"growing fast":             func(h *optimizers.HF) { h.Growth, h.Objective, h.Curvature = 3, "batch", 150 },
		"a share":                  func(h *optimizers.HF) { h.Curvature = 0.25 },
		"all of the last solution": func(h *optimizers.HF) { h.WarmStart, h.Objective = 1, "batch" },
	} {
		t.Run(name, func(t *testing.T) {
			h := base
			change(&h)
			plain := &martens{HF: h, damping: h.Damping, solution: make([]float64, squashedInputs), seen: map[string]int{}}
			if h.WarmStart == 0 {
				h.WarmStart = optimizers.Zero
			}
			p := newSquashed()
			o := hfOn(t, h, squashedInputs)
			x := make([]float64, squashedInputs)
			for i := range x {
				x[i] = math.Sin(float64(7 * i))
			}
			y := slices.Clone(x)
			for k := range 12 {
				p.at(k)
				copy(x, y)
				before := slices.Clone(y)
				state := optimizers.State[float64]{Method: "hf", Step: k, Scalars: optimizers.Scalars{"damping": plain.damping},
					Vectors: map[string][]float64{"cg_solution": plain.solution}}
				if err := o.Restore(state); err != nil {
					t.Fatal(err)
				}
				plain.step(y, p)
				r := step(t, o, x, optimizers.Problem[float64](p))
				moved, off := plus(y, -1, before), plus(y, -1, x)
				after := o.State()
				if e, size := math.Sqrt(inner(off, off)), math.Sqrt(inner(moved, moved)); !(e <= 1e-4*size) {
					t.Fatalf("step %d: apart by %.3g of a step of %.3g (%+v)", k, e, size, r)
				}
				off = plus(plain.solution, -1, after.Vectors["cg_solution"])
				if e, size := math.Sqrt(inner(off, off)), math.Sqrt(inner(plain.solution, plain.solution)); !(e <= 1e-4*size) {
					t.Fatalf("step %d: the last solution is apart by %.3g of %.3g (%+v)", k, e, size, r)
				}
				if d := after.Scalars["damping"]; math.Abs(d-plain.damping) > 1e-12*d {
					t.Fatalf("step %d: damping %v, want %v (%+v)", k, d, plain.damping, r)
				}
			}
			for what, n := range plain.seen {
				seen[what] += n
			}
		})
	}
	for _, what := range []string{"an earlier iterate", "rejected", "a shorter step", "negative curvature", "little progress", "a larger minibatch", "all examples"} {
		if seen[what] == 0 {
			t.Errorf("no run came to %s: %v", what, seen)
		}
	}
	t.Log(fmt.Sprint(seen))
}
