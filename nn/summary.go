package nn

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Row is a layer in the summary of a model.
type Row struct {
	Name   string // as parameters begin with it
	Layer  string
	Output []int // shape of one example
	Params int
}

// Rows lists the layers in the order in which they are applied.
func (m *Model[T]) Rows() []Row { return m.rows }

// Summary is a table of the layers: name, layer, shape of an example's output
// and number of parameters, with the total.
func (m *Model[T]) Summary() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "name\tlayer\toutput\tparameters\n")
	fmt.Fprintf(w, "input\t-\t%v\t-\n", m.input)
	for _, r := range m.rows {
		n := "-"
		if r.Params > 0 {
			n = thousands(r.Params)
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\n", r.Name, r.Layer, r.Output, n)
	}
	fmt.Fprintf(w, "total\t\t\t%s\n", thousands(len(m.Params)))
	w.Flush()
	return b.String()
}

// thousands prints n like 101,770.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
