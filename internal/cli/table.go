package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is text in columns: the first one to the left, the others to the right,
// as numbers are. A row may have fewer cells than the header; then the last one
// is text that goes on over the rest of the line.
type Table struct {
	Header []string
	Rows   [][]string
	Left   map[int]bool // columns that stand to the left beside the first
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// WriteTo writes the table with two spaces between columns.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	var widths []int
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i > 0 && i == len(row)-1 && len(row) < len(t.Header) {
				continue
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	b := bufio.NewWriter(w)
	n := int64(0)
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		var line strings.Builder
		for i, c := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c)))
			switch {
			case i > 0 && i == len(row)-1 && len(row) < len(t.Header):
				line.WriteString(c)
			case i == 0 || t.Left[i]:
				line.WriteString(c + pad)
			default:
				line.WriteString(pad + c)
			}
		}
		k, err := fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, b.Flush()
}
