package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/optimizers"
)

// Snapshots say after which steps a run keeps its weights in files of their own:
// after those that any of the fields names, and before the first. The zero value
// keeps none.
type Snapshots struct {
	Every int  // after every so many steps
	Epoch bool // after every epoch
	Log   int  // after so many steps in geometric progression, from 1 to the last
}

// String is how cmd/train spells them: every=100,epoch,log=20.
func (s Snapshots) String() string {
	var words []string
	if s.Every != 0 {
		words = append(words, fmt.Sprint("every=", s.Every))
	}
	if s.Epoch {
		words = append(words, "epoch")
	}
	if s.Log != 0 {
		words = append(words, fmt.Sprint("log=", s.Log))
	}
	return strings.Join(words, ",")
}

// logSteps are the steps of Log in a run of so many: the roundings of a geometric
// progression, each once.
func (s Snapshots) logSteps(steps int) ([]int, error) {
	switch {
	case s.Every < 0:
		return nil, fmt.Errorf("train: snapshots every %d steps; allowed are 1 and more (0 means none)", s.Every)
	case s.Log == 0:
		return nil, nil
	case s.Log < 2 || s.Log > steps:
		return nil, fmt.Errorf("train: %d snapshots spread over the %d steps of the run; allowed are 2 to %[2]d (0 means none)", s.Log, steps)
	}
	var list []int
	for i := range s.Log {
		list = append(list, int(math.Round(math.Pow(float64(steps), float64(i)/float64(s.Log-1)))))
	}
	return slices.Compact(list), nil
}

// The folder of snapshots in a run directory, and their names, which sort by step.
const (
	snapshotDir    = "snapshots"
	snapshotFormat = "step-%09d.safetensors"
)

// snapshot keeps the weights for evaluation if the present step is one to keep
// them after. The same step gives the same file again.
func (r *run[T]) snapshot(ctx context.Context) error {
	s, step := r.config.Snapshots, r.at.Step
	if s == (Snapshots{}) || r.snapped == step {
		return nil
	}
	_, log := slices.BinarySearch(r.logSteps, step)
	if step > 0 && !log && !(s.Every > 0 && step%s.Every == 0) && !(s.Epoch && step%r.loader.Steps() == 0) {
		return nil
	}
	if name := r.notFinite(optimizers.State[T]{}); name != "" {
		return r.spoilt(name)
	}
	if err := r.show(ctx); err != nil {
		return err
	}
	defer r.hide()
	dir := filepath.Join(r.config.Dir, snapshotDir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := saveWeights(filepath.Join(dir, fmt.Sprintf(snapshotFormat, step)), r.model, map[string]string{"step": strconv.Itoa(step)}); err != nil {
		return err
	}
	r.snapped = step
	r.clock()
	return nil
}

// Snapshot is a file of weights, which LoadWeights reads, and the steps that had
// been done.
type Snapshot struct {
	Step int
	Path string
}

// ListSnapshots are those of a run directory by step, none where the run kept none.
func ListSnapshots(dir string) ([]Snapshot, error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	var list []Snapshot
	for _, e := range entries {
		var step int
		if _, err := fmt.Sscanf(e.Name(), snapshotFormat, &step); err == nil && e.Name() == fmt.Sprintf(snapshotFormat, step) {
			list = append(list, Snapshot{step, filepath.Join(dir, snapshotDir, e.Name())})
		}
	}
	slices.SortFunc(list, func(a, b Snapshot) int { return a.Step - b.Step })
	return list, nil
}
