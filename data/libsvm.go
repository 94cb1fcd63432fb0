package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// LIBSVMOptions says how to read a LIBSVM file; the zero value suits a file of classes.
type LIBSVMOptions struct {
	Real     bool     // the label is a real number, not a class
	Classes  []string // names of the classes by number, to read a second file as the first; nil means those found
	Features int      // length of the vectors; 0 means the largest index in the file
}

// LIBSVM is a data set read from a file in the format of LIBSVM (Chang and Lin 2011).
type LIBSVM struct {
	*Sparse
	Classes []string // names of the classes by number; nil for a real target
}

// ReadLIBSVM reads a file in the format of LIBSVM, also known as SVMlight's, plain or compressed with gzip: one example
// a line, its label first, then index:value for the features that are not 0.
//
//	+1 3:1 11:0.25 # a comment
//
// Indices begin at 1 and ascend. A label is a class, named by a whole number such as +1 and -1, or with Real a number;
// classes are numbered in the order of those numbers, so that -1 and +1 become 0 and 1. Blank lines are passed over.
// Errors name the line and the column, which counts bytes from 1.
func ReadLIBSVM(r io.Reader, opt LIBSVMOptions) (*LIBSVM, error) {
	d, err := readLIBSVM(r, opt)
	if err != nil {
		return nil, fmt.Errorf("data: libsvm: %w", err)
	}
	return d, nil
}

func readLIBSVM(r io.Reader, opt LIBSVMOptions) (*LIBSVM, error) {
	if opt.Features < 0 || opt.Features > math.MaxInt32 {
		return nil, fmt.Errorf("the options set %d features; allowed are 1 to %d, or 0 for those found", opt.Features, math.MaxInt32)
	}
	r, err := plain(r)
	if err != nil {
		return nil, err
	}
	p := &vectorParser{opt: opt, start: []int{0}}
	if p.class, err = newClasses(opt.Classes, opt.Real); err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(r, 1<<16)
	var long []byte // a line that does not fit into the buffer
	for line := 1; ; line++ {
		text, err := b.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = long[:0]
			for errors.Is(err, bufio.ErrBufferFull) {
				long = append(long, text...)
				text, err = b.ReadSlice('\n')
			}
			long = append(long, text...)
			text = long
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if column, e := p.add(text); e != nil {
			return nil, fmt.Errorf("line %d, column %d: %w", line, column, e)
		}
		if err == io.EOF {
			return p.set()
		}
	}
}

// vectorParser gathers the numbers of a file.
type vectorParser struct {
	opt     LIBSVMOptions
	class   *classes
	start   []int
	index   []int32
	value   []float64
	y       []float64
	largest int // index
}

// add takes in one line, or says where in it an error is.
func (p *vectorParser) add(line []byte) (column int, err error) {
	if i := bytes.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	labelled, last := false, 0
	for at := 0; ; {
		for at < len(line) && isSpace(line[at]) {
			at++
		}
		if at == len(line) {
			break
		}
		from := at
		for at < len(line) && !isSpace(line[at]) {
			at++
		}
		word := line[from:at]
		if !labelled {
			labelled = true
			if err := p.label(word); err != nil {
				return from + 1, err
			}
			continue
		}
		if last, err = p.feature(word, last); err != nil {
			return from + 1, err
		}
	}
	if labelled {
		p.start = append(p.start, len(p.index))
	}
	return 0, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (p *vectorParser) label(word []byte) error {
	if bytes.IndexByte(word, ':') >= 0 {
		return fmt.Errorf("%.40q is no label: a line begins with the label, then come the features", word)
	}
	if bytes.IndexByte(word, ',') >= 0 {
		return fmt.Errorf("%.40q are several labels, an example has one", word)
	}
	v, err := parseNumber(word)
	if err != nil {
		return fmt.Errorf("label %w", err)
	}
	if !p.opt.Real {
		if v, err = p.class.of(string(word)); err != nil {
			return fmt.Errorf("label %w", err)
		}
	}
	p.y = append(p.y, v)
	return nil
}

// feature takes in index:value and returns the index.
func (p *vectorParser) feature(word []byte, last int) (int, error) {
	colon := bytes.IndexByte(word, ':')
	if colon < 0 {
		return 0, fmt.Errorf("%.40q is no feature, those are written index:value", word)
	}
	at, number := word[:colon], word[colon+1:]
	i, err := strconv.ParseUint(string(at), 10, 31)
	most := math.MaxInt32
	if p.opt.Features > 0 {
		most = p.opt.Features
	}
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && int(i) > most:
		return 0, fmt.Errorf("index %.40s is larger than %d", at, most)
	case err != nil && string(at) == "qid":
		return 0, fmt.Errorf("%.40q names a query, and data for ranking cannot be read", word)
	case err != nil:
		return 0, fmt.Errorf("%.40q is no index of a feature, those are whole numbers from 1 to %d", at, most)
	case i == 0:
		return 0, errors.New("index 0: the indices of features begin at 1")
	case int(i) <= last:
		return 0, fmt.Errorf("index %d after index %d: the indices of a line must ascend", i, last)
	}
	v, err := parseNumber(number)
	if err != nil {
		return 0, fmt.Errorf("value %w", err)
	}
	if v != 0 {
		p.index = append(p.index, int32(i)-1)
		p.value = append(p.value, v)
	}
	p.largest = max(p.largest, int(i))
	return int(i), nil
}

// parseNumber reads a finite number. Most are a single digit.
func parseNumber(word []byte) (float64, error) {
	if len(word) == 1 && word[0]-'0' < 10 {
		return float64(word[0] - '0'), nil
	}
	if bytes.ContainsAny(word, "xX_") { // Go's own spellings
		return 0, fmt.Errorf("%.40q is not a number", word)
	}
	v, err := strconv.ParseFloat(string(word), 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%.40q is too large for a float64", word)
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a number", word)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%.40q is not a finite number", word)
	}
	return v, nil
}

func (p *vectorParser) set() (*LIBSVM, error) {
	if len(p.y) == 0 {
		return nil, errors.New("the file has no examples")
	}
	features := p.largest
	if p.opt.Features > 0 {
		features = p.opt.Features
	}
	if features == 0 {
		return nil, errors.New("no example has a feature; the options can set how many there are")
	}
	d := &LIBSVM{}
	target := Target{Shape: []int{1}}
	if !p.opt.Real {
		p.class.sort(p.y)
		d.Classes, target = p.class.names, Target{Classes: len(p.class.names)}
	}
	var err error
	d.Sparse, err = NewSparse(slices.Clip(p.start), slices.Clip(p.index), slices.Clip(p.value), features, slices.Clip(p.y), target)
	return d, err
}
