package data

import (
	"context"
	"fmt"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// Pair is a named task: a training set, a test set, and what the classes are called.
type Pair struct {
	Name        string
	Train, Test Dataset
	Classes     []string // names of the classes by number; nil where they have none
	// AsIs says that the inputs are to be used as they are: most are 0, and a mean of 0 would fill them, or they are part
	// of a function.
	AsIs bool
}

// Standardize is the pair scaled to mean 0 and standard deviation 1 by the numbers of its training set.
func (p *Pair) Standardize() (*Pair, *Scaler, error) {
	sets, s, err := Standardize(p.Train, p.Test)
	if err != nil {
		return nil, nil, err
	}
	return &Pair{Name: p.Name, Train: sets[0], Test: sets[1], Classes: p.Classes}, s, nil
}

// opener is one task that Open knows.
type opener struct {
	name  string
	alias string
	files bool // it is read from files
	open  func(ctx context.Context, dir string) (*Pair, error)
}

func openers() []opener {
	return []opener{
		{"mnist", "", true, MNIST},
		{"fashion", "fashion-mnist", true, FashionMNIST},
		{"blobs", "", false, func(context.Context, string) (*Pair, error) {
			d, err := Blobs(5000, 10, 20, 1, 1)
			return splitPair("blobs", d, nil, err)
		}},
		{"spirals", "", false, func(context.Context, string) (*Pair, error) {
			d, err := Spirals(3000, 3, 0.03, 1)
			return splitPair("spirals", d, nil, err)
		}},
		{"lse", "", false, func(context.Context, string) (*Pair, error) {
			d, err := LogSumExp(500, 200, 0.05, 1)
			return &Pair{Name: "lse", Train: d, Test: d, AsIs: true}, err
		}},
		{"a9a", "", false, sparsePair("a9a")},
		{"w8a", "", false, sparsePair("w8a")},
		{"mushrooms", "", false, sparsePair("mushrooms")},
	}
}

// sparsePair is a published set that comes without one for the test, or without room for it.
func sparsePair(name string) func(context.Context, string) (*Pair, error) {
	return func(context.Context, string) (*Pair, error) {
		d, err := published(name)
		if err != nil {
			return nil, err
		}
		p, err := splitPair(name, d, d.Classes, nil)
		if err == nil {
			p.AsIs = true
		}
		return p, err
	}
}

// splitPair keeps a fifth of a set for the test.
func splitPair(name string, d Dataset, classes []string, err error) (*Pair, error) {
	if err != nil {
		return nil, err
	}
	train, test, err := Split(d, 0.2, 1)
	if err != nil {
		return nil, err
	}
	return &Pair{Name: name, Train: train, Test: test, Classes: classes}, nil
}

// Names are the tasks that Open knows.
func Names() []string {
	var names []string
	for _, o := range openers() {
		names = append(names, o.name)
	}
	return names
}

// FromFiles tells whether Open reads the task of a name from files, so that a
// directory has a meaning.
func FromFiles(name string) bool {
	for _, o := range openers() {
		if o.files && (name == o.name || name == o.alias) {
			return true
		}
	}
	return false
}

// Open is the task of a name: "mnist" and "fashion" (or "fashion-mnist") from files, in dir if that is not empty
// (see MNIST); "blobs" (5,000 examples, 10 classes, 20 features, spread 1) and "spirals" (3,000 examples, 3 arms,
// noise 0.03) and the sets of indicators "a9a", "w8a" and "mushrooms" (see A9A), of which a fifth is for the test,
// without, and "lse" (see LogSumExp: 500 examples, 200 features, rho 0.05), whose test set is the training set, because
// it is one function of all examples.
func Open(ctx context.Context, name, dir string) (*Pair, error) {
	var known []string
	for _, o := range openers() {
		if name == o.name || name == o.alias && name != "" {
			return o.open(ctx, dir)
		}
		known = append(known, o.name)
		if o.alias != "" {
			known = append(known, o.alias)
		}
	}
	return nil, fmt.Errorf("data: there is no data set %q, the known ones are %s%s", name, strings.Join(Names(), ", "), spell.Hint(name, known))
}
