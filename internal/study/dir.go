package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
)

const (
	studyFile   = "study.json"
	studyFormat = 1
)

// about is study.json: what a directory is of.
type about struct {
	Format   int             `json:"format"`
	Kind     string          `json:"kind"`
	Settings json.RawMessage `json:"settings"`
}

// Open makes path the directory of a study of a kind with settings, anything that
// becomes a JSON object, or takes up the study that is there. Its settings must
// be the same but for the free ones, by their names, which replace the old ones.
func Open(path, kind string, settings any, free ...string) error {
	now, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	old, err := read(path)
	switch {
	case err == nil && old.Kind != kind:
		return fmt.Errorf("study: %s is of a %s, not of a %s; choose another directory", path, old.Kind, kind)
	case err == nil:
		if err := same(path, old.Settings, now, free); err != nil {
			return err
		}
	case !errors.Is(err, errNoStudy):
		return err
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	if old == nil {
		entries, err := os.ReadDir(path)
		if err != nil {
			return fmt.Errorf("study: %w", err)
		}
		if len(entries) > 0 {
			return fmt.Errorf("study: %s holds files and is not the directory of a %s (it has no %s); choose another one", path, kind, studyFile)
		}
	}
	b, err := json.MarshalIndent(about{studyFormat, kind, now}, "", "  ")
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return WriteFile(filepath.Join(path, studyFile), append(b, '\n'))
}

// Settings reads the settings of the study in a directory, which is of a kind.
func Settings(path, kind string, settings any) error {
	old, err := read(path)
	if err != nil {
		return err
	}
	if old.Kind != kind {
		return fmt.Errorf("study: %s is of a %s, not of a %s", path, old.Kind, kind)
	}
	if err := json.Unmarshal(old.Settings, settings); err != nil {
		return fmt.Errorf("study: %s: %w", filepath.Join(path, studyFile), err)
	}
	return nil
}

// Kind tells what the study in a directory is.
func Kind(path string) (string, error) {
	old, err := read(path)
	if err != nil {
		return "", err
	}
	return old.Kind, nil
}

var errNoStudy = errors.New("no study")

func read(path string) (*about, error) {
	file := filepath.Join(path, studyFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("study: %s has no %s: %w", path, studyFile, errNoStudy)
	}
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	a := &about{}
	if err := json.Unmarshal(b, a); err != nil {
		return nil, fmt.Errorf("study: %s: %w", file, err)
	}
	if a.Format != studyFormat {
		return nil, fmt.Errorf("study: %s has format %d, this program reads %d", file, a.Format, studyFormat)
	}
	return a, nil
}

// same says where settings differ.
func same(path string, old, now json.RawMessage, free []string) error {
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(old, &a), json.Unmarshal(now, &b)); err != nil {
		return fmt.Errorf("study: settings in %s: %w", path, err)
	}
	var names []string
	for _, m := range []map[string]any{a, b} {
		for name := range m {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if x, y := a[name], b[name]; !slices.Contains(free, name) && !reflect.DeepEqual(x, y) {
			return fmt.Errorf("study: %s was begun with %s %v, now it is %v; choose another directory, or go on with the old settings", path, name, orNone(x), orNone(y))
		}
	}
	return nil
}

func orNone(v any) any {
	if v == nil {
		return "none"
	}
	return v
}
