package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/nn"
)

// task is the data of a run, ready for the model.
type task struct {
	name             string
	train, val, test data.Dataset // val may be nil
	classes          int
}

// csvTest is the share of a CSV file that is kept for the test.
const csvTest = 0.2

// load opens the data of the settings.
func (s *settings) load(ctx context.Context) (*task, error) {
	pair, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	t := &task{name: pair.Name, train: pair.Train, test: pair.Test, classes: pair.Train.Target().Classes}
	if t.classes == 0 {
		return nil, fmt.Errorf("data %s: its targets are %v; classes are needed", s.Data, pair.Train.Target())
	}
	if s.Limit > 0 {
		if t.train, err = data.Limit(t.train, s.Limit); err != nil {
			return nil, err
		}
	}
	if s.Val > 0 {
		if t.train, t.val, err = data.Split(t.train, s.Val, s.Seed); err != nil {
			return nil, usageError{err}
		}
	}
	if nn.IsAutoencoder(s.Model) {
		return t, t.autoencode()
	}
	others := []data.Dataset{t.test}
	if t.val != nil {
		others = append(others, t.val)
	}
	scaled, _, err := data.Standardize(t.train, others...)
	if err != nil {
		return nil, err
	}
	t.train, t.test = scaled[0], scaled[1]
	if t.val != nil {
		t.val = scaled[2]
	}
	return t, nil
}

func (s *settings) open(ctx context.Context) (*data.Pair, error) {
	if !isCSV(s.Data) {
		if names := append(data.Names(), "fashion-mnist"); !slices.Contains(names, s.Data) {
			return nil, usagef("unknown data set %q; known are %s, or a .csv file%s", s.Data, strings.Join(data.Names(), ", "), spell.Hint(s.Data, names))
		}
		if s.DataDir != "" && !data.FromFiles(s.Data) {
			return nil, usagef("-data-dir beside -data %s, which is made and not read from files", s.Data)
		}
		return data.Open(ctx, s.Data, s.DataDir)
	}
	path := s.Data
	if s.DataDir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(s.DataDir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table, err := data.ReadCSV(f, data.CSVOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(table.Classes) < 2 {
		return nil, fmt.Errorf("%s: the last column, %s, has the one class %q; two are needed", path, table.TargetColumn, table.Classes[0])
	}
	name := filepath.Base(path)
	name = cmp.Or(name[:strings.LastIndex(strings.ToLower(name), ".csv")], "csv")
	p := &data.Pair{Name: name, Classes: table.Classes}
	// The same test set whatever the seed, so that runs can be compared.
	p.Train, p.Test, err = data.Split(table, csvTest, 0)
	return p, err
}

func isCSV(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz")
}

// autoencode makes the inputs the targets.
func (t *task) autoencode() error {
	for _, d := range []*data.Dataset{&t.train, &t.val, &t.test} {
		if *d != nil {
			*d = data.Autoencode(*d)
		}
	}
	// The network's outputs are probabilities, so must the inputs be.
	n := min(1000, t.train.Len())
	index := make([]int, n)
	size := 1
	for _, d := range t.train.Shape() {
		size *= d
	}
	for i := range index {
		index[i] = i
	}
	x := make([]float64, n*size)
	if err := data.Read(t.train, x, nil, index); err != nil {
		return err
	}
	if slices.Min(x) < 0 || slices.Max(x) > 1 {
		return usagef("model autoencoder: the inputs of %s lie between %.3g and %.3g; it needs them in [0, 1], as in mnist", t.name, slices.Min(x), slices.Max(x))
	}
	return nil
}
