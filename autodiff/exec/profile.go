package exec

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Profile is what the instructions of a program took, added up over its runs
// since StartProfile.
type Profile struct {
	Runs   int
	Time   time.Duration // of the runs together
	Lines  []ProfileLine // in the order of the program
	events []event
}

// ProfileLine is one instruction.
type ProfileLine struct {
	Op    string // as the program prints it
	Where string // the layer it comes from, if it is of one
	Shape []int  // of its result
	Late  bool   // it is part of Run and not of Prepare, in a program with late inputs
	Inner bool   // it is part of the line before it that is not: its time is that of all cores together

	Calls int
	Time  time.Duration
	Flops float64 // floating-point operations of all calls, a multiply-add counted as two
	Bytes float64 // of all calls: what is read and written, once each
}

// event is a call, for a trace.
type event struct {
	line       int
	start, end time.Duration
}

// maxEvents bounds the calls that a trace shows: the first ones.
const maxEvents = 200_000

// profiler measures a program.
type profiler struct {
	Profile
	begin time.Time
}

// StartProfile makes later runs measure every instruction, from zero. Measuring
// takes about 0.1 microseconds an instruction. Copies that would run on a core each
// then run one after another on all of them.
func (p *Program[T]) StartProfile() {
	pr := &profiler{begin: time.Now()}
	for i, in := range p.insts {
		pr.Lines = append(pr.Lines, p.m.line(in, p.m.g.copies))
		if r := p.regions[i]; r != nil {
			r.startProfile()
		}
	}
	p.prof = pr
}

// line describes an instruction; its flops and bytes are those of one call.
func (m *machine[T]) line(in *inst, copies int) ProfileLine {
	name := in.op.String()
	if o, ok := in.op.(regionOp); ok {
		name = fmt.Sprintf("region of %d examples by %d", o.n, o.rows)
	}
	l := ProfileLine{Op: name, Where: in.where, Shape: m.g.shape(in.out), Late: in.late, Flops: m.g.flops(in)}
	for _, v := range in.in {
		_, _, stride := m.g.view(v)
		l.Bytes += float64(extent(m.g.shape(v), stride))
	}
	in.outs(func(v Value) { l.Bytes += float64(Size(m.g.shape(v))) })
	l.Bytes *= float64(sizeof[T]())
	return l
}

// flops counts the operations of an instruction.
func (g *graph) flops(in *inst) float64 {
	size := float64(Size(g.shape(in.out)))
	sums := 0.0 // of columns
	if len(in.more) > 0 {
		sums = size
	}
	switch o := in.op.(type) {
	case gemmOp:
		n := sums
		for i := range o.pairs {
			s := g.shape(in.in[2*i])
			n += 2 * size * float64(s[len(s)-1])
		}
		return n + size*float64(len(o.code))
	case convOp:
		w := o.win
		return 2 * float64(o.n) * float64(w.OH*w.OW) * float64(w.R*w.S) * float64(o.k) * float64(o.c/o.groups)
	case mapOp:
		n := 0
		for _, f := range o.code {
			if f.fn != Copy {
				n++
			}
		}
		return size*float64(n) + sums
	case reduceOp:
		return float64(Size(g.shape(in.in[0]))) * float64(1+len(o.code))
	case poolOp:
		return size * float64(o.win.R*o.win.S)
	case regionOp:
		n := 0.0
		for i := range o.whole.code {
			n += o.whole.flops(&o.whole.code[i])
		}
		return n * float64(o.n) / float64(o.rows)
	}
	return 0
}

// Profile is what was measured since StartProfile; it goes on.
func (p *Program[T]) Profile() *Profile {
	if p.prof == nil {
		return &Profile{}
	}
	out := p.prof.Profile
	out.Lines = nil
	for i, l := range p.prof.Lines {
		l.Flops *= float64(l.Calls)
		l.Bytes *= float64(l.Calls)
		out.Lines = append(out.Lines, l)
		if r := p.regions[i]; r != nil {
			out.Lines = append(out.Lines, r.profile()...)
		}
	}
	return &out
}

