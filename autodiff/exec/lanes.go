package exec

import "github.com/saddle-ml/saddle/internal/parallel"

// lane computes copies of late values on one core, while other lanes compute
// others: no instruction waits for another core, and what it wrote is in the
// nearest cache for the next. Its late values lie in memory of its own; all else
// it reads where the program has it.
type lane[T Float] struct {
	m     *machine[T]
	steps []wide
	err   error // of the first copy that failed
}

// laneBytes is how much memory the values of a program's lanes may take: what they
// gain, a few percent, is not worth more.
const laneBytes = 128 << 20

// openLanes makes a lane for each worker, if copies are as many and do not run
// together. The first is the program itself: while its pool is busy with lanes,
// its instructions run on their caller alone.
func (p *Program[T]) openLanes(plan *plan) error {
	g, workers := p.m.g, p.m.pool.Workers()
	if !p.staged || p.together || workers == 1 || g.copies < workers {
		return nil
	}
	at, elements := g.planLane(plan)
	if elements*sizeof[T]()*(workers-1) > laneBytes {
		return nil
	}
	p.lanes = []*lane[T]{{m: p.m, steps: p.steps}}
	for range workers - 1 {
		m := &machine[T]{g: g, pool: parallel.New(1), at: at, copies: 1, slots: make([][]T, len(p.m.slots))}
		copy(m.slots, p.m.slots)
		m.slots[laneSlot] = NewVector[T](elements)
		l := &lane[T]{m: m}
		for _, in := range p.insts[len(p.early):] {
			s, err := m.wide(in)
			if err != nil {
				return err
			}
			l.steps = append(l.steps, s)
		}
		m.makeScratch()
		p.lanes = append(p.lanes, l)
	}
	p.runLane = func(worker, copy int) { p.lanes[worker].run(copy) }
	return nil
}

// runLanes runs as many of n copies as keep all lanes busy and tells how many that
// were. A program that is measured has none: its times are those of all cores.
func (p *Program[T]) runLanes(n int) (int, error) {
	if len(p.lanes) == 0 || p.prof != nil {
		return 0, nil
	}
	n -= n % len(p.lanes)
	for _, l := range p.lanes[1:] {
		copy(l.m.slots[firstSlot:], p.m.slots[firstSlot:])
	}
	p.m.pool.Run(n, p.runLane)
	var err error
	for _, l := range p.lanes {
		if l.err != nil {
			err, l.err = l.err, nil
		}
	}
	return n, err
}

func (l *lane[T]) run(copy int) {
	for _, s := range l.steps {
		if l.err != nil {
			return
		}
		l.err = s(copy, 1)
	}
}

// memory is the number of elements that a machine has beside its values in the
// program's arena: those of a lane, scratch and partial sums.
func (m *machine[T]) memory() int { return len(m.slots[laneSlot]) + m.need*len(m.work) + m.extra }
