package main

import (
	"fmt"
	"io"

	"github.com/saddle-ml/saddle/internal/task"
)

// list writes all names that the flags know.
func list(w io.Writer) error {
	for _, s := range suites() {
		if _, err := fmt.Fprintf(w, "suite %s: %s\n\n", s.name, s.use); err != nil {
			return err
		}
		if _, err := s.table().WriteTo(w); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n%s\n\n", s.rules); err != nil {
			return err
		}
	}
	return task.List(w)
}
