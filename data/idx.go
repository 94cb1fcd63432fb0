package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// IDX is the content of a file in the IDX format, in which MNIST and its kin come: one array of any rank.
type IDX struct {
	Shape []int
	Data  any // []uint8, []int8, []int16, []int32, []float32 or []float64, the last index running fastest
}

// element is one of the six types of number that an IDX file may hold.
type element struct {
	code byte
	size int
	name string
	// grow appends the big-endian numbers in raw to data, which is nil at first, with room for at least so many in all
	// and at most total.
	grow func(data any, raw []byte, room, total int) any
}

var elements = []element{
	{0x08, 1, "uint8", grower(1, func(b []byte) uint8 { return b[0] })},
	{0x09, 1, "int8", grower(1, func(b []byte) int8 { return int8(b[0]) })},
	{0x0b, 2, "int16", grower(2, func(b []byte) int16 { return int16(binary.BigEndian.Uint16(b)) })},
	{0x0c, 4, "int32", grower(4, func(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) })},
	{0x0d, 4, "float32", grower(4, func(b []byte) float32 { return math.Float32frombits(binary.BigEndian.Uint32(b)) })},
	{0x0e, 8, "float64", grower(8, func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) })},
}

func grower[E any](size int, decode func([]byte) E) func(any, []byte, int, int) any {
	return func(data any, raw []byte, room, total int) any {
		s, _ := data.([]E)
		if need := max(room, len(s)+len(raw)/size); need > cap(s) {
			// Doubling costs a copy per element; stopping at total leaves no slack in the array that stays.
			s = append(make([]E, 0, min(max(need, 2*cap(s)), total)), s...)
		}
		if to, ok := any(s).([]uint8); ok {
			return append(to, raw...)
		}
		for ; len(raw) >= size; raw = raw[size:] {
			s = append(s, decode(raw))
		}
		return s
	}
}

// idxChunk is how much is read at a time: memory grows with what arrives and never with what a header claims.
const idxChunk = 1 << 16

// ReadIDX reads an IDX file, plain or compressed with gzip. The file must hold exactly what its header says:
// one that is shorter, longer or of another format is an error.
func ReadIDX(r io.Reader) (*IDX, error) { return readIDX(r, 0) }

// parseIDX is ReadIDX of a file that is in memory, whose content is trusted to hold so many numbers: room for them is
// made at once, and bytes that are there already are kept and not copied.
func parseIDX(raw []byte, expected int) (*IDX, error) {
	if !bytes.HasPrefix(raw, gzipMagic) {
		r := bytes.NewReader(raw)
		if el, shape, total, err := readIDXHeader(r); err == nil && el.code == 0x08 && r.Len() == total {
			return &IDX{Shape: shape, Data: raw[len(raw)-total:]}, nil
		}
	}
	return readIDX(bytes.NewReader(raw), expected)
}

func readIDX(r io.Reader, expected int) (*IDX, error) {
	r, err := plain(r)
	if err != nil {
		return nil, fmt.Errorf("data: idx: %w", err)
	}
	el, shape, total, err := readIDXHeader(r)
	if err != nil {
		return nil, fmt.Errorf("data: idx: %w", err)
	}
	x := &IDX{Shape: shape, Data: el.grow(nil, nil, min(expected, total), total)}
	buf := make([]byte, min(idxChunk, total*el.size))
	for left := total; left > 0; {
		n := min(len(buf)/el.size, left)
		got, err := io.ReadFull(r, buf[:n*el.size])
		if err != nil {
			return nil, fmt.Errorf("data: idx: header says %d numbers of %s (shape %v), the file ends after %d: %w",
				total, el.name, shape, total-left+got/el.size, eof(err))
		}
		x.Data = el.grow(x.Data, buf[:n*el.size], 0, total)
		left -= n
	}
	// Reading on to the end also makes gzip check its sum.
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return nil, fmt.Errorf("data: idx: the file goes on after the %d numbers of %s (shape %v) that its header says", total, el.name, shape)
	case err != io.EOF:
		return nil, fmt.Errorf("data: idx: %w", err)
	}
	return x, nil
}

