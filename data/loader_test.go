package data

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// epoch runs one epoch and returns copies of its batches.
func epoch(t *testing.T, l *Loader[float64], e, skip int) (out []Batch[float64]) {
	t.Helper()
	for b, err := range l.Epoch(t.Context(), e, skip) {
		if err != nil {
			t.Fatal(err)
		}
		b.X, b.Y, b.Index = slices.Clone(b.X), slices.Clone(b.Y), slices.Clone(b.Index)
		out = append(out, b)
	}
	return out
}

func TestEpochCoversEveryExampleOnce(t *testing.T) {
	for n := 1; n < 40; n += 3 {
		for batch := 1; batch < 45; batch += 4 {
			for _, shuffle := range []bool{false, true} {
				for _, drop := range []bool{false, true} {
					l := &Loader[float64]{Data: counted[float64](n, 2), Batch: batch, Shuffle: shuffle, DropLast: drop, Seed: 7}
					if drop && n < batch {
						continue // an error, tested below
					}
					checkCover(t, l, epoch(t, l, 3, 0), n)
				}
			}
		}
	}
}

func checkCover(t *testing.T, l *Loader[float64], batches []Batch[float64], n int) {
	t.Helper()
	want := (n + l.Batch - 1) / l.Batch
	if l.DropLast {
		want = n / l.Batch
	}
	if len(batches) != want || l.Steps() != want {
		t.Fatalf("%d examples in batches of %d: %d batches, Steps %d, want %d", n, l.Batch, len(batches), l.Steps(), want)
	}
	var seen []int
	for step, b := range batches {
		size := min(l.Batch, n-step*l.Batch)
		if b.N != size || len(b.X) != 2*size || len(b.Y) != size || len(b.Index) != size || b.Epoch != 3 || b.Step != step {
			t.Fatalf("batch %d has the wrong size or place: %+v", step, b)
		}
		for i, k := range b.Index {
			if b.X[2*i] != float64(2*k) || b.X[2*i+1] != float64(2*k+1) || b.Y[i] != float64(k%3) {
				t.Fatalf("batch %d does not hold example %d where it says", step, k)
			}
		}
		seen = append(seen, b.Index...)
	}
	if !l.Shuffle && !slices.IsSorted(seen) {
		t.Fatalf("the order without shuffling is %v", seen)
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != min(n, want*l.Batch) {
		t.Fatalf("%d examples seen, want %d", len(seen), min(n, want*l.Batch))
	}
}

func TestEpochResumesWithTheSameBatches(t *testing.T) {
	l := &Loader[float64]{Data: counted[float64](53, 2), Batch: 8, Shuffle: true, Seed: 11}
	whole := epoch(t, l, 5, 0)
	for skip := range len(whole) + 1 {
		rest := epoch(t, &Loader[float64]{Data: counted[float64](53, 2), Batch: 8, Shuffle: true, Seed: 11}, 5, skip)
		if fmt.Sprint(rest) != fmt.Sprint(whole[skip:]) {
			t.Errorf("after %d batches the rest differs", skip)
		}
	}
}

func TestEpochOrderDependsOnSeedAndEpoch(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(5) {
		for e := range 5 {
			l := &Loader[float64]{Data: counted[float64](50, 1), Batch: 50, Shuffle: true, Seed: seed}
			seen[fmt.Sprint(epoch(t, l, e, 0)[0].Index)] = true
		}
	}
	if len(seen) != 25 {
		t.Errorf("25 pairs of seed and epoch gave %d orders", len(seen))
	}
}

func TestSkippedBatchesAreNotRead(t *testing.T) {
	var read []int
	d := must(Func(20, []int{1}, Target{}, func(i int, _, _ []float64) error { read = append(read, i); return nil }))
	l := &Loader[float64]{Data: d, Batch: 4}
	for range l.Epoch(t.Context(), 0, 3) {
	}
	if !slices.Equal(read, []int{12, 13, 14, 15, 16, 17, 18, 19}) {
		t.Errorf("read %v", read)
	}
}

func TestZeroBatchMeansTheDefault(t *testing.T) {
	l := &Loader[float64]{Data: counted[float64](100, 2)}
	if b := epoch(t, l, 0, 0); len(b) != 4 || b[0].N != DefaultBatch || b[3].N != 4 {
		t.Errorf("%d batches", len(b))
	}
}

func TestNextBatchIsReadWhileTheLoopWorks(t *testing.T) {
	reading := make(chan int, 10)
	d := must(Func(4, []int{1}, Target{}, func(i int, x, _ []float64) error {
		x[0] = float64(i)
		reading <- i
		return nil
	}))
	want := 0
	for b, err := range (&Loader[float64]{Data: d, Batch: 1}).Epoch(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		for ; want <= min(b.Step+1, 3); want++ {
			select {
			case i := <-reading:
				if i != want {
					t.Fatalf("example %d is read, want %d", i, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("example %d is not read while the loop works on %d", want, b.Step)
			}
		}
		// The one after next has no memory to go to before this iteration is over.
		runtime.Gosched()
		if len(reading) != 0 || b.X[0] != float64(b.Step) {
			t.Fatalf("batch %d was overwritten in use: %v, %d more read", b.Step, b.X, len(reading))
		}
	}
}

// settled waits until no more than n goroutines are left.
func settled(t *testing.T, n int) {
	t.Helper()
	for range 1000 {
		if runtime.NumGoroutine() <= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), n)
}

func TestReaderEndsWithTheLoop(t *testing.T) {
	before := runtime.NumGoroutine()
	fail := errors.New("disk on fire")
	d := must(Func(40, []int{1}, Target{}, func(i int, _, _ []float64) error {
		if i == 30 {
			return fail
		}
		return nil
	}))
	for stop := range 12 {
		for b, err := range (&Loader[float64]{Data: d, Batch: 4}).Epoch(t.Context(), 2, 0) {
			if b.Step == stop {
				break
			}
			if err != nil {
				wantError(t, err, "epoch 2, batch 7", "example 30", "disk on fire")
				if !errors.Is(err, fail) || b.N != 0 {
					t.Errorf("error %v with a batch of %d", err, b.N)
				}
			} else if b.Step > 6 {
				t.Errorf("batch %d came after the failure", b.Step)
			}
		}
	}
	settled(t, before)
}

func TestReaderEndsWithAPanickingLoop(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		defer func() { _ = recover() }()
		for range (&Loader[float64]{Data: counted[float64](40, 1), Batch: 4}).Epoch(t.Context(), 0, 0) {
			panic("the loop's own")
		}
	}()
	settled(t, before)
}

func TestCancelledContextEndsTheLoop(t *testing.T) {
	before := runtime.NumGoroutine()
	for stop := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		steps := 0
		for _, err := range (&Loader[float64]{Data: counted[float64](40, 1), Batch: 4}).Epoch(ctx, 0, 0) {
			if last = err; err != nil {
				continue
			}
			if steps++; steps == stop+1 {
				cancel()
			}
		}
		if last != context.Canceled || steps != stop+1 {
			t.Errorf("the loop ended after %d batches with %v", steps, last)
		}
		cancel()
	}
	settled(t, before)
}

