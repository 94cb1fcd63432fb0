package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
)

// Experiment is a claim of a paper that can be run.
type Experiment struct {
	Name    string // one word, with - between
	About   string // one line for a list
	Paper   string // who, when, where; the table or figure
	Claim   string // what it says
	Differs string // what is other here than in the paper, and why
	Takes   string // how long it takes on two cores, as "20 s"
	Full    string // what -full does and how long that takes; empty where there is no longer form

	// Run does it. Rows that miss their tolerance are no error.
	Run func(ctx context.Context, e *Env) (*Result, error)
}

// Result is what an experiment has found.
type Result struct {
	Rows  []Row
	Notes []string    // what else a reader should know, a line each
	Table []cli.Table // further tables, below the rows
}

// Row is one number beside the paper's.
type Row struct {
	What  string
	Paper string  // as the paper has it; empty where it has none
	Ours  float64 // NaN is a miss
	Want  Want    // the tolerance
}

// Want is a tolerance: what a number must be for a claim to hold. The zero Want is
// none: the number is there to be looked at.
type Want struct {
	words     string
	low, high float64
	ok        func(float64) bool
	digits    int
}

// AtMost wants numbers up to v.
func AtMost(v float64) Want {
	return Want{words: "at most HIGH", high: v, ok: func(x float64) bool { return x <= v }}
}

// AtLeast wants numbers from v on.
func AtLeast(v float64) Want {
	return Want{words: "at least LOW", low: v, ok: func(x float64) bool { return x >= v }}
}

// Between wants numbers from low to high.
func Between(low, high float64) Want {
	return Want{words: "LOW to HIGH", low: low, high: high, ok: func(x float64) bool { return x >= low && x <= high }}
}

// Digits is the same tolerance, which writes its numbers with n digits in the place
// of four.
func (w Want) Digits(n int) Want {
	w.digits = n
	return w
}

// Number is a number with as many digits as the tolerance has.
func (w Want) Number(v float64) string {
	if w.digits == 0 {
		return Number(v)
	}
	return digits(v, w.digits)
}

// String is the tolerance in words, empty for none.
func (w Want) String() string {
	if w.words == "" {
		return ""
	}
	return strings.NewReplacer("LOW", w.Number(w.low), "HIGH", w.Number(w.high)).Replace(w.words)
}

// Met tells whether a number is within the tolerance.
func (w Want) Met(x float64) bool { return w.ok == nil || w.ok(x) }

// Missed are the rows outside their tolerance.
func (r *Result) Missed() (list []Row) {
	for _, row := range r.Rows {
		if !row.Want.Met(row.Ours) {
			list = append(list, row)
		}
	}
	return list
}

// Number is a number as tables have it: four digits, 3.43e-4 where it is small.
func Number(v float64) string { return digits(v, 4) }

// digits is Number with so many digits, one less where it is small.
func digits(v float64, n int) string {
	text := strconv.FormatFloat(v, 'g', n, 64)
	if a := math.Abs(v); a > 0 && a < 1e-3 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', n-2, 64), "e-")
		text = mantissa + "e-" + strings.TrimLeft(exponent, "0")
	}
	return text
}

var registered []Experiment

// register makes an experiment known. It is for init functions: a wrong one is a
// mistake in the program.
func register(x Experiment) {
	if x.Name == "" || x.Run == nil || x.Claim == "" || x.Paper == "" || slices.ContainsFunc(registered, func(y Experiment) bool { return x.Name == y.Name }) {
		panic(fmt.Sprintf("experiments: %q has no name, claim, paper or function, or is there twice", x.Name))
	}
	registered = append(registered, x)
}

// All are the experiments by their names.
func All() []Experiment {
	list := slices.Clone(registered)
	slices.SortFunc(list, func(a, b Experiment) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ByName is the experiment of a name; an unknown one is an error of usage.
func ByName(name string) (*Experiment, error) {
	var names []string
	for _, x := range All() {
		if x.Name == name {
			return &x, nil
		}
		names = append(names, x.Name)
	}
	return nil, cli.Usagef("there is no experiment %q; known are %s%s", name, strings.Join(names, ", "), spell.Hint(name, names))
}
