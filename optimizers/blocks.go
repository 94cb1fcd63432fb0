package optimizers

import (
	"sync"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// blockSize is how many elements one core works on at a time. Blocks are cut by length alone, so the bits of a result
// do not depend on the number of cores.
const blockSize = 4 << 10

// stripSize is how many elements of a block have intermediate results on the stack.
const stripSize = 2 << 10

// inBlocks calls f, made once so that nothing is allocated, for the blocks of a vector of n elements: block i is
// [i·blockSize, (i+1)·blockSize), up to n.
func inBlocks(n int, f func(worker, i int)) {
	parallel.Shared().Run(blocks(n), f)
}

// blocks is how many blocks n elements are.
func blocks(n int) int { return (n + blockSize - 1) / blockSize }

// block is the part of v that block i has.
func block[T Float](v []T, i int) []T {
	if v == nil {
		return nil
	}
	return v[i*blockSize : min(len(v), (i+1)*blockSize)]
}

// task is a combination of vectors, or a product, at work on all cores. Tasks are used again, as a closure each time
// would be an allocation.
type task[T Float] struct {
	kind      taskKind
	dst, x, y []T
	c         T
	sums      []float64 // of the blocks
	run       func(worker, i int)
}

type taskKind uint8

const (
	taskDot taskKind = iota
	taskAxpy
	taskAddScaled
	taskScale
	taskLerp
)

// taskList holds tasks that are at rest.
type taskList[T Float] struct {
	mu   sync.Mutex
	free []*task[T]
}

var (
	tasks32 taskList[float32]
	tasks64 taskList[float64]
)

func tasks[T Float]() *taskList[T] {
	if l, ok := any(&tasks32).(*taskList[T]); ok {
		return l
	}
	return any(&tasks64).(*taskList[T])
}

func (l *taskList[T]) get() *task[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		t := &task[T]{}
		t.run = t.block
		return t
	}
	t := l.free[n-1]
	l.free = l.free[:n-1]
	return t
}

func (l *taskList[T]) put(t *task[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, t)
}

// do runs a task on vectors of n elements; a product is the result.
func do[T Float](kind taskKind, n int, dst, x, y []T, c T) (sum float64) {
	list := tasks[T]()
	t := list.get()
	t.kind, t.dst, t.x, t.y, t.c = kind, dst, x, y, c
	if kind == taskDot {
		count := blocks(n)
		if cap(t.sums) < count {
			t.sums = make([]float64, count)
		}
		t.sums = t.sums[:count]
	}
	inBlocks(n, t.run)
	if kind == taskDot {
		for _, s := range t.sums {
			sum += s
		}
	}
	t.dst, t.x, t.y = nil, nil, nil
	list.put(t)
	return sum
}

func (t *task[T]) block(_, i int) {
	x := block(t.x, i)
	switch t.kind {
	case taskDot:
		t.sums[i] = kernel.Dot64(x, block(t.y, i))
	case taskAxpy:
		kernel.Axpy(block(t.dst, i), t.c, x)
	case taskAddScaled:
		kernel.Axpby(block(t.dst, i), 1, block(t.y, i), t.c, x)
	case taskScale:
		dst := block(t.dst, i)
		kernel.Scale(dst, t.c, dst)
	case taskLerp:
		kernel.Lerp(block(t.dst, i), t.c, x)
	}
}
