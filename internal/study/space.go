package study

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Space is the settings that a search tries: a dimension for each.
type Space []Dimension

// Dimension is the values of one setting: a list, or all numbers in a range.
type Dimension struct {
	Name      string
	Values    []string // nil of a range
	Low, High float64
	Log       bool // of a range: by its logarithm
}

// Choice is a value for each dimension, in the space's order.
type Choice []string

// ParseSpace reads a space:
//
//	lr=1e-4:1e-1:log,momentum=0|0.9,beta2=0.9:0.999,decay=1e-5:1e-2:log:4
//
// Values stand between |, a range is low:high, with :log by its logarithm, and
// with a number behind it that many values evenly spaced.
func ParseSpace(text string) (Space, error) {
	var s Space
	for item := range strings.SplitSeq(text, ",") {
		name, values, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok || name == "" || values == "" {
			return nil, fmt.Errorf("%q; allowed are name=low:high, name=low:high:log and name=a|b|c, with , between", item)
		}
		if slices.ContainsFunc(s, func(d Dimension) bool { return d.Name == name }) {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		d, err := parseDimension(name, values)
		if err != nil {
			return nil, err
		}
		s = append(s, *d)
	}
	return s, nil
}

func parseDimension(name, text string) (*Dimension, error) {
	if !strings.Contains(text, ":") {
		values := strings.Split(text, "|")
		for i, v := range values {
			if v == "" || slices.Contains(values[:i], v) {
				return nil, fmt.Errorf("%s=%s: the value %q is empty or there twice", name, text, v)
			}
		}
		return &Dimension{Name: name, Values: values}, nil
	}
	parts := strings.Split(text, ":")
	d := &Dimension{Name: name}
	for i, dst := range []*float64{&d.Low, &d.High} {
		v, err := strconv.ParseFloat(parts[i], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s=%s: %q is no number", name, text, parts[i])
		}
		*dst = v
	}
	rest := parts[2:]
	if len(rest) > 0 && rest[0] == "log" {
		d.Log, rest = true, rest[1:]
	}
	if d.Low >= d.High || d.Log && d.Low <= 0 {
		return nil, fmt.Errorf("%s=%s: a range must rise, and be positive to be logarithmic", name, text)
	}
	if len(rest) == 0 {
		return d, nil
	}
	const most = 1000
	n, err := strconv.Atoi(rest[0])
	if err != nil || len(rest) > 1 || n < 2 || n > most {
		return nil, fmt.Errorf("%s=%s: %q; behind a range may stand log, and a number of values from 2 to %d", name, text, strings.Join(rest, ":"), most)
	}
	for i := range n {
		d.Values = append(d.Values, number(d.at(float64(i)/float64(n-1))))
	}
	return d, nil
}

// at is the value at a share of the range.
func (d Dimension) at(share float64) float64 {
	if d.Log {
		return math.Exp(math.Log(d.Low) + share*(math.Log(d.High)-math.Log(d.Low)))
	}
	return d.Low + share*(d.High-d.Low)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// Names are the names of the dimensions.
func (s Space) Names() []string {
	var names []string
	for _, d := range s {
		names = append(names, d.Name)
	}
	return names
}

// Finite tells whether all dimensions are lists.
func (s Space) Finite() bool {
	return !slices.ContainsFunc(s, func(d Dimension) bool { return d.Values == nil })
}

// mostChoices bounds a grid.
const mostChoices = 100_000

// Grid is all choices of a space of lists.
func (s Space) Grid() ([]Choice, error) {
	list := []Choice{{}}
	for _, d := range s {
		if d.Values == nil {
			return nil, fmt.Errorf("%s is a range without a number of values; a grid needs one, as %s=%v:%v:4, and a random search a number of trials", d.Name, d.Name, d.Low, d.High)
		}
		if len(list) > mostChoices/len(d.Values) {
			return nil, fmt.Errorf("the grid has more than %d choices", mostChoices)
		}
		var longer []Choice
		for _, c := range list {
			for _, v := range d.Values {
				longer = append(longer, append(slices.Clone(c), v))
			}
		}
		list = longer
	}
	return list, nil
}

// Draw is n choices at random, by a seed: different ones of a space of lists, all
// of them if there are no more. More of them begin with the same ones.
func (s Space) Draw(n int, seed uint64) ([]Choice, error) {
	r := rand.New(rand.NewPCG(seed, 0x73706163))
	if s.Finite() {
		list, err := s.Grid()
		if err != nil {
			return nil, err
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list[:min(n, len(list))], nil
	}
	var list []Choice
	for range n {
		var c Choice
		for _, d := range s {
			if d.Values != nil {
				c = append(c, d.Values[r.IntN(len(d.Values))])
				continue
			}
			c = append(c, number(d.at(r.Float64())))
		}
		list = append(list, c)
	}
	return list, nil
}
