package parallel

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestEveryPieceRunsOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 16} {
		p := New(workers)
		for _, n := range []int{0, 1, 2, 7, 100, 1000} {
			for range 20 {
				count := make([]int32, n)
				p.Run(n, func(w, i int) {
					if w < 0 || w >= p.Workers() {
						t.Errorf("worker %d of %d", w, p.Workers())
					}
					atomic.AddInt32(&count[i], 1)
				})
				for i, c := range count {
					if c != 1 {
						t.Fatalf("%d workers, %d pieces: piece %d ran %d times", workers, n, i, c)
					}
				}
			}
		}
	}
}

func TestOneWorkerNumberNeverOverlaps(t *testing.T) {
	p := New(4)
	var inside [4]atomic.Int32
	for range 50 {
		p.Run(64, func(w, i int) {
			if inside[w].Add(1) != 1 {
				t.Error("two calls with one worker number at once")
			}
			time.Sleep(time.Microsecond)
			inside[w].Add(-1)
		})
	}
}

func TestPoolServesManyCallersAtOnce(t *testing.T) {
	p := New(3)
	var wg sync.WaitGroup
	var total atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 200 {
				p.Run(10, func(_, i int) { total.Add(int64(i)) })
			}
		})
	}
	wg.Wait()
	if total.Load() != 8*200*45 {
		t.Fatalf("sum is %d", total.Load())
	}
}

func TestSleepingHelpersWake(t *testing.T) {
	p := New(2)
	for range 5 {
		p.Run(8, func(_, i int) {})
		for deadline := time.Now().Add(5 * time.Second); p.asleep.Load() == 0; {
			if time.Now().After(deadline) {
				t.Fatal("the helper of an idle pool does not go to sleep")
			}
			time.Sleep(time.Millisecond)
		}
		var both sync.WaitGroup
		both.Add(2) // each piece waits for the other: needs two workers
		p.Run(2, func(_, i int) { both.Done(); both.Wait() })
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := New(2)
	var sum atomic.Int64
	f := func(_, i int) { sum.Add(int64(i)) }
	p.Run(4, f)
	if n := testing.AllocsPerRun(100, func() { p.Run(4, f) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkForkJoin(b *testing.B) {
	p := New(2)
	f := func(_, i int) {}
	for b.Loop() {
		p.Run(2, f)
	}
}

// TestInnerPoolsAreHelped: every piece of work is done once, by the caller or by who
// helps, whose help ends when it is told to.
func TestInnerPoolsAreHelped(t *testing.T) {
	p := NewInner(2)
	const n = 100
	var calls [n]atomic.Int32
	var by [2]atomic.Int32
	f := func(worker, i int) {
		calls[i].Add(1)
		by[worker].Add(1)
	}
	p.Run(n, f)
	if by[0].Load() != n || by[1].Load() != 0 {
		t.Errorf("without help the caller does %d pieces of %d, and someone else %d", by[0].Load(), n, by[1].Load())
	}
	var done atomic.Bool
	var left sync.WaitGroup
	left.Add(1)
	go func() {
		defer left.Done()
		p.Help(1, done.Load)
	}()
	runs := int32(1)
	for by[1].Load() == 0 {
		p.Run(n, f)
		runs++
	}
	for range 1000 {
		p.Run(n, f)
		runs++
	}
	done.Store(true)
	left.Wait()
	for i := range calls {
		if k := calls[i].Load(); k != runs {
			t.Fatalf("piece %d was done %d times in %d runs", i, k, runs)
		}
	}
}
