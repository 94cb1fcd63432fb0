package task

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/nn"
)

// Files says in words which files can be data.
const Files = "a .csv file whose last column is the class, or a .libsvm or .svm file"

// fileTest is the share of a file that is kept for the test.
const fileTest = 0.2

// A format is a kind of file that can be data.
type format struct {
	endings []string
	// open reads numbers as targets where isReal, and otherwise classes.
	open func(f *os.File, isReal bool) (data.Dataset, []string, error)
	// asIs says that inputs are used as they are; where says what the label is.
	asIs  bool
	where string
}

var formats = []format{
	{[]string{".csv"}, func(f *os.File, isReal bool) (data.Dataset, []string, error) {
		t, err := data.ReadCSV(f, data.CSVOptions{Real: isReal})
		if err != nil {
			return nil, nil, err
		}
		return t, t.Classes, nil
	}, false, "the last column"},
	{[]string{".libsvm", ".svm"}, func(f *os.File, isReal bool) (data.Dataset, []string, error) {
		d, err := data.ReadLIBSVM(f, data.LIBSVMOptions{Real: isReal})
		if err != nil {
			return nil, nil, err
		}
		return d, d.Classes, nil
	}, true, "the label"},
}

// fileFormat is the format that the ending of a name tells, and the file's name
// without it; nil for what is no file.
func fileFormat(path string) (f *format, stem string) {
	plain := filepath.Base(path)
	if strings.HasSuffix(strings.ToLower(plain), ".gz") {
		plain = plain[:len(plain)-len(".gz")]
	}
	ending := strings.ToLower(filepath.Ext(plain))
	for i := range formats {
		if slices.Contains(formats[i].endings, ending) {
			return &formats[i], plain[:len(plain)-len(ending)]
		}
	}
	return nil, ""
}

func (s *Spec) open(ctx context.Context) (*data.Pair, error) {
	format, stem := fileFormat(s.Data)
	if format != nil {
		return s.openFile(format, stem)
	}
	if names := append(data.Names(), "fashion-mnist"); !slices.Contains(names, s.Data) {
		return nil, cli.Usagef("unknown data set %q; known are %s, or %s%s", s.Data, strings.Join(data.Names(), ", "), Files, spell.Hint(s.Data, names))
	}
	if s.DataDir != "" && !data.FromFiles(s.Data) {
		return nil, cli.Usagef("-data-dir beside -data %s, which needs no files", s.Data)
	}
	return data.Open(ctx, s.Data, s.DataDir)
}

// openFile reads a file and keeps a part of it for the test.
func (s *Spec) openFile(format *format, stem string) (*data.Pair, error) {
	path := s.Data
	if s.DataDir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(s.DataDir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	isReal := nn.NumberTargets(s.Model)
	d, classes, err := format.open(f, isReal)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !isReal && len(classes) < 2 {
		return nil, fmt.Errorf("%s: %s has the one class %q; two are needed", path, format.where, classes[0])
	}
	p := &data.Pair{Name: cmp.Or(stem, "data"), Classes: classes, AsIs: format.asIs}
	// The same test set whatever the seed, so that runs can be compared.
	p.Train, p.Test, err = data.Split(d, fileTest, 0)
	return p, err
}
