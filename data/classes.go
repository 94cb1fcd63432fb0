package data

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// classes numbers the labels of a file. Those found in it are numbered in order of appearance until sort.
type classes struct {
	names  []string
	number map[string]int
	given  bool // by the options: no other is allowed
}

// newClasses begins with the classes of the options, if there are any.
func newClasses(names []string, isReal bool) (*classes, error) {
	if isReal && names != nil {
		return nil, errors.New("the options set both Real and Classes, a target is a number or a class")
	}
	c := &classes{number: map[string]int{}, given: names != nil}
	for _, name := range names {
		class, err := className(name)
		if err != nil {
			return nil, fmt.Errorf("class %q in the options %w", name, err)
		}
		if _, twice := c.number[class]; twice {
			return nil, fmt.Errorf("class %q stands twice in the options", name)
		}
		c.add(class)
	}
	return c, nil
}

func (c *classes) add(name string) int {
	k := len(c.names)
	c.number[name] = k
	c.names = append(c.names, name)
	return k
}

// of is the number of the class that a cell names.
func (c *classes) of(cell string) (float64, error) {
	name, err := className(cell)
	if err != nil {
		return 0, fmt.Errorf("%q %w", cell, err)
	}
	k, known := c.number[name]
	if !known && c.given {
		return 0, fmt.Errorf("%q is not one of the classes %s%s", cell, listed(c.names), spell.Hint(name, c.names))
	}
	if !known {
		k = c.add(strings.Clone(name))
	}
	return float64(k), nil
}

// className is the one spelling of a class: 7, 7.0, +7 and 007 are the same.
func className(cell string) (string, error) {
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case err != nil:
		return cell, nil
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "", errors.New("is no class")
	case v != math.Trunc(v):
		return "", errors.New("is no class: classes are whole numbers or words (set Real in the options for a target of real numbers)")
	}
	return strconv.FormatFloat(v+0, 'f', -1, 64), nil // -0 + 0 is 0
}

// sort numbers the classes found in sorted order, by value where all are numbers, and the labels y with them; given
// ones stay as they are.
func (c *classes) sort(y []float64) {
	if c.given {
		return
	}
	value := make(map[string]float64, len(c.names))
	for _, name := range c.names {
		if v, err := strconv.ParseFloat(name, 64); err == nil {
			value[name] = v
		}
	}
	slices.SortFunc(c.names, func(a, b string) int {
		if len(value) == len(c.names) {
			return cmp.Compare(value[a], value[b])
		}
		return cmp.Compare(a, b)
	})
	renumber := make([]float64, len(c.names))
	for k, name := range c.names {
		renumber[c.number[name]] = float64(k)
	}
	for i, k := range y {
		y[i] = renumber[int(k)]
	}
}
