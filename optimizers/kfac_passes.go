package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// kfacPasses are the passes over the parameters that a step of K-FAC makes, each block of which stays in cache meanwhile:
// one after another they would take as long as a tenth of the step.
type kfacPasses[T Float] struct {
	measures measures
	sums     []measures // of the blocks

	x, d, p, g, average []T
	a, b                T
	size                int

	measureBlock, combineBlock, takeBlock func(worker, i int) // made once
}

// measures are products of the solution d, the last step p and the gradient g.
type measures struct{ dd, dg, dp, pg, pp float64 }

func (k *kfacPasses[T]) init(size int) {
	k.size = size
	k.sums = make([]measures, (size+blockSize-1)/blockSize)
	k.measureBlock, k.combineBlock, k.takeBlock = k.measureOne, k.combineOne, k.takeOne
}

// measure fills in the measures.
func (k *kfacPasses[T]) measure(d, g, p []T) {
	k.d, k.g, k.p = d, g, p
	inBlocks(k.size, k.measureBlock)
	k.forget()
	k.measures = measures{}
	for _, s := range k.sums {
		m := &k.measures
		m.dd, m.dg, m.dp, m.pg, m.pp = m.dd+s.dd, m.dg+s.dg, m.dp+s.dp, m.pg+s.pg, m.pp+s.pp
	}
}

func (k *kfacPasses[T]) measureOne(_, i int) {
	d, g, p := block(k.d, i), block(k.g, i), block(k.p, i)
	k.sums[i] = measures{kernel.Dot64(d, d), kernel.Dot64(d, g), kernel.Dot64(d, p), kernel.Dot64(p, g), kernel.Dot64(p, p)}
}

// combine sets d to a d + b p.
func (k *kfacPasses[T]) combine(d, p []T, a, b T) {
	k.d, k.p, k.a, k.b = d, p, a, b
	inBlocks(k.size, k.combineBlock)
	k.forget()
}

func (k *kfacPasses[T]) combineOne(_, i int) {
	d := block(k.d, i)
	kernel.Axpby(d, k.a, d, k.b, block(k.p, i))
}

// take adds the step d to x, moves the average, if there is one, by the share a of its way to x, and gives d'd.
func (k *kfacPasses[T]) take(x, d, average []T, a T) float64 {
	k.x, k.d, k.average, k.a = x, d, average, a
	inBlocks(k.size, k.takeBlock)
	k.forget()
	sum := 0.0
	for _, s := range k.sums {
		sum += s.dd
	}
	return sum
}

func (k *kfacPasses[T]) takeOne(_, i int) {
	x, d := block(k.x, i), block(k.d, i)
	kernel.Axpy(x, 1, d)
	if k.average != nil {
		kernel.Lerp(block(k.average, i), k.a, x)
	}
	k.sums[i].dd = kernel.Dot64(d, d)
}

// forget lets go of what a pass was over.
func (k *kfacPasses[T]) forget() { k.x, k.d, k.p, k.g, k.average = nil, nil, nil, nil, nil }
