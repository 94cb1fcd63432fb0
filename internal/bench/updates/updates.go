package main

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/pages"
	"github.com/saddle-ml/saddle/internal/parallel"
	"github.com/saddle-ml/saddle/optimizers"
)

// methods are those that treat every parameter alike, and how many vectors as long as the parameters a step has at least
// to read or write: x twice, the gradient once, and what the method keeps twice. Of Adafactor's matrices nothing is kept.
var methods = []struct {
	spec    string
	streams int
}{
	{"sgd", 3}, {"sgd:momentum=0.9", 5}, {"aggmo", 9}, {"asgd", 5}, {"rprop", 7}, {"adagrad", 5}, {"rmsprop", 5},
	{"rmsprop:centered,momentum=0.9", 9}, {"adadelta", 7}, {"adam", 7}, {"adam:amsgrad", 9}, {"adamw", 7}, {"adamax", 7},
	{"nadam", 7}, {"radam", 7}, {"adabelief", 7}, {"adan", 11}, {"lion", 5}, {"prodigy", 10}, {"schedule_free_sgd", 5},
	{"schedule_free_adamw", 7}, {"adafactor", 3},
}

// transfers are what memory gives: a copy and the triad z = x + a y, counted as STREAM does, and y = y + a x, which writes
// where it has read and so moves no more than is counted.
var transfers = []struct {
	name    string
	streams int
	f       func(x, y, z []float32)
}{
	{"copy", 2, func(x, _, z []float32) { copy(z, x) }},
	{"triad", 3, func(x, y, z []float32) { kernel.Axpby(z, 1, x, 0.5, y) }},
	{"axpy", 3, func(x, y, _ []float32) { kernel.Axpy(y, 1e-9, x) }},
}

// work makes a function that takes one step of a method, or one transfer, on n float32, and says how many vectors that
// moves.
func work(name string, n int) (step func() error, streams int, err error) {
	for _, t := range transfers {
		if t.name == name {
			return transfer(n, t.f), t.streams, nil
		}
	}
	for _, m := range methods {
		if m.spec == name {
			step, err := stepOf(m.spec, n)
			return step, m.streams, err
		}
	}
	return nil, 0, fmt.Errorf("updates: %s is neither a transfer nor a method of the table", name)
}

// transfer runs f on all cores, in the blocks of optimizers.
func transfer(n int, f func(x, y, z []float32)) func() error {
	const block = 4 << 10
	x, y, z := wave(n, 3), wave(n, 5), wave(n, 7)
	piece := func(_, i int) {
		lo, hi := i*block, min(n, (i+1)*block)
		f(x[lo:hi], y[lo:hi], z[lo:hi])
	}
	return func() error {
		parallel.Shared().Run((n+block-1)/block, piece)
		return nil
	}
}

// stepOf takes steps of a method. The parameters are ten matrices, for those that ask.
func stepOf(spec string, n int) (func() error, error) {
	m, err := optimizers.Parse(spec)
	if err != nil {
		return nil, err
	}
	var l optimizers.Layout
	for i := range 10 {
		l = append(l, optimizers.Tensor{Name: fmt.Sprint(i), Shape: []int{n / 10 / columns, columns}, Offset: l.Size()})
	}
	o, err := optimizers.New[float32](m, l)
	if err != nil {
		return nil, err
	}
	x, p, ctx := wave(l.Size(), 5), &still{}, context.Background()
	return func() error {
		_, err := o.Step(ctx, x, p)
		return err
	}, nil
}

// columns is how many the matrices have; the number of parameters is a multiple of ten times that.
const columns = 1000

// wave is n numbers of both signs, none of them 0.
func wave(n, k int) []float32 {
	x := make([]float32, n)
	pages.Huge(x)
	for i := range x {
		x[i] = float32(math.Abs(float64(i*k%1009-504))+1) / 504 * float32(1-i%2*2)
	}
	return x
}

// still is a problem whose gradient costs nothing: it is written once, and its length taken, as a network's program takes
// it while it writes.
type still struct {
	written bool
	length  float64
	optimizers.Sample[float32]
}

func (p *still) Has() optimizers.Oracle                       { return optimizers.NeedGrad }
func (p *still) Batch() optimizers.Sample[float32]            { return p }
func (p *still) Full() optimizers.Sample[float32]             { return p }
func (p *still) Draw(int) (optimizers.Sample[float32], error) { return p, nil }
func (p *still) Len() int                                     { return 1 }
func (p *still) Loss([]float32) (float64, error)              { return 1, nil }
func (p *still) Grad(dst, _ []float32) (loss float64, err error) {
	if !p.written {
		p.written = true
		copy(dst, wave(len(dst), 3))
		p.length = math.Sqrt(kernel.Dot64(dst, dst))
	}
	return 1, nil
}
func (p *still) GradNorm() (float64, bool) { return p.length, true }
