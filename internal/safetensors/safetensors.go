// Package safetensors reads and writes the safetensors format: eight bytes with
// the length of a JSON header, the header, which gives each tensor's type, shape
// and place, and the numbers, little-endian. A checksum among the notes of the
// files that it writes lets it refuse those that were damaged.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
)

// Float is a type of number that tensors may have.
type Float interface{ float32 | float64 }

// File is the content of a file: tensors in order, and notes about them.
type File struct {
	Tensors []Tensor
	Meta    map[string]string
}

// Tensor is a named array. Data is little-endian and row-major.
type Tensor struct {
	Name  string
	DType string // "F32" or "F64"; files may have others, whose data is not interpreted
	Shape []int
	Data  []byte
}

// metaName is the header's key for the notes.
const metaName = "__metadata__"

// maxHeader is the longest header that is read, the limit of the format's own
// readers.
const maxHeader = 100 << 20

// widths are the bytes of a number of each type.
var widths = map[string]int{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8,
	"U32": 4, "U16": 2, "U8": 1, "BOOL": 1}

// New is a tensor of the numbers x.
func New[T Float](name string, shape []int, x []T) Tensor {
	t := Tensor{Name: name, Shape: shape}
	switch x := any(x).(type) {
	case []float32:
		t.DType, t.Data = "F32", make([]byte, 0, 4*len(x))
		for _, v := range x {
			t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(v))
		}
	case []float64:
		t.DType, t.Data = "F64", make([]byte, 0, 8*len(x))
		for _, v := range x {
			t.Data = binary.LittleEndian.AppendUint64(t.Data, math.Float64bits(v))
		}
	}
	return t
}

// Read copies the tensor's numbers to dst, which has as many; numbers of the
// other precision are converted.
func Read[T Float](t Tensor, dst []T) error {
	width := widths[t.DType]
	if t.DType != "F32" && t.DType != "F64" {
		return fmt.Errorf("safetensors: %s has type %s; allowed are F32 and F64", t.Name, t.DType)
	}
	if len(t.Data) != width*len(dst) {
		return fmt.Errorf("safetensors: %s has %d numbers, want %d", t.Name, len(t.Data)/width, len(dst))
	}
	for i := range dst {
		if width == 4 {
			dst[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:])))
		} else {
			dst[i] = T(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	}
	return nil
}

// Tensor is the tensor of that name.
func (f *File) Tensor(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

// WriteTo writes the file. The same content gives the same bytes.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	var h bytes.Buffer
	meta, err := json.Marshal(f.Meta) // in the order of the keys
	if err != nil {
		return 0, err
	}
	if _, ok := f.Meta[sumName]; ok {
		return 0, fmt.Errorf("safetensors: a note named %s is not allowed: the checksum has that name", sumName)
	}
	h.WriteString(sumPrefix + noSum + `"`)
	if len(f.Meta) > 0 {
		h.WriteByte(',')
		h.Write(meta[1:])
	} else {
		h.WriteByte('}')
	}
	seen := map[string]bool{metaName: true}
	at := 0
	for _, t := range f.Tensors {
		if seen[t.Name] {
			return 0, fmt.Errorf("safetensors: two tensors are named %q, or that name is not allowed", t.Name)
		}
		seen[t.Name] = true
		name, err := json.Marshal(t.Name)
		if err != nil {
			return 0, err
		}
		h.WriteByte(',')
		shape := strings.ReplaceAll(fmt.Sprint(append([]int{}, t.Shape...)), " ", ",")
		fmt.Fprintf(&h, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, name, t.DType, shape, at, at+len(t.Data))
		at += len(t.Data)
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 { // so that the numbers are aligned
		h.WriteByte(' ')
	}
	header := h.Bytes()
	sum := sumOf(header)
	for _, t := range f.Tensors {
		sum = crc32.Update(sum, castagnoli, t.Data)
	}
	copy(header[len(sumPrefix):], fmt.Sprintf("%08x", sum))
	total := int64(0)
	write := func(b []byte) error {
		n, err := w.Write(b)
		total += int64(n)
		return err
	}
	if err := write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return total, err
	}
	if err := write(header); err != nil {
		return total, err
	}
	for _, t := range f.Tensors {
		if err := write(t.Data); err != nil {
			return total, err
		}
	}
	return total, nil
}

// Parse reads a file from its bytes, which its tensors keep. A file that is
// truncated, has bytes left over, contradicts itself or its checksum is an error.
func Parse(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, errors.New("safetensors: the file has no header; it is truncated or of another format")
	}
	n := binary.LittleEndian.Uint64(b)
	if n > maxHeader || n > uint64(len(b)-8) {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d; it is truncated or of another format", n, len(b))
	}
	f, places, err := parseHeader(b[8 : 8+n])
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	data, at := b[8+n:], 0
	for i := range f.Tensors {
		t := &f.Tensors[i]
		begin, end := places[i][0], places[i][1]
		if begin != at || end < begin || end > len(data) {
			return nil, fmt.Errorf("safetensors: %s lies at bytes %d to %d of %d; want them to begin at %d", t.Name, begin, end, len(data), at)
		}
		size, err := byteSize(*t)
		if err != nil {
			return nil, err
		}
		if end-begin != size {
			return nil, fmt.Errorf("safetensors: %s of type %s and shape %v has %d bytes, want %d", t.Name, t.DType, t.Shape, end-begin, size)
		}
		t.Data = data[begin:end:end]
		at = end
	}
	if at != len(data) {
		return nil, fmt.Errorf("safetensors: %d bytes of numbers, the tensors have %d", len(data), at)
	}
	// Last, because what is above says more of a file that is cut off.
	if err := checkSum(b[8:8+n], data); err != nil {
		return nil, err
	}
	return f, nil
}

// byteSize is what the type and shape of a tensor take.
func byteSize(t Tensor) (int, error) {
	size, ok := widths[t.DType]
	if !ok {
		return 0, fmt.Errorf("safetensors: %s has the unknown type %q", t.Name, t.DType)
	}
	for _, d := range t.Shape {
		if d < 0 || (d > 0 && size > math.MaxInt/d) {
			return 0, fmt.Errorf("safetensors: %s has the impossible shape %v", t.Name, t.Shape)
		}
		size *= d
	}
	return size, nil
}
