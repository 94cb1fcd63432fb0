package task

import (
	"context"
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// Task is data that is ready for a model.
type Task struct {
	Name             string
	Train, Val, Test data.Dataset // Val may be nil
	Classes          int          // 0 where the targets are numbers
}

// Load opens the data that s names and prepares it for the model that s names:
// inputs are standardised by the training set, unless they are sparse, and are
// the targets of an autoencoder. Wrong names are errors of usage.
func Load(ctx context.Context, s Spec) (*Task, error) {
	pair, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	t := &Task{Name: pair.Name, Train: pair.Train, Test: pair.Test, Classes: pair.Train.Target().Classes}
	if t.Classes == 0 && !nn.NumberTargets(s.Model) {
		return nil, fmt.Errorf("data %s: its targets are %v; classes are needed", s.Data, pair.Train.Target())
	}
	if s.Limit > 0 {
		if t.Train, err = data.Limit(t.Train, s.Limit); err != nil {
			return nil, err
		}
	}
	if s.Val > 0 {
		// The same sets whatever the seed, so that runs can be compared.
		if t.Train, t.Val, err = data.Split(t.Train, s.Val, 0); err != nil {
			return nil, cli.Usage(err)
		}
	}
	if nn.IsAutoencoder(s.Model) {
		return t, t.autoencode()
	}
	if pair.AsIs {
		return t, nil
	}
	others := []data.Dataset{t.Test}
	if t.Val != nil {
		others = append(others, t.Val)
	}
	scaled, _, err := data.Standardize(t.Train, others...)
	if err != nil {
		return nil, err
	}
	t.Train, t.Test = scaled[0], scaled[1]
	if t.Val != nil {
		t.Val = scaled[2]
	}
	return t, nil
}

// autoencode makes the inputs the targets.
func (t *Task) autoencode() error {
	for _, d := range []*data.Dataset{&t.Train, &t.Val, &t.Test} {
		if *d != nil {
			*d = data.Autoencode(*d)
		}
	}
	// The network's outputs are probabilities, so must the inputs be.
	n := min(1000, t.Train.Len())
	index := make([]int, n)
	size := 1
	for _, d := range t.Train.Shape() {
		size *= d
	}
	for i := range index {
		index[i] = i
	}
	x := make([]float64, n*size)
	if err := data.Read(t.Train, x, nil, index); err != nil {
		return err
	}
	if slices.Min(x) < 0 || slices.Max(x) > 1 {
		return cli.Usagef("model autoencoder: the inputs of %s lie between %.3g and %.3g; it needs them in [0, 1], as in mnist", t.Name, slices.Min(x), slices.Max(x))
	}
	return nil
}

// Build makes the model that s names for a task, with first weights by the seed.
func Build[T train.Float](t *Task, s Spec) (*nn.Model[T], error) {
	net, loss, err := nn.ByName(s.Model, t.Train.Shape(), t.Classes)
	if err != nil {
		return nil, cli.Usage(err)
	}
	return nn.Build[T](net, loss, t.Train.Shape(), nn.Seed(s.Seed))
}
