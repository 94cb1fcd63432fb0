package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// probes fills vectors with random numbers that depend on a seed, a step, the number of the draw and their place alone,
// so that a run can be resumed anywhere and has the same bits on any number of cores.
type probes[T Float] struct {
	seed uint64

	// Of the vector that is being filled.
	dst    []T
	key    [3]uint32
	draw   uint32
	normal bool
	pass   func(worker, i int) // block, made once
}

func newProbes[T Float](seed int) *probes[T] {
	p := &probes[T]{seed: uint64(seed)}
	p.pass = p.block
	return p
}

// signs fills dst with -1 and 1, each with probability 1/2 (Rademacher's distribution).
func (p *probes[T]) signs(dst []T, step, draw int) { p.fill(dst, step, draw, false) }

// normals fills dst with numbers of the standard normal distribution.
func (p *probes[T]) normals(dst []T, step, draw int) { p.fill(dst, step, draw, true) }

// uniforms fills dst with numbers on [0, 1) that signs and normals do not use.
func (p *probes[T]) uniforms(dst []float64, step int) {
	const stream = 2
	kernel.Uniform(dst, kernel.Mix(p.seed, uint64(step)), stream, 0, 0)
}

func (p *probes[T]) fill(dst []T, step, draw int, normal bool) {
	p.dst, p.key, p.draw, p.normal = dst, kernel.Mix(p.seed, uint64(step)), uint32(draw), normal
	inBlocks(len(dst), p.pass)
	p.dst = nil
}

func (p *probes[T]) block(_, i int) {
	dst := block(p.dst, i)
	const stream, partners = 0, 1
	kernel.Uniform(dst, p.key, stream, p.draw, i*blockSize)
	if !p.normal {
		for k, u := range dst {
			if u < 0.5 {
				dst[k] = -1
			} else {
				dst[k] = 1
			}
		}
		return
	}
	// Box and Muller (1958); 1-u is never 0. Each pair of uniform numbers gives two.
	var angles [blockSize / 2]T
	turn := angles[:(len(dst)+1)/2]
	kernel.Uniform(turn, p.key, partners, p.draw, i*(blockSize/2))
	for k, a := range turn {
		r := math.Sqrt(-2 * math.Log1p(-float64(dst[2*k])))
		sin, cos := math.Sincos(2 * math.Pi * float64(a))
		dst[2*k] = T(r * cos)
		if 2*k+1 < len(dst) {
			dst[2*k+1] = T(r * sin)
		}
	}
}
