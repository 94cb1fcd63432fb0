package landscape

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/train"
)

// SharpnessOptions say how Sharpness measures. Zero values mean the defaults.
type SharpnessOptions struct {
	Radius   float64 // ρ of the ball; default 0.05 |θ|/√n, times √n where not adaptive: see Sharpness
	Starts   int     // of the ascent; default 3
	Steps    int     // of each; default 20
	Samples  int     // of the average; default 30
	Adaptive bool    // lengths by each parameter's size
	Seed     uint64
	Progress func(what string)
}

// SharpnessResult is how the loss rises around a point.
type SharpnessResult struct {
	Radius  float64
	Loss    float64   // at the point
	Worst   float64   // highest rise found in the ball
	Starts  []float64 // what each start found
	Average Estimate  // mean rise over random directions of that length
}

// Sharpness measures how far the loss rises in a ball around the point: at worst,
// by projected gradient ascent from several random starts, and on average over the
// sphere. The ball is |δ| <= ρ, or with Adaptive |δ/|θ|| <= ρ, element by element
// (Kwon et al. 2021), which a rescaling of the parameters does not change. The
// worst case of an ascent is a lower bound; the spread of the starts says how sure
// it is.
//
// Without Radius, ρ is 5 % of the parameters' length, adaptive 5 % of √n: each
// parameter then moves by 5 % of its size.
func Sharpness[T train.Float](ctx context.Context, p *Model[T], o SharpnessOptions) (*SharpnessResult, error) {
	o.Starts, o.Steps, o.Samples = cmp.Or(o.Starts, 3), cmp.Or(o.Steps, 20), cmp.Or(o.Samples, 30)
	n := len(p.Params)
	x, t := make([]float64, n), make([]float64, n)
	for i, v := range p.Params {
		x[i], t[i] = float64(v), 1
		if o.Adaptive {
			t[i] = math.Abs(float64(v))
		}
	}
	if o.Radius == 0 {
		o.Radius = 0.05 * norm(x)
		if o.Adaptive {
			o.Radius = 0.05 * math.Sqrt(float64(n))
		}
	}
	if !(o.Radius > 0) || o.Starts < 1 || o.Steps < 1 || o.Samples < 2 {
		return nil, fmt.Errorf("landscape: sharpness with radius %v, %d starts, %d steps, %d samples; allowed are numbers above 0, and 1, 1 and 2 and more", o.Radius, o.Starts, o.Steps, o.Samples)
	}
	b := &ball[T]{p: p, x: x, t: t, radius: o.Radius, at: make([]T, n), g: make([]T, n)}
	loss, err := p.Sample.Loss(p.Params)
	if err != nil {
		return nil, err
	}
	r := &SharpnessResult{Radius: o.Radius, Loss: loss}
	u := make([]float64, n)
	for k := range o.Starts {
		normals(u, source(o.Seed, uint64(k)))
		b.project(u)
		best := 0.0
		for step := range o.Steps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if o.Progress != nil {
				o.Progress(fmt.Sprintf("start %d of %d, step %d of %d", k+1, o.Starts, step+1, o.Steps))
			}
			here, err := b.ascend(u, 2*o.Radius/math.Sqrt(float64(step+1)))
			if err != nil {
				return nil, err
			}
			best = max(best, here-loss)
		}
		last, err := b.loss(u)
		if err != nil {
			return nil, err
		}
		best = max(best, last-loss)
		r.Starts = append(r.Starts, best)
		r.Worst = max(r.Worst, best)
	}
	var rises []float64
	for k := range o.Samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		normals(u, source(o.Seed, 1<<32+uint64(k)))
		scale(o.Radius/norm(u), u)
		v, err := b.loss(u)
		if err != nil {
			return nil, err
		}
		rises = append(rises, v-loss)
	}
	r.Average = meanOf(rises)
	return r, nil
}

// ball is the points x + t∘u with |u| <= radius.
type ball[T train.Float] struct {
	p      *Model[T]
	x, t   []float64
	radius float64
	at, g  []T
}

// project brings u into the ball.
func (b *ball[T]) project(u []float64) {
	if length := norm(u); length > b.radius {
		scale(b.radius/length, u)
	}
}

func (b *ball[T]) move(u []float64) {
	for i := range u {
		b.at[i] = T(b.x[i] + b.t[i]*u[i])
	}
}

func (b *ball[T]) loss(u []float64) (float64, error) {
	b.move(u)
	return b.p.Sample.Loss(b.at)
}

// ascend takes a step of that length along the gradient in u, back into the ball,
// and gives the loss before it.
func (b *ball[T]) ascend(u []float64, length float64) (float64, error) {
	b.move(u)
	loss, err := b.p.Sample.Grad(b.g, b.at)
	if err != nil {
		return 0, err
	}
	d := make([]float64, len(u))
	for i := range d {
		d[i] = b.t[i] * float64(b.g[i])
	}
	if size := norm(d); size > 0 && !math.IsInf(size, 0) {
		axpy(u, length/size, d)
		b.project(u)
	}
	return loss, nil
}

// FisherRao is the squared Fisher-Rao norm θ'Fθ of the parameters (Liang et al.
// 2019), with the Gauss-Newton matrix for F, which the Fisher matrix is for losses
// that are the negative log-likelihood of their outputs. Rescalings do not change it.
func FisherRao[T train.Float](ctx context.Context, p *Model[T]) (float64, error) {
	x, y := make([]float64, len(p.Params)), make([]float64, len(p.Params))
	for i, v := range p.Params {
		x[i] = float64(v)
	}
	c := &counted{Matrix: p.GaussNewton()}
	if err := c.Mul(ctx, [][]float64{y}, [][]float64{x}); err != nil {
		return 0, err
	}
	return dot(x, y), nil
}
