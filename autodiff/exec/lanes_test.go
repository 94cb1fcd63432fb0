package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// compiled is g with that many copies, up to the plan of its memory.
func compiled(g *graph, copies int) *graph {
	g.copies = copies
	g.improve()
	return g
}

// linked is g, prepared, with the same random numbers each time.
func linked(t *testing.T, g *graph, workers, group int) *Program[float64] {
	t.Helper()
	p, err := link[float64](g.clone(), Options{Pool: parallel.New(workers), group: group})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 8))
	prepare(t, p, func(int) float64 { return r.NormFloat64() })
	return p
}

// prepare gives the inputs of p numbers, drawn for each by its number, and prepares it.
func prepare[T Float](t testing.TB, p *Program[T], draw func(input int) float64) {
	t.Helper()
	for i := range p.inputs {
		for k := range p.inputs[i].copies {
			x := make([]T, p.inputs[i].n)
			for j := range x {
				x[j] = T(draw(i))
			}
			if len(x) == 4 { // a key of random numbers
				copy(x, []T{1, 2, 3, 7})
			}
			if err := p.set(i, k, x); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
}

// withLate makes the second input of g a late one.
func withLate(g *graph) *graph {
	for i := range g.code {
		if o, ok := g.code[i].op.(inputOp); ok && o.slot == 1 {
			o.late = true
			g.code[i].op = o
		}
	}
	return g
}

// TestLanesGiveTheBitsOfSingleRuns: where a copy is computed changes nothing.
func TestLanesGiveTheBitsOfSingleRuns(t *testing.T) {
	const copies = 7
	programs := map[string]*graph{
		"images": images(newBuilder(), 33, true),
		"layer":  layer(newBuilder()),
		"small":  lateProgram(newBuilder()),
	}
	for seed := range uint64(100) {
		programs[fmt.Sprintf("random %d", seed)] = withLate(randomProgram(rand.New(rand.NewPCG(seed, 1))))
	}
	same := func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b }
	for name, g := range programs {
		compiled(g, copies)
		one := linked(t, g, 1, 1)
		if len(one.lanes.list) > 0 {
			t.Errorf("%s: %d lanes for one worker", name, len(one.lanes.list))
		}
		if err := one.RunCopies(copies); err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 2, 3, 8} {
			for _, group := range []int{0, 1, 2, 3} {
				p := linked(t, g, workers, group)
				if want := workers > 1 && workers <= copies && p.staged; len(p.lanes.list) > 0 != want || want && len(p.lanes.list) != workers {
					t.Errorf("%s: %d lanes for %d workers", name, len(p.lanes.list), workers)
				}
				for _, n := range []int{copies, 1, copies - 1} {
					for i := range p.outputs {
						if q := &p.outputs[i]; q.late {
							for k := range q.copies {
								p.SetOutputCopy(i, k, make([]float64, q.n))
							}
						}
					}
					if err := p.RunCopies(n); err != nil {
						t.Fatal(err)
					}
					for i := range p.outputs {
						for k := range min(n, p.outputs[i].copies) {
							if x, y := one.OutputCopy(i, k), p.OutputCopy(i, k); !slices.EqualFunc(x, y, same) {
								t.Fatalf("%s, %d workers, groups of %d: output %d of copy %d of %d is %v, by one worker %v\n%s", name, workers, group, i, k, n, y, x, p)
							}
						}
					}
				}
			}
		}
	}
}

