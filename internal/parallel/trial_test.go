package parallel

import (
	"sync/atomic"
	"testing"
	"time"
)

// simulate runs rounds of a trial on a made clock, each as long as took says for the
// way it goes, and counts those that went alone.
func simulate(t *testing.T, tr *Trial, clock *time.Time, rounds int, took func(round int, alone bool) time.Duration) (alone int) {
	t.Helper()
	for i := range rounds {
		tr.Begin()
		one := tr.pool.solo.Load() > 0
		if one {
			alone++
		}
		*clock = clock.Add(took(i, one))
		tr.End()
		if tr.pool.solo.Load() != 0 {
			t.Fatal("after a round its pool is still alone")
		}
	}
	return alone
}

func newTrial(workers int) (*Trial, *time.Time) {
	clock := new(time.Time)
	tr := NewTrial(New(workers))
	tr.now = func() time.Time { return *clock }
	return tr, clock
}

func TestTrialFindsTheSoonerWay(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name       string
		workers    int
		all, alone time.Duration
		low, high  float64 // share of rounds that go alone
	}{
		{"two cores gain", 2, 80 * us, 120 * us, 0, 0.02},
		{"two cores lose", 2, 190 * us, 120 * us, 0.98, 1},
		{"they are level", 2, 100 * us, 98 * us, 0, 0.02},
		{"long rounds", 2, 1500 * us, 1000 * us, 0, 0},
		{"one worker", 1, 190 * us, 120 * us, 0, 0},
	} {
		tr, clock := newTrial(c.workers)
		const rounds = 20000
		n := simulate(t, tr, clock, rounds, func(i int, alone bool) time.Duration {
			d := c.all
			if alone {
				d = c.alone
			}
			if i%10 == 0 {
				d *= 5 // something else has the machine for a moment
			}
			return d
		})
		if share := float64(n) / rounds; share < c.low || share > c.high {
			t.Errorf("%s: %.3f of the rounds go alone, want %v to %v", c.name, share, c.low, c.high)
		}
	}
}

// TestTrialFollowsTheHost: when the cores move apart, and together again, the way that
// is sooner is found within some hundreds of rounds.
func TestTrialFollowsTheHost(t *testing.T) {
	tr, clock := newTrial(2)
	near := func(_ int, alone bool) time.Duration {
		if alone {
			return 120 * time.Microsecond
		}
		return 80 * time.Microsecond
	}
	apart := func(_ int, alone bool) time.Duration {
		if alone {
			return 120 * time.Microsecond
		}
		return 190 * time.Microsecond
	}
	simulate(t, tr, clock, 30000, near)
	simulate(t, tr, clock, trialSoon+100, apart)
	if n := simulate(t, tr, clock, 1000, apart); n < 950 {
		t.Errorf("%d of 1000 rounds go alone where two cores lose", n)
	}
	// Alone, a round takes as long as before: only the next test sees the change.
	simulate(t, tr, clock, trialMost+100, near)
	if n := simulate(t, tr, clock, 1000, near); n > 50 {
		t.Errorf("%d of 1000 rounds go alone where two cores gain", n)
	}
}

func TestRoundsAloneHaveNoHelpers(t *testing.T) {
	p := New(4)
	tr := NewTrial(p)
	tr.alone = true
	tr.Begin()
	var others atomic.Int32
	p.Run(1000, func(worker, _ int) {
		if worker != 0 {
			others.Add(1)
		}
	})
	tr.End()
	if others.Load() != 0 {
		t.Errorf("%d pieces of a round alone went to helpers", others.Load())
	}
}
