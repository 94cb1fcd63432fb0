package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/safetensors"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// The files of checkpoints in a run directory.
const (
	lastFile    = "last.safetensors"
	bestFile    = "best.safetensors"
	stateFormat = "optimizer-%d.safetensors" // by the step
)

// progress is where a run stands, beside its weights and its optimizer.
type progress struct {
	Epoch int // the current one, from 0
	Batch int // batches of it that are done
	Step  int // steps done

	// Sums over this epoch's examples so far, and over the run.
	Examples     int
	Loss         float64
	Metrics      []float64
	LR           float64 // of the last step
	Work         int64
	Gradients    int64
	EpochSeconds float64
	TrainSeconds float64
	Seconds      float64

	Best     *float64 `json:",omitempty"` // lowest validation loss
	Done     bool
	Ending   bool  `json:",omitempty"` // an observer has ended the run in this epoch, which is to be measured
	LogBytes int64 // of log.jsonl
	Rows     []Row

	Curvature curvatureTally     // of this epoch
	Watched   map[string]float64 `json:",omitempty"` // in this epoch
	Watch     []json.RawMessage  `json:",omitempty"` // states of step watchers
	Points    []Point            `json:",omitempty"`
}

// stateMeta is what a checkpoint's state file holds beside the optimizer's
// vectors.
type stateMeta struct {
	Method   string
	Step     int
	Scalars  optimizers.Scalars
	Progress progress
}

// A checkpoint is two files. The weights name the file of the optimizer's state
// that belongs to them, which is written first under a name of its own: however
// the process ends, last.safetensors and its state belong together.
func saveCheckpoint[T Float](dir string, m *nn.Model[T], s optimizers.State[T], p *progress) error {
	f := &safetensors.File{}
	for _, name := range sortedNames(s.Vectors) {
		f.Tensors = append(f.Tensors, safetensors.New(name, []int{len(s.Vectors[name])}, s.Vectors[name]))
	}
	meta, err := json.Marshal(stateMeta{s.Method, s.Step, s.Scalars, *p})
	if err != nil {
		return fmt.Errorf("train: state of the run: %w", err)
	}
	f.Meta = map[string]string{"saddle": string(meta)}
	state := fmt.Sprintf(stateFormat, p.Step)
	if err := writeFile(filepath.Join(dir, state), func(w io.Writer) error { _, err := f.WriteTo(w); return err }); err != nil {
		return err
	}
	notes := map[string]string{"step": strconv.Itoa(p.Step), "state": state}
	if err := saveWeights(filepath.Join(dir, lastFile), m, notes); err != nil {
		return err
	}
	return removeStates(dir, state)
}

func saveWeights[T Float](path string, m *nn.Model[T], notes map[string]string) error {
	return writeFile(path, func(w io.Writer) error { return m.Save(w, notes) })
}

// removeStates removes the optimizer states of earlier checkpoints.
func removeStates(dir, keep string) error {
	old, err := states(dir)
	if err != nil {
		return err
	}
	for _, name := range old {
		if name == keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}

// states are the names of all optimizer states in a directory.
func states(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	before, after, _ := strings.Cut(stateFormat, "%d")
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			names = append(names, name)
		}
	}
	return names, nil
}

// errNoCheckpoint is for a run that ended before it had written its first one.
var errNoCheckpoint = errors.New("train: no checkpoint")

// unbegun tells whether there is no checkpoint and has been none: no weights,
// and at most the state that is written before them.
func unbegun(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, lastFile)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	old, err := states(dir)
	first := fmt.Sprintf(stateFormat, 0)
	return err == nil && !slices.ContainsFunc(old, func(name string) bool { return name != first })
}

// loadCheckpoint sets the model to the last checkpoint and returns the state
// that belongs to it.
func loadCheckpoint[T Float](dir string, m *nn.Model[T]) (optimizers.State[T], *progress, error) {
	var s optimizers.State[T]
	if unbegun(dir) {
		return s, nil, errNoCheckpoint
	}
	notes, err := LoadWeights(filepath.Join(dir, lastFile), m)
	if err != nil {
		return s, nil, err
	}
	name := notes["state"]
	if name == "" || name != filepath.Base(name) {
		return s, nil, fmt.Errorf("train: %s names no optimizer state; it is not a run's checkpoint", filepath.Join(dir, lastFile))
	}
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return s, nil, fmt.Errorf("train: %w", err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return s, nil, fmt.Errorf("train: %s: %w", path, err)
	}
	var meta stateMeta
	if err := json.Unmarshal([]byte(f.Meta["saddle"]), &meta); err != nil {
		return s, nil, fmt.Errorf("train: %s: state of the run: %w", path, err)
	}
	s = optimizers.State[T]{Method: meta.Method, Step: meta.Step, Scalars: meta.Scalars, Vectors: map[string][]T{}}
	for _, t := range f.Tensors {
		x := make([]T, product(t.Shape))
		if err := safetensors.Read(t, x); err != nil {
			return s, nil, fmt.Errorf("train: %s: %w", path, err)
		}
		s.Vectors[t.Name] = x
	}
	if notes["step"] != strconv.Itoa(meta.Progress.Step) {
		return s, nil, fmt.Errorf("train: %s is of step %s, its state of step %d", dir, notes["step"], meta.Progress.Step)
	}
	return s, &meta.Progress, nil
}

// LoadWeights sets the model's parameters and buffers to those in a file, such
// as a run's last.safetensors, and returns its notes.
func LoadWeights[T Float](path string, m *nn.Model[T]) (notes map[string]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	if notes, err = m.Load(f); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return notes, nil
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
