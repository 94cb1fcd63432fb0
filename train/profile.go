package train

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// The files of a profile in a run directory.
const (
	profileFile = "profile.txt"
	traceFile   = "trace.json"
)

// Profile is where the time of a run went: a profile of every program that ran.
type Profile struct {
	Programs []ProgramProfile // by time, the longest first
	Seconds  float64          // of the run, from its beginning or resumption
}

// ProgramProfile is the profile of one program.
type ProgramProfile struct {
	Name string // what it computes, and for how many examples
	*exec.Profile
	began time.Time
}

var wantNames = map[want]string{
	wantScores: "evaluation", wantLoss: "loss", wantGrad: "gradient", wantHessian: "Hessian products", wantGaussNewton: "Gauss-Newton products",
	wantSampledGrad: "gradient with sampled targets", wantStructural: "products of structural damping",
	wantFactors: "factors of layers", wantStatistics: "statistics", wantTraces: "traces of single examples",
	wantWeightedHessian: "weighted Hessian products", wantWeightedGaussNewton: "weighted Gauss-Newton products",
}

// profile gathers what the programs measured.
func (p *programs[T]) profile() []ProgramProfile {
	var list []ProgramProfile
	for r, c := range p.made {
		name := fmt.Sprintf("%s of %d examples", wantNames[r.want], r.size)
		if r.copies > 1 {
			name += fmt.Sprintf(", up to %d at once", r.copies)
		}
		if r.part > 0 {
			name += fmt.Sprintf(", part %d", r.part+1)
		}
		list = append(list, ProgramProfile{name, c.Profile(), c.began})
	}
	slices.SortFunc(list, func(a, b ProgramProfile) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// WriteTo writes a table for each program.
func (p *Profile) WriteTo(w io.Writer) (int64, error) {
	n := &countingWriter{w: w}
	inside := 0.0
	for _, g := range p.Programs {
		inside += g.Time.Seconds()
		fmt.Fprintf(n, "%s: %.3f s in %d runs\n", g.Name, g.Time.Seconds(), g.Runs)
		if err := g.WriteTable(n); err != nil {
			return n.n, fmt.Errorf("train: profile: %w", err)
		}
		fmt.Fprintln(n)
	}
	_, err := fmt.Fprintf(n, "%.3f s in programs; %.3f s in all: data, the optimizer's own work, saving and compiling are the rest\n", inside, p.Seconds)
	if err != nil {
		return n.n, fmt.Errorf("train: profile: %w", err)
	}
	return n.n, nil
}

// countingWriter counts what is written and remembers the first error.
type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.err = err
	return n, err
}

// save writes the tables and the trace to a run directory.
func (p *Profile) save(dir string, start time.Time) error {
	if err := writeFile(filepath.Join(dir, profileFile), func(w io.Writer) error { _, err := p.WriteTo(w); return err }); err != nil {
		return err
	}
	var events []exec.TraceEvent
	for _, g := range p.Programs {
		for _, e := range g.Trace(g.began.Sub(start)) {
			e.Category = g.Name
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b exec.TraceEvent) int { return cmp.Compare(a.Start, b.Start) })
	return writeFile(filepath.Join(dir, traceFile), func(w io.Writer) error { return exec.WriteTrace(w, events) })
}