func TestCancelledContextDoesNotWaitForTheData(t *testing.T) {
	release := make(chan bool)
	d := must(Func(4, []int{1}, Target{}, func(int, []float64, []float64) error { <-release; return nil }))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(10*time.Millisecond, cancel)
	for _, err := range (&Loader[float64]{Data: d, Batch: 1}).Epoch(ctx, 0, 0) {
		if err != context.Canceled {
			t.Errorf("got %v", err)
		}
		close(release) // after the loop has heard of it, let the reader go
	}
}

func TestCancelAfterTheLastBatchIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for b, err := range (&Loader[float64]{Data: counted[float64](8, 1), Batch: 4}).Epoch(ctx, 0, 0) {
		if err != nil {
			t.Errorf("got %v", err)
		}
		if b.Step == 1 {
			cancel()
		}
	}
}

func TestPanicOfADatasetBecomesAnError(t *testing.T) {
	d := must(Func(4, []int{1}, Target{}, func(i int, x, _ []float64) error { x[i] = 1; return nil }))
	var last error
	for _, err := range (&Loader[float64]{Data: d, Batch: 1}).Epoch(t.Context(), 0, 0) {
		last = err
	}
	wantError(t, last, "epoch 0, batch 1", "panicked", "index out of range", "loader_test.go")
	d = must(Func(4, []int{1}, Target{}, func(int, []float64, []float64) error { runtime.Goexit(); return nil }))
	for _, err := range (&Loader[float64]{Data: d, Batch: 1}).Epoch(t.Context(), 0, 0) {
		last = err
	}
	wantError(t, last, "ended the goroutine")
}