func TestLanesAllocateNothing(t *testing.T) {
	p := linked(t, compiled(images(newBuilder(), 33, true), 4), 2, 1)
	if n := testing.AllocsPerRun(10, func() { p.RunCopies(4) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// TestWhoHasNoCopiesHelps: a worker that finds no copy left does pieces of work of the
// other's lane, as long as that is busy.
func TestWhoHasNoCopiesHelps(t *testing.T) {
	p := linked(t, compiled(images(newBuilder(), 33, true), 2), 2, 1)
	busy := p.lanes.list[0]
	busy.busy.Store(true)
	ended := make(chan bool)
	go func() {
		p.lanes.work(1, 0) // of no copies
		ended <- true
	}()
	var pieces, helped atomic.Int32
	for helped.Load() == 0 {
		busy.inner.Run(100, func(worker, _ int) {
			pieces.Add(1)
			helped.Add(int32(worker))
		})
	}
	busy.busy.Store(false)
	<-ended
	if pieces.Load()%100 != 0 || busy.helped.Load() {
		t.Errorf("%d pieces in runs of 100; helped %t after them", pieces.Load(), busy.helped.Load())
	}
}

// TestLanesTakeMemoryOfTheirOwn: late values of one more copy, for each lane.
func TestLanesTakeMemoryOfTheirOwn(t *testing.T) {
	g := compiled(layer(newBuilder()), 4)
	one, two, three := linked(t, g, 1, 1), linked(t, g, 2, 1), linked(t, g, 3, 1)
	first, second := two.Bytes()-one.Bytes(), three.Bytes()-two.Bytes()
	if arena := 8 * len(one.m.slots[arenaSlot]); first <= 0 || first > arena+8*4*one.m.need || first != second {
		t.Errorf("a lane takes %d bytes, the next %d; the arena has %d", first, second, arena)
	}
	if late := len(two.lanes.list[1].m.slots[laneSlot]); late == 0 || late >= len(one.m.slots[arenaSlot]) {
		t.Errorf("the late values take %d elements, all together %d", late, len(one.m.slots[arenaSlot]))
	}
}

// TestGroupsFitTheCache: as many copies as fit run together, at least one and at most
// all, and the place of one is not the place of another.
func TestGroupsFitTheCache(t *testing.T) {
	for _, c := range []struct{ elements, copies, want int }{
		{groupElements/3 - align, 5, 3}, {groupElements / 3, 5, 2}, {groupElements, 5, 1}, {4 * groupElements, 5, 1}, {100, 5, 5}, {100, 1, 1},
	} {
		b := newBuilder()
		w := b.input(c.elements)
		v := b.add(inputOp{slot: 1, name: "v", late: true}, []int{c.elements})
		y := b.Map2(Mul, w, v)
		g := b.returns(b.Map2(Mul, y, b.Broadcast(b.Reduce(MaxRed, y, []int{0}), []int{c.elements})))
		if b.err != nil {
			t.Fatal(b.err)
		}
		g.copies = c.copies
		stage(g)
		ownOutputs(g)
		p := makePlan(g, 2, 0)
		if p.group != c.want {
			t.Errorf("%d of %d copies of %d elements run together, want %d", p.group, c.copies, c.elements, c.want)
		}
		if at := p.at[y]; c.want > 1 && (at.slot != arenaSlot || at.offStep < c.elements || p.arena < c.want*c.elements) {
			t.Errorf("groups of %d: %+v in an arena of %d elements", c.want, at, p.arena)
		}
	}
}

func TestLanesAreNotOpenedForLargeValues(t *testing.T) {
	for _, c := range []struct{ rows, lanes int }{{1 << 10, 2}, {1 << 20, 0}} {
		b := newBuilder()
		w := b.input(16, 16)
		v := b.add(inputOp{slot: 1, name: "v", late: true}, []int{c.rows, 16})
		y := b.Gemm(b.Gemm(v, w), w) // of 16 numbers a row each
		g := compiled(b.returns(b.Reduce(SumRed, y, []int{0})), 2)
		p, err := link[float64](g, Options{Pool: parallel.New(2), group: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.lanes.list) != c.lanes {
			t.Errorf("%d lanes for values of %d rows, want %d", len(p.lanes.list), c.rows, c.lanes)
		}
	}
}

// TestLanesReportWhatFails: an error of one copy, and the next run is as if
// nothing had been.
func TestLanesReportWhatFails(t *testing.T) {
	const copies = 5
	b := newBuilder()
	x := b.input(6, 3)
	at := b.add(inputOp{slot: 1, name: "at", late: true}, []int{2})
	g := b.returns(b.Gather(x, at, 0))
	if b.err != nil {
		t.Fatal(b.err)
	}
	for _, group := range []int{1, 2} {
		reportsWhatFails(t, linked(t, compiled(g, copies), 2, group), copies)
	}
}

func reportsWhatFails(t *testing.T, p *Program[float64], copies int) {
	t.Helper()
	for bad := range copies + 1 { // and none
		for k := range copies {
			i := float64(k)
			if k == bad {
				i = 6
			}
			p.set(1, k, []float64{i, 0})
		}
		err := p.RunCopies(copies)
		if bad < copies {
			if err == nil {
				t.Errorf("an index of 6 in copy %d is none of 6 rows, but there is no error", bad)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for k := range copies {
			if got, want := p.OutputCopy(0, k)[:3], p.m.slots[p.inputs[0].slot][3*k:][:3]; !slices.Equal(got, want) {
				t.Errorf("copy %d is %v, want row %d, %v", k, got, k, want)
			}
		}
	}
}
