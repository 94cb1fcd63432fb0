package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// WriteFile writes a file that is whole or what it was before.
func WriteFile(path string, b []byte) error {
	if err := replace(path, b); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return nil
}

func replace(path string, b []byte) error {
	dir, name := filepath.Split(path)
	f, err := os.CreateTemp(dir, ".partial-*-"+name)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// WriteCSV writes a table whose first row is its header. Numbers that are not
// finite are empty.
func WriteCSV(path string, rows [][]any) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		var text []string
		for _, v := range row {
			text = append(text, cell(v))
		}
		if err := w.Write(text); err != nil {
			return fmt.Errorf("study: %w", err)
		}
	}
	w.Flush()
	return errors.Join(w.Error(), WriteFile(path, b.Bytes()))
}

func cell(v any) string {
	x, ok := v.(float64)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case math.IsNaN(x) || math.IsInf(x, 0):
		return ""
	}
	return strconv.FormatFloat(x, 'g', 8, 64)
}
