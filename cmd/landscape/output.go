package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
)

// write writes a file of the results: whole, or not at all.
func (e *env) write(name string, b []byte) error {
	path := filepath.Join(e.out, name)
	temporary := filepath.Join(e.out, ".partial-"+name)
	err := os.WriteFile(temporary, b, 0o666)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// drop removes what an earlier call has left and this one has none of.
func (e *env) drop(names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(e.out, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// number is a float64 in JSON, in which NaN and infinities are null.
type number float64

// MarshalJSON writes the number or null.
func (v number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(v), 'g', -1, 64), nil
}

// UnmarshalJSON reads null as NaN.
func (v *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*v = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(v))
}

// save writes a value as JSON.
func (e *env) save(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return e.write(name, append(b, '\n'))
}

// table writes rows as CSV.
func (e *env) table(name string, head []string, rows [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{head}, rows...)); err != nil {
		return err
	}
	return e.write(name, b.Bytes())
}

func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// made is what a measurement was made of. Results of the same go on where they
// stopped; those of another are made anew.
type made struct {
	Run        string `json:"run"`
	Checkpoint string `json:"checkpoint"`
	Size       int64  `json:"checkpoint_bytes"`
	Time       int64  `json:"checkpoint_time"`
	Examples   int    `json:"examples"`
	Precision  string `json:"precision"`
	Seed       uint64 `json:"seed"`
	Settings   any    `json:"settings"`
}

// made says what the results of e with further settings are made of.
func (e *env) made(settings any) (made, error) {
	path, err := weights(e.dir, e.checkpoint)
	if err != nil {
		return made{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return made{}, err
	}
	dir, err := filepath.Abs(e.dir)
	if err != nil {
		return made{}, err
	}
	return made{Run: filepath.Base(dir), Checkpoint: filepath.Base(path), Size: info.Size(), Time: info.ModTime().UnixNano(),
		Examples: e.examples, Precision: e.spec.Precision, Seed: e.seed, Settings: settings}, nil
}

// recall reads results, a pointer to a struct with a field Made, if there are any
// of the same making; it tells whether there were.
func (e *env) recall(name string, now made, results any) (bool, error) {
	path := filepath.Join(e.out, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var head struct{ Made json.RawMessage }
	if err := json.Unmarshal(b, &head); err != nil {
		return false, fmt.Errorf("%s is not what this command writes: %w; remove it, or choose another -out", path, err)
	}
	want, err := json.Marshal(now)
	if err != nil {
		return false, err
	}
	var was, is any
	if json.Unmarshal(head.Made, &was) != nil || json.Unmarshal(want, &is) != nil || !reflect.DeepEqual(was, is) {
		e.progress(true, "%s is of other settings and is made anew", path)
		return false, nil
	}
	if err := json.Unmarshal(b, results); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}