func TestEpochAllocatesNothingPerBatch(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	split, _, _ := Split(countedBytes(2000, 1, 3, 3), 0.1, 1)
	run := func(n int) float64 {
		l := &Loader[float32]{Data: must(Limit(split, n)), Batch: 4, Shuffle: true}
		return testing.AllocsPerRun(10, func() {
			for _, err := range l.Epoch(t.Context(), 0, 0) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if few, many := run(16), run(1600); many > few+2 {
		t.Errorf("%v allocations for 4 batches, %v for 400", few, many)
	}
}

func TestDrawIsASampleByDrawNumber(t *testing.T) {
	l := &Loader[float64]{Data: counted[float64](30, 2), Seed: 3}
	var b Batch[float64]
	seen := map[string]bool{}
	for draw := range uint64(10) {
		if err := l.Draw(&b, 7, draw); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.Index, must(Sample(7, 30, 3, draw, nil))) || b.N != 7 || len(b.X) != 14 || len(b.Y) != 7 {
			t.Fatalf("draw %d is %+v", draw, b)
		}
		for i, k := range b.Index {
			if b.X[2*i] != float64(2*k) || b.Y[i] != float64(k%3) {
				t.Fatalf("draw %d does not hold example %d", draw, k)
			}
		}
		seen[fmt.Sprint(b.Index)] = true
	}
	if len(seen) != 10 {
		t.Errorf("10 draws gave %d samples", len(seen))
	}
	at := &b.X[0]
	if err := l.Draw(&b, 5, 1); err != nil || &b.X[0] != at || len(b.X) != 10 {
		t.Errorf("a smaller draw does not reuse the memory: %v", err)
	}
	wantError(t, l.Draw(&b, 31, 0), "sample of 31", "from 30")
	wantError(t, (&Loader[float64]{}).Draw(&b, 1, 0), "nil")
}

func TestPickReadsExamplesByNumber(t *testing.T) {
	l := &Loader[float64]{Data: counted[float64](30, 2)}
	var b Batch[float64]
	index := []int{4, 29, 4, 0}
	if err := l.Pick(&b, index); err != nil || !slices.Equal(b.Index, index) || b.N != 4 || len(b.X) != 8 || len(b.Y) != 4 {
		t.Fatalf("picked %+v (%v)", b, err)
	}
	for i, k := range index {
		if b.X[2*i] != float64(2*k) || b.Y[i] != float64(k%3) {
			t.Errorf("example %d is not %d", i, k)
		}
	}
	wantError(t, l.Pick(&b, nil), "at least 1")
	wantError(t, l.Pick(&b, []int{3, 30}), "example 30", "0 to 29")
	wantError(t, l.Pick(&b, []int{-1}), "example -1")
	if !slices.Equal(b.Index, index) {
		t.Error("a refused pick changed the batch")
	}
	wantError(t, (&Loader[float64]{}).Pick(&b, index), "nil")
}

func TestLoaderRefusesBadArguments(t *testing.T) {
	d := counted[float64](10, 1)
	for name, c := range map[string]struct {
		l           Loader[float64]
		epoch, skip int
		says        []string
	}{
		"no data":        {Loader[float64]{}, 0, 0, []string{"nil"}},
		"negative batch": {Loader[float64]{Data: d, Batch: -1}, 0, 0, []string{"batch size is -1", "at least 1"}},
		"nothing left":   {Loader[float64]{Data: d, Batch: 11, DropLast: true}, 0, 0, []string{"batch size is 11", "10 examples"}},
		"negative epoch": {Loader[float64]{Data: d}, -1, 0, []string{"epoch is -1"}},
		"negative skip":  {Loader[float64]{Data: d}, 0, -1, []string{"skip is -1"}},
		"skip too large": {Loader[float64]{Data: d, Batch: 5}, 0, 3, []string{"skip is 3", "2 batches", "0 to 2"}},
		"empty data":     {Loader[float64]{Data: broken{Dataset: d, n: -1}}, 0, 0, []string{"-1 examples"}},
	} {
		t.Run(name, func(t *testing.T) {
			count := 0
			for _, err := range c.l.Epoch(t.Context(), c.epoch, c.skip) {
				count++
				wantError(t, err, c.says...)
			}
			if count != 1 {
				t.Errorf("%d iterations, want one with the error", count)
			}
			if steps := c.l.Steps(); steps != 0 && c.epoch == 0 && !strings.Contains(name, "skip") {
				t.Errorf("%d steps", steps)
			}
		})
	}
}

// BenchmarkEpoch runs shuffled epochs over 20,000 images the size of MNIST's, with nothing done to a batch.
func BenchmarkEpoch(b *testing.B) {
	l := &Loader[float32]{Data: countedBytes(20000, 1, 28, 28), Batch: 128, Shuffle: true}
	e := 0
	for b.Loop() {
		for _, err := range l.Epoch(b.Context(), e, 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
		e++
	}
	b.ReportMetric(float64(b.N)*20000/b.Elapsed().Seconds(), "samples/s")
}