func readIDXHeader(r io.Reader) (el element, shape []int, total int, err error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return el, nil, 0, fmt.Errorf("the file is too short for a header: %w", eof(err))
	}
	i := slices.IndexFunc(elements, func(e element) bool { return e.code == magic[2] })
	if magic[0] != 0 || magic[1] != 0 || i < 0 {
		return el, nil, 0, fmt.Errorf("not an idx file: it begins with % x, not with 00 00, a type (08, 09, 0b to 0e) and a number of dimensions", magic)
	}
	if magic[3] == 0 {
		return el, nil, 0, errors.New("the header says no dimensions, at least 1 is needed")
	}
	el, total = elements[i], 1
	dims := make([]byte, 4*int(magic[3]))
	if got, err := io.ReadFull(r, dims); err != nil {
		return el, nil, 0, fmt.Errorf("header says %d dimensions, the file ends after %d: %w", magic[3], got/4, eof(err))
	}
	for ; len(dims) > 0; dims = dims[4:] {
		d := binary.BigEndian.Uint32(dims)
		if uint64(d) > math.MaxInt/8 || (total > 0 && uint64(d) > uint64(math.MaxInt/8/total)) {
			return el, nil, 0, fmt.Errorf("header says shape %v and a further dimension of %d, more numbers than memory can hold", shape, d)
		}
		shape = append(shape, int(d))
		total *= int(d)
	}
	return el, shape, total, nil
}

// eof tells an end in the middle from a clean one.
func eof(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// WriteIDX writes x as an IDX file, uncompressed.
func WriteIDX(w io.Writer, x *IDX) error {
	if x == nil {
		return errors.New("data: idx: nothing to write, the array is nil")
	}
	if len(x.Shape) < 1 || len(x.Shape) > 255 {
		return fmt.Errorf("data: idx: shape %v has %d dimensions, the format takes 1 to 255", x.Shape, len(x.Shape))
	}
	total := 1
	for _, d := range x.Shape {
		if d < 0 || int64(d) > math.MaxUint32 || (d > 0 && total > math.MaxInt/d) {
			return fmt.Errorf("data: idx: shape %v has a dimension of %d that the format cannot hold", x.Shape, d)
		}
		total *= d
	}
	var code byte
	var n int
	switch s := x.Data.(type) {
	case []uint8:
		code, n = 0x08, len(s)
	case []int8:
		code, n = 0x09, len(s)
	case []int16:
		code, n = 0x0b, len(s)
	case []int32:
		code, n = 0x0c, len(s)
	case []float32:
		code, n = 0x0d, len(s)
	case []float64:
		code, n = 0x0e, len(s)
	default:
		return fmt.Errorf("data: idx: cannot write %T, use a slice of uint8, int8, int16, int32, float32 or float64", x.Data)
	}
	if n != total {
		return fmt.Errorf("data: idx: shape %v takes %d numbers, there are %d", x.Shape, total, n)
	}
	head := []byte{0, 0, code, byte(len(x.Shape))}
	for _, d := range x.Shape {
		head = binary.BigEndian.AppendUint32(head, uint32(d))
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("data: idx: %w", err)
	}
	var err error
	if raw, ok := x.Data.([]uint8); ok {
		_, err = w.Write(raw) // as it is, where binary.Write makes a copy
	} else {
		err = binary.Write(w, binary.BigEndian, x.Data)
	}
	if err != nil {
		return fmt.Errorf("data: idx: %w", err)
	}
	return nil
}

// FromIDX makes a data set of images [n h w] or [n c h w] and their labels [n], both of uint8, as MNIST, EMNIST
// or KMNIST come. Pixels are read as byte/255; images without channels get one.
func FromIDX(images, labels *IDX, classes int) (*Bytes, error) {
	if images == nil || labels == nil {
		return nil, errors.New("data: idx: images and labels are both needed")
	}
	x, okX := images.Data.([]uint8)
	y, okY := labels.Data.([]uint8)
	if !okX || !okY {
		return nil, fmt.Errorf("data: idx: images are %T and labels %T, both must be []uint8", images.Data, labels.Data)
	}
	if len(images.Shape) < 2 || len(labels.Shape) != 1 || images.Shape[0] != labels.Shape[0] {
		return nil, fmt.Errorf("data: idx: images have shape %v and labels %v, they must be [n h w] or [n c h w], and [n]", images.Shape, labels.Shape)
	}
	shape := slices.Clone(images.Shape[1:])
	if len(shape) == 2 {
		shape = append([]int{1}, shape...)
	}
	return NewBytes(x, shape, y, classes)
}
