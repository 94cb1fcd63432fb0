package optimizers

import "math"

// free is what the schedule-free methods share (Defazio et al. 2024). Training stands at y, where gradients are taken,
// between the iterates z and their weighted mean x, the weights to use:
//
//	y = (1-β)·z + β·x          x = (1-c)·x + c·z,  c = w_t/(w_1 + ... + w_t),  w_t = t^R·(largest rate so far)^WeightLRPower
//
// Only y and z are kept; x follows from them.
type free[T Float] struct {
	elementwise[T]
	rate
	z             []T
	sum, largest  float64 // of the weights, and the largest rate so far
	beta          float64
	warmup        int
	power, height float64 // R and WeightLRPower
}

// begin starts it, after init.
func (o *free[T]) begin(lr, beta float64, warmup int, r, weightLRPower float64) {
	o.rated(&o.rate, lr)
	o.beta, o.warmup, o.power, o.height = beta, warmup, r, weightLRPower
	o.z = o.keep("z")
	o.remember("weight_sum", &o.sum)
	o.remember("lr_max", &o.largest)
}

// next gives the rate of step t, with warm-up, and the share c of its iterate.
func (o *free[T]) next(t int, x []T) (rate, share float64) {
	if t == 1 {
		copy(o.z, x)
	}
	rate = o.Rate()
	if t <= o.warmup {
		rate *= float64(t) / float64(o.warmup)
	}
	o.used = rate
	o.largest = max(o.largest, rate)
	weight := math.Pow(float64(t), o.power) * math.Pow(o.largest, o.height)
	o.sum += weight
	if o.sum == 0 {
		return rate, 0
	}
	return rate, weight / o.sum
}

// EvalWeights is the mean of the iterates; before the first step x.
func (o *free[T]) EvalWeights(dst, x []T) {
	copy(dst, x)
	if o.steps > 0 {
		lerp(dst, T(1-1/o.beta), o.z)
	}
}

// Restate says that statistics of batch normalisation are to be taken again at these weights.
func (o *free[T]) Restate() bool { return o.steps > 0 }
