package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// The other files of a run directory.
const (
	configFile  = "config.json"
	logFile     = "log.jsonl"
	metricsFile = "metrics.csv"
	resultFile  = "result.json"
)

// RunConfig is config.json: what a run was made of.
type RunConfig struct {
	Format     int       `json:"format"` // of the directory
	Data       string    `json:"data"`
	Model      string    `json:"model"`
	Optimizer  string    `json:"optimizer"` // with its settings, as optimizers.Parse reads them
	Loss       string    `json:"loss"`
	Precision  string    `json:"precision"`
	Epochs     int       `json:"epochs"`
	Batch      int       `json:"batch"`
	DropLast   bool      `json:"drop_last"`
	Seed       uint64    `json:"seed"`
	Every      int       `json:"every"`     // steps between points, 0 for none
	Snapshots  string    `json:"snapshots"` // as -snapshots of cmd/train spells them
	Examples   int       `json:"examples"`  // of the training set
	Checksums  Checksums `json:"checksums"`
	Input      []int     `json:"input"` // shape of one example
	Parameters int       `json:"parameters"`
	Layers     []Layers  `json:"layers"`
	Settings   any       `json:"settings,omitempty"`
}

// Checksums tell whether data is what it was: of all numbers of a small set, of
// evenly spaced examples of a large one. What there is not has none.
type Checksums struct {
	Train string `json:"train"`
	Val   string `json:"val,omitempty"`
	Test  string `json:"test,omitempty"`
	Probe string `json:"probe,omitempty"`
}

// changed is the error for data that is not what it was.
func (c Checksums) changed(now Checksums) error {
	role := "training"
	switch {
	case c.Train != now.Train:
	case c.Val != now.Val:
		role = "validation"
	case c.Test != now.Test:
		role = "test"
	default:
		role = "probe"
	}
	return fmt.Errorf("train: the %s data is not what it was when the run to resume began", role)
}

// Layers is a layer in config.json.
type Layers struct {
	Name       string `json:"name"`
	Layer      string `json:"layer"`
	Output     []int  `json:"output"` // shape for one example
	Parameters int    `json:"parameters"`
}

const format = 1

func describe[T Float](m *nn.Model[T], d data.Dataset, c Config) (RunConfig, error) {
	var x T
	r := RunConfig{Format: format, Data: c.Data, Model: c.Model, Optimizer: optimizers.Spec(c.Optimizer), Loss: m.Loss().String(),
		Precision: fmt.Sprintf("%T", x), Epochs: c.Epochs, Batch: c.Batch, DropLast: c.DropLast, Seed: c.Seed, Every: c.Every, Snapshots: c.Snapshots.String(),
		Examples: d.Len(), Input: m.Input(), Parameters: len(m.Params), Settings: c.Settings}
	for _, row := range m.Rows() {
		r.Layers = append(r.Layers, Layers{row.Name, row.Layer, row.Output, row.Params})
	}
	if c.Dir == "" {
		return r, nil
	}
	for _, set := range []struct {
		d   data.Dataset
		sum *string
	}{{d, &r.Checksums.Train}, {c.Val, &r.Checksums.Val}, {c.Test, &r.Checksums.Test}, {c.Probe, &r.Checksums.Probe}} {
		if set.d == nil {
			continue
		}
		var err error
		if *set.sum, err = fingerprint[T](set.d); err != nil {
			return r, err
		}
	}
	return r, nil
}

// ReadConfig reads the config.json of a run directory. Its settings are decoded
// into settings, a pointer, if that is not nil.
func ReadConfig(dir string, settings any) (*RunConfig, error) {
	path := filepath.Join(dir, configFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: %s is not the directory of a run: it has no %s", dir, configFile)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	c := &RunConfig{Settings: settings}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	if c.Format != format {
		return nil, fmt.Errorf("train: %s has format %d, this program reads %d", path, c.Format, format)
	}
	return c, nil
}

// same says where two runs differ that should be one.
func (r RunConfig) same(now RunConfig) error {
	a, b := reflect.ValueOf(r), reflect.ValueOf(now)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Name == "Settings" { // whoever gave them knows
			continue
		}
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			if was, ok := x.(Checksums); ok {
				return was.changed(y.(Checksums))
			}
			return fmt.Errorf("train: the run to resume had %s %v, now it is %v", f.Tag.Get("json"), x, y)
		}
	}
	return nil
}

// openDir makes dir a run directory, or with resume checks that it is that of
// this run, and takes it for this process by its log. What fails leaves nothing.
func openDir(dir string, c RunConfig, resume bool) (log *logger, err error) {
	if resume {
		old, err := ReadConfig(dir, nil)
		if err != nil {
			return nil, err
		}
		if err := old.same(c); err != nil {
			return nil, err
		}
		if log, err = openLog(filepath.Join(dir, logFile)); err != nil {
			return nil, err
		}
		if err := errors.Join(removePartial(dir), removePartial(filepath.Join(dir, snapshotDir))); err != nil {
			return nil, errors.Join(err, log.close())
		}
		return log, nil
	}
	_, err = os.Stat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer func() {
		if err != nil && made {
			os.Remove(dir) // if it is empty
		}
	}()
	if log, err = openLog(filepath.Join(dir, logFile)); err != nil {
		return nil, err
	}
	if err = vacant(dir, log); err != nil {
		log.f.Close()
		return nil, err
	}
	text, err := indented(c)
	if err == nil {
		err = writeBytes(filepath.Join(dir, configFile), text)
	}
	if err != nil {
		log.f.Close()
		os.Remove(log.f.Name())
		return nil, err
	}
	return log, nil
}

// vacant says whether a directory can take a new run.
func vacant(dir string, log *logger) error {
	for _, name := range []string{configFile, lastFile, snapshotDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("train: %s holds a run already (%s); resume it, or choose another directory", dir, name)
		}
	}
	size, err := log.size()
	if err == nil && size > 0 {
		err = fmt.Errorf("train: %s holds the %s of a run already; choose another directory", dir, logFile)
	}
	return err
}

func writeBytes(path string, b []byte) error {
	return writeFile(path, func(w io.Writer) error { _, err := w.Write(b); return err })
}
