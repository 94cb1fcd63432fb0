package parallel

import (
	"slices"
	"time"
)

// A Trial finds out whether short work that is done again and again is done sooner
// by all workers of a pool or by its caller alone, and has it done that way. It
// depends on more than the work: on how far two cores are from each other, that is
// how long what one has written takes to come to the other. Some hosts change that
// while a program runs, so a trial is repeated.
//
// What is computed does not depend on it. While a round goes on its caller alone, so
// does everything else that is given to the pool.
type Trial struct {
	pool  *Pool
	now   func() time.Time
	start time.Time

	alone   bool // how rounds go now
	best    bool // how they go sooner, as far as is known
	testing bool // the other way
	typical time.Duration
	rounds  []time.Duration // since the last look
	skip    int             // rounds that are not counted: caches fill
	since   int             // rounds since the last test
	gap     int             // from that one to the next
}

const (
	trialRounds = 15                     // whose median is compared
	trialSkip   = 5                      // after a change
	trialLimit  = 300 * time.Microsecond // longer rounds are for all workers
	trialGap    = 500                    // rounds from a test to the next, twice as many each time it changes nothing
	trialMost   = 16000                  // at most
	trialGain   = 0.95                   // of the time, for a change
	trialDrift  = 1.25                   // times what was typical, to test again
	trialSoon   = 200                    // rounds later at the earliest
)

// NewTrial begins with all workers.
func NewTrial(p *Pool) *Trial {
	return &Trial{pool: p, now: time.Now, skip: trialSkip, since: trialGap - trialSoon/2, gap: trialGap}
}

// Begin begins a round.
func (t *Trial) Begin() {
	if t.alone {
		t.pool.solo.Add(1)
	}
	t.start = t.now()
}

// End ends it.
func (t *Trial) End() {
	took := t.now().Sub(t.start)
	if t.alone {
		t.pool.solo.Add(-1)
	}
	if t.pool.workers == 1 {
		return
	}
	if t.since++; t.skip > 0 {
		t.skip--
		return
	}
	if t.rounds = append(t.rounds, took); len(t.rounds) == trialRounds {
		slices.Sort(t.rounds)
		t.look(t.rounds[trialRounds/2])
		t.rounds = t.rounds[:0]
	}
}

// look decides how to go on, with the time that rounds take now.
func (t *Trial) look(median time.Duration) {
	took, typical := float64(median), float64(t.typical)
	switch {
	case t.testing:
		t.testing, t.since = false, 0
		t.gap = min(2*t.gap, trialMost)
		if took < trialGain*typical {
			t.best, t.typical, t.gap = t.alone, median, trialGap
		}
		t.turn(t.best)
	case median > trialLimit:
		t.best, t.typical = false, median
		t.turn(false)
	case t.since >= t.gap || t.since >= trialSoon && typical > 0 && took > trialDrift*typical:
		t.testing, t.typical = true, median
		t.turn(!t.best)
	default:
		t.typical = median
	}
}

// turn has the next rounds done alone or not.
func (t *Trial) turn(alone bool) {
	if alone != t.alone {
		t.alone, t.skip = alone, trialSkip
	}
}
