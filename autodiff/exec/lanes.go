package exec

import (
	"sync/atomic"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// lane computes groups of copies of late values on one core, while other lanes compute
// others: no instruction waits for another core, and what it wrote is in the
// nearest cache for the next. Its late values lie in memory of its own; all else
// it reads where the program has it. Who finds no copy left helps the others, piece by
// piece: cores are not equally fast, and copies not always a multiple of the lanes.
type lane[T Float] struct {
	m     *machine[T]
	steps []wide
	err   error // of the first group that failed

	inner  *parallel.Pool // of who has the lane and one helper
	busy   atomic.Bool
	helped atomic.Bool
}

// lanes are those of a program, one for each worker of its pool, and how far a run is.
type lanes[T Float] struct {
	list []*lane[T]
	run  func(worker, i int)
	next atomic.Int64 // copy
	n    int          // copies
	each int          // of a group
}

// laneBytes is how much memory the values of a program's lanes may take: what they
// gain, a few percent, is not worth more.
const laneBytes = 128 << 20

// openLanes makes a lane for each worker, if copies are as many. The first is the
// program itself, whose instructions use the lane's pool while its own is busy with
// lanes.
func (p *Program[T]) openLanes(plan *plan) error {
	g, workers := p.m.g, p.m.pool.Workers()
	if !p.staged || workers == 1 || g.copies < workers {
		return nil
	}
	at, elements := g.planLane(plan)
	if elements*sizeof[T]()*(workers-1) > laneBytes {
		return nil
	}
	p.lanes.list = []*lane[T]{{m: p.m, steps: p.steps, inner: parallel.NewInner(2)}}
	for range workers - 1 {
		l := &lane[T]{inner: parallel.NewInner(2)}
		l.m = &machine[T]{g: g, pool: l.inner, at: at, copies: plan.group, slots: make([][]T, len(p.m.slots))}
		copy(l.m.slots, p.m.slots)
		l.m.slots[laneSlot] = NewVector[T](elements)
		for _, in := range p.insts[len(p.early):] {
			s, err := l.m.wide(in)
			if err != nil {
				return err
			}
			l.steps = append(l.steps, s)
		}
		l.m.makeScratch()
		p.lanes.list = append(p.lanes.list, l)
	}
	p.lanes.run = p.lanes.work
	return nil
}

// runLanes runs n copies, if there are as many as lanes, and tells whether it did. A
// program that is measured has no lanes: its times are those of all cores.
func (p *Program[T]) runLanes(n int) (bool, error) {
	s := &p.lanes
	if len(s.list) == 0 || p.prof != nil || n < len(s.list) {
		return false, nil
	}
	for _, l := range s.list[1:] {
		copy(l.m.slots[firstSlot:], p.m.slots[firstSlot:])
	}
	pool := p.m.pool
	p.m.pool = s.list[0].inner
	s.n, s.each = n, min(p.m.copies, (n+len(s.list)-1)/len(s.list))
	s.next.Store(0)
	pool.Run(len(s.list), s.run)
	p.m.pool = pool
	var err error
	for _, l := range s.list {
		if l.err != nil {
			err, l.err = l.err, nil
		}
	}
	return true, err
}

// work is what a worker does in a run: groups in its lane, and then those of others.
func (s *lanes[T]) work(worker, _ int) {
	own := s.list[worker]
	own.busy.Store(true)
	for k := s.take(); k < s.n; k = s.take() {
		own.compute(k, min(s.each, s.n-k))
	}
	own.busy.Store(false)
	for i := 1; i < len(s.list); i++ {
		l := s.list[(worker+i)%len(s.list)]
		if l.busy.Load() && l.helped.CompareAndSwap(false, true) {
			l.inner.Help(1, func() bool { return !l.busy.Load() })
			l.helped.Store(false)
		}
	}
}

// take is the first copy of the next group.
func (s *lanes[T]) take() int { return int(s.next.Add(int64(s.each))) - s.each }

func (l *lane[T]) compute(first, n int) {
	l.m.first = first
	for _, s := range l.steps {
		if l.err != nil {
			break
		}
		l.err = s(first, n)
	}
	l.m.first = 0
}

// memory is the number of elements that a machine has beside its values in the
// program's arena: those of a lane, scratch and partial sums.
func (m *machine[T]) memory() int { return len(m.slots[laneSlot]) + m.need*len(m.work) + m.extra }
