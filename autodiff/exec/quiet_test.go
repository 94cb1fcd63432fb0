package exec

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// products is a program of one instruction, n products of 512 x 4096 x 512.
func products(t *testing.T, n int, pool *parallel.Pool) *Program[float32] {
	t.Helper()
	b := newBuilder()
	x, y := b.input(512, 4096), b.input(4096, 512)
	z := b.Gemm(b.Broadcast(x, []int{n, 512, 4096}), b.Broadcast(y, []int{n, 4096, 512}))
	p, err := assemble[float32](b.returns(z), Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, p, func(int) float64 { return 1 })
	return p
}

// TestCollectionDoesNotWaitForInstructions: garbage is collected, which stops all
// goroutines for a moment, again and again within one long instruction.
func TestCollectionDoesNotWaitForInstructions(t *testing.T) {
	n := 64
	if level, _ := kernel.CPU(); level == kernel.Generic {
		n = 1
	}
	p := products(t, n, parallel.New(2))
	var turn atomic.Int64 // odd while the program runs
	end := make(chan error)
	stop := make(chan struct{})
	go func() {
		defer close(end)
		for {
			select {
			case <-stop:
				return
			default:
			}
			turn.Add(1)
			err := p.Run()
			turn.Add(1)
			if err != nil {
				end <- err
				return
			}
		}
	}()
	const want, runs = 5, 20
	within := 0
	for within < want && turn.Load() < 2*runs {
		before := turn.Load()
		runtime.GC()
		if before%2 == 1 && turn.Load() == before {
			within++
		}
	}
	close(stop)
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if within < want {
		t.Errorf("%d collections began and ended within one instruction, in %d runs; want %d", within, runs, want)
	}
}
