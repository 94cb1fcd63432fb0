package task

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
)

// Spec names a task. The config.json of a run of cmd/train has it in its
// settings, so that other commands can load what the run was made of:
//
//	var s task.Spec
//	config, err := train.ReadConfig(dir, &s)
//	t, err := task.Load(ctx, s)
//	m, err := task.Build[float32](t, s)
type Spec struct {
	Data      string  `json:"data"`
	DataDir   string  `json:"data_dir,omitempty"`
	Model     string  `json:"model"`
	Seed      uint64  `json:"seed"` // of the first weights
	Val       float64 `json:"val"`
	Limit     int     `json:"limit"` // 0 means all
	Precision string  `json:"precision"`
}

// Flags adds the flags of a task, apart from the seed.
func (s *Spec) Flags(f *flag.FlagSet) {
	f.StringVar(&s.Data, "data", "mnist", "data `set`: a name (see -list), "+Files)
	f.StringVar(&s.DataDir, "data-dir", "", "`folder` with the files of the data set (default: $SADDLE_DATA, the user's cache, the network)")
	f.StringVar(&s.Model, "model", "mlp", "`model`: a name (see -list), or sizes such as 784-300-100-10")
	f.Float64Var(&s.Val, "val", 0, "`share` of the training set that is kept for validation")
	f.IntVar(&s.Limit, "limit", 0, "use only the first `N` training examples")
	f.StringVar(&s.Precision, "precision", "float32", "float32 or float64")
}

// Check says what is wrong with the settings whose values are few, also those
// from a file.
func (s *Spec) Check() error {
	switch precisions := []string{"float32", "float64"}; {
	case !(s.Val >= 0 && s.Val < 1):
		return fmt.Errorf("-val is %v; allowed are shares from 0 to below 1", s.Val)
	case s.Limit < 0:
		return fmt.Errorf("-limit is %d; allowed are 1 and more", s.Limit)
	case !slices.Contains(precisions, s.Precision):
		return fmt.Errorf("-precision is %q; allowed are float32 and float64%s", s.Precision, spell.Hint(s.Precision, precisions))
	}
	return nil
}

// Absolute makes the paths independent of the working directory: who goes on
// with a run may be elsewhere.
func (s *Spec) Absolute() error {
	paths := []*string{&s.DataDir}
	if f, _ := fileFormat(s.Data); f != nil && s.DataDir == "" {
		paths = append(paths, &s.Data)
	}
	for _, p := range paths {
		if *p == "" {
			continue
		}
		path, err := filepath.Abs(*p)
		if err != nil {
			return cli.Usage(err)
		}
		*p = path
	}
	return nil
}