// measured runs steps and adds up their times; first is the number of the first
// step's line.
func (p *Program[T]) measured(steps []wide, first, copy, copies int) error {
	pr := p.prof
	at := time.Since(pr.begin)
	began := at
	for i, s := range steps {
		if err := s(copy, copies); err != nil {
			return err
		}
		now := time.Since(pr.begin)
		l := &pr.Lines[first+i]
		l.Calls += copies
		l.Time += now - at
		if len(pr.events) < maxEvents {
			pr.events = append(pr.events, event{first + i, at, now})
		}
		at = now
	}
	if copy == 0 {
		pr.Runs++
	}
	pr.Time += at - began
	return nil
}

func (r *region[T]) startProfile() {
	for w := range r.programs {
		r.programs[w][0].StartProfile()
		r.programs[w][1].StartProfile()
	}
}

// profile adds up the instructions of the slices over all workers.
func (r *region[T]) profile() []ProfileLine {
	var lines []ProfileLine
	add := func(p *Program[T]) {
		for i, l := range p.Profile().Lines {
			if i == len(lines) {
				l.Inner = true
				lines = append(lines, l)
				continue
			}
			to := &lines[i]
			to.Calls += l.Calls
			to.Time += l.Time
			to.Flops += l.Flops
			to.Bytes += l.Bytes
		}
	}
	for _, ps := range r.programs {
		add(ps[0])
		if ps[1] != ps[0] {
			add(ps[1])
		}
	}
	return lines
}

// WriteTable writes a table of the instructions, the slowest first, those within
// a line behind it.
func (p *Profile) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "ms a run\tshare\tGFLOP/s\tGB/s\tcalls\t  instruction\n")
	runs := max(1, p.Runs)
	type group struct{ lines []ProfileLine }
	var groups []group
	for _, l := range p.Lines {
		if l.Inner && len(groups) > 0 {
			g := &groups[len(groups)-1]
			g.lines = append(g.lines, l)
		} else {
			groups = append(groups, group{[]ProfileLine{l}})
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int { return int(b.lines[0].Time - a.lines[0].Time) })
	for _, g := range groups {
		for _, l := range g.lines {
			if l.Calls == 0 {
				continue
			}
			name := strings.TrimSpace(l.Where + " " + l.Op + " " + fmt.Sprint(l.Shape))
			if l.Inner {
				name = "· " + name
			}
			share := fmt.Sprintf("%.1f %%", 100*l.Time.Seconds()/max(p.Time.Seconds(), 1e-12))
			if l.Inner {
				share = ""
			}
			fmt.Fprintf(t, "%.3f\t%s\t%.1f\t%.1f\t%d\t  %s\n", 1e3*l.Time.Seconds()/float64(runs), share,
				l.Flops/1e9/max(l.Time.Seconds(), 1e-12), l.Bytes/1e9/max(l.Time.Seconds(), 1e-12), l.Calls, clipped(name, 100))
		}
	}
	fmt.Fprintf(t, "%.3f\t100 %%\t\t\t%d\t  all\n", 1e3*p.Time.Seconds()/float64(runs), p.Runs)
	return t.Flush()
}

// clipped is s, cut to n bytes.
func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}

// TraceEvent is a call in the trace event format that Chrome and Perfetto read.
type TraceEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	Start    float64        `json:"ts"`  // microseconds
	Duration float64        `json:"dur"` // microseconds
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	Args     map[string]any `json:"args,omitempty"`
}

// Trace is the calls as events, at their times since StartProfile plus offset.
func (p *Profile) Trace(offset time.Duration) []TraceEvent {
	var tops []ProfileLine // as events count lines
	for _, l := range p.Lines {
		if !l.Inner {
			tops = append(tops, l)
		}
	}
	micro := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	var list []TraceEvent
	for _, e := range p.events {
		l := tops[e.line]
		list = append(list, TraceEvent{Name: clipped(l.Op, 60), Category: l.Where, Phase: "X", Start: micro(offset + e.start), Duration: micro(e.end - e.start),
			Process: 1, Thread: 1, Args: map[string]any{"layer": l.Where, "shape": l.Shape}})
	}
	return list
}

// WriteTrace writes events as a file that chrome://tracing and ui.perfetto.dev
// open.
func WriteTrace(w io.Writer, events []TraceEvent) error {
	if events == nil {
		events = []TraceEvent{}
	}
	return json.NewEncoder(w).Encode(map[string]any{"traceEvents": events, "displayTimeUnit": "ms"})
}
