package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Pool is a caller and some helpers. Helpers spin for a moment after each
// task, because the next one is usually microseconds away, and then sleep, so
// an idle pool uses no CPU. A Pool may be used from many goroutines: while one
// task has the helpers, others run on their caller alone.
type Pool struct {
	workers int
	busy    sync.Mutex   // held by the task that has the helpers
	solo    atomic.Int32 // rounds of trials that go on their callers alone
	start   sync.Once

	// The current task. Written while gate is closed and empty, read between
	// a successful join and the matching leave.
	f    func(worker, i int)
	part []part // of each worker

	_    [64]byte
	gate atomic.Int64 // open bit, and the number of helpers inside
	_    [56]byte
	turn atomic.Int64 // counts tasks
	_    [56]byte

	asleep atomic.Int32
	wake   chan struct{}
}

// part is the pieces that a worker begins with: the same ones of equal tasks, so
// that what it left in its core's cache is there again. Who is done takes from
// the others.
type part struct {
	next atomic.Int64
	end  int64
	_    [48]byte
}

const open = 1 << 40

// spins bounds how long a helper polls before it sleeps: about 150 us.
const spins = 1500

// New returns a pool of the given number of workers, the caller included.
// Helpers start with the first task that needs them and last as long as the
// process; make few pools.
func New(workers int) *Pool {
	workers = max(1, workers)
	return &Pool{workers: workers, part: make([]part, workers), wake: make(chan struct{}, workers)}
}

// NewInner returns a pool of the given number of workers for tasks within those of
// another pool. It starts no helpers: its caller is alone until someone gives [Pool.Help].
func NewInner(workers int) *Pool {
	p := New(workers)
	p.start.Do(func() {})
	return p
}

// Help takes part in the tasks of an inner pool, as the worker of that number, which is
// not 0 and no one else, as long as they last: until done.
func (p *Pool) Help(worker int, done func() bool) {
	seen := int64(-1)
	for idle := 0; !done(); idle++ {
		t := p.turn.Load()
		if t == seen {
			relax(idle)
			continue
		}
		idle, seen = 0, t
		if p.join() {
			p.work(worker)
			p.gate.Add(-1)
		}
	}
}

var shared = sync.OnceValue(func() *Pool { return New(runtime.GOMAXPROCS(0)) })

// Shared is the pool of the process, with as many workers as GOMAXPROCS had at
// its first use.
func Shared() *Pool { return shared() }

// Workers is the number of goroutines that may call f at once. Worker numbers
// passed to f are below it.
func (p *Pool) Workers() int { return p.workers }

// Run calls f(worker, i) once for every i in [0, n) and returns when all calls
// have. Calls with the same worker number never overlap.
func (p *Pool) Run(n int, f func(worker, i int)) {
	if n <= 1 || p.workers == 1 || p.solo.Load() > 0 || !p.busy.TryLock() {
		for i := range n {
			f(0, i)
		}
		return
	}
	p.start.Do(p.launch)
	p.f = f
	for w := range p.part {
		p.part[w].next.Store(int64(w * n / p.workers))
		p.part[w].end = int64((w + 1) * n / p.workers)
	}
	p.turn.Add(1)
	p.gate.Store(open)
	for range min(int(p.asleep.Load()), n-1) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	p.work(0)
	p.gate.And(open - 1) // no more joins
	for i := 0; p.gate.Load() != 0; i++ {
		relax(i)
	}
	p.f = nil
	p.busy.Unlock()
}

func (p *Pool) work(worker int) {
	for k := range p.workers {
		q := &p.part[(worker+k)%p.workers]
		for q.next.Load() < q.end { // no writing to what others are done with
			i := q.next.Add(1) - 1
			if i >= q.end {
				break
			}
			p.f(worker, int(i))
		}
	}
}

func (p *Pool) launch() {
	for w := 1; w < p.workers; w++ {
		go p.help(w)
	}
}

func (p *Pool) help(worker int) {
	seen := int64(0)
	for idle := 0; ; idle++ {
		if t := p.turn.Load(); t != seen {
			idle = 0
			seen = t
			if p.join() {
				p.work(worker)
				p.gate.Add(-1)
			}
			continue
		}
		if idle < spins {
			relax(idle)
			continue
		}
		p.asleep.Add(1)
		if p.turn.Load() == seen {
			<-p.wake
		}
		p.asleep.Add(-1)
		idle = 0
	}
}

func (p *Pool) join() bool {
	for {
		g := p.gate.Load()
		if g&open == 0 {
			return false
		}
		if p.gate.CompareAndSwap(g, g+1) {
			return true
		}
	}
}

// relax is the body of a polling loop. It is an ordinary function call so that
// the scheduler and the garbage collector can interrupt the loop, and it gives
// up the processor now and then in case the other side has none.
//
//go:noinline
func relax(i int) {
	pause()
	if i&127 == 127 {
		runtime.Gosched()
	}
}
