package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// CSVOptions says how to read a CSV file; the zero value suits a file whose last column holds the classes.
type CSVOptions struct {
	Target  string   // name of the target's column; empty means the last
	Real    bool     // the target is a real number, not a class
	Classes []string // names of the classes by number, to read a second file as the first; nil means those found
	Comma   rune     // between cells; 0 means ','
}

// Table is a data set read from a CSV file. Inputs are vectors of all columns but the target's.
type Table struct {
	*Arrays[float64]
	Columns      []string // names of the features, in the order of the input vector
	TargetColumn string
	Classes      []string // names of the classes by number; nil for a real target
}

// ReadCSV reads a CSV file, plain or compressed with gzip: a header with the names of the columns, then one example
// a line, every cell filled. Features are finite numbers. A target is a class, named by an integer or by text, or
// with Real a number. Classes are numbered in sorted order, by value where all are integers and as text otherwise,
// so that the order of the lines does not matter. Errors name the line and the column.
func ReadCSV(r io.Reader, opt CSVOptions) (*Table, error) {
	t, err := readCSV(r, opt)
	if err != nil {
		return nil, fmt.Errorf("data: csv: %w", err)
	}
	return t, nil
}

func readCSV(r io.Reader, opt CSVOptions) (*Table, error) {
	r, err := plain(r)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReader(r)
	if bom, _ := b.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		_, _ = b.Discard(3)
	}
	cr := csv.NewReader(b)
	cr.FieldsPerRecord, cr.ReuseRecord, cr.TrimLeadingSpace = -1, true, opt.Comma != '\t'
	if opt.Comma != 0 {
		cr.Comma = opt.Comma
	}
	head, err := cr.Read()
	if err == io.EOF {
		return nil, errors.New("the file is empty, its first line must name the columns")
	}
	if err != nil {
		return nil, err
	}
	p, err := newTableParser(head, opt)
	if err != nil {
		return nil, err
	}
	for {
		row, err := cr.Read()
		if err == io.EOF {
			return p.table()
		}
		if err == nil {
			err = p.add(row, func(i int) int { line, _ := cr.FieldPos(i); return line })
		}
		if err != nil {
			return nil, err
		}
	}
}

// tableParser gathers the numbers of a file.
type tableParser struct {
	names  []string
	target int
	opt    CSVOptions
	x, y   []float64
	class  *classes
}

func newTableParser(head []string, opt CSVOptions) (*tableParser, error) {
	p := &tableParser{opt: opt}
	numbers, fractions := 0, 0
	column := make(map[string]int, len(head))
	for i, cell := range head {
		name := strings.Clone(strings.TrimSpace(cell))
		if name == "" {
			return nil, fmt.Errorf("header: column %d has no name", i+1)
		}
		if k, twice := column[name]; twice {
			return nil, fmt.Errorf("header: columns %d and %d are both named %q", k+1, i+1, name)
		}
		column[name] = i
		p.names = append(p.names, name)
		if v, err := strconv.ParseFloat(name, 64); err == nil {
			numbers++
			if v != math.Trunc(v) {
				fractions++
			}
		}
	}
	if numbers == len(head) && fractions > 0 {
		return nil, fmt.Errorf("header: all cells are numbers (%s), the first line must name the columns", listed(p.names))
	}
	if len(head) < 2 {
		return nil, fmt.Errorf("header: the only column is %q, a feature and a target are needed (is the separator right?)", p.names[0])
	}
	p.target = len(head) - 1
	if opt.Target != "" {
		if p.target = slices.Index(p.names, opt.Target); p.target < 0 {
			return nil, fmt.Errorf("there is no column %q for the target, the columns are %s%s", opt.Target, listed(p.names), spell.Hint(opt.Target, p.names))
		}
	}
	var err error
	p.class, err = newClasses(opt.Classes, opt.Real)
	return p, err
}

// add takes in one line; line tells where a cell stands, for errors.
func (p *tableParser) add(row []string, line func(int) int) error {
	if len(row) != len(p.names) {
		return fmt.Errorf("line %d: %d cells, the header names %d columns", line(0), len(row), len(p.names))
	}
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		var err error
		switch {
		case cell == "":
			err = errors.New("the cell is empty, every cell must be filled")
		case i != p.target:
			err = appendNumber(&p.x, cell)
		case p.opt.Real:
			err = appendNumber(&p.y, cell)
		default:
			var k float64
			if k, err = p.class.of(cell); err == nil {
				p.y = append(p.y, k)
			}
		}
		if err != nil {
			return fmt.Errorf("line %d, column %d (%s): %w", line(i), i+1, p.names[i], err)
		}
	}
	return nil
}

func appendNumber(to *[]float64, cell string) error {
	v, err := strconv.ParseFloat(cell, 64)
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%q is too large for a float64", cell)
	}
	if err != nil {
		return fmt.Errorf("%q is not a number", cell)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%q is not a finite number", cell)
	}
	*to = append(*to, v)
	return nil
}

func (p *tableParser) table() (*Table, error) {
	if len(p.y) == 0 {
		return nil, errors.New("no examples follow the header")
	}
	t := &Table{TargetColumn: p.names[p.target], Columns: slices.Delete(slices.Clone(p.names), p.target, p.target+1)}
	target := Target{Shape: []int{1}}
	if !p.opt.Real {
		p.class.sort(p.y)
		t.Classes, target = p.class.names, Target{Classes: len(p.class.names)}
	}
	var err error
	t.Arrays, err = New(slices.Clip(p.x), []int{len(t.Columns)}, slices.Clip(p.y), target)
	return t, err
}

// listed is names for an error, cut where they are many.
func listed(names []string) string {
	const most = 20
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
