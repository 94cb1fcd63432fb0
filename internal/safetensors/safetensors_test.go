package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := f.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func example() *File {
	return &File{
		Meta: map[string]string{"step": "12", "a": "\"quoted\"\n"},
		Tensors: []Tensor{
			New("dense1.weight", []int{2, 3}, []float32{1, -2, 3.5, float32(math.Inf(1)), float32(math.NaN()), 0}),
			New("scale", nil, []float64{math.Pi}),
			New("empty", []int{0, 4}, []float32{}),
		},
	}
}

func TestRoundTripKeepsEveryBit(t *testing.T) {
	want := example()
	b := encode(t, want)
	if (8+binary.LittleEndian.Uint64(b))%8 != 0 {
		t.Error("the numbers are not aligned to 8 bytes")
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Meta, want.Meta) || len(got.Tensors) != len(want.Tensors) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want.Tensors {
		g := got.Tensors[i]
		if g.Name != w.Name || g.DType != w.DType || len(g.Shape) != len(w.Shape) || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("tensor %d: got %+v, want %+v", i, g, w)
		}
	}
	if !bytes.Equal(encode(t, got), b) {
		t.Error("writing what was read gives other bytes")
	}
}

func TestReadConvertsPrecision(t *testing.T) {
	x := make([]float32, 1)
	if err := Read(New("s", nil, []float64{math.Pi}), x); err != nil || x[0] != float32(math.Pi) {
		t.Errorf("got %v, %v", x, err)
	}
	if err := Read(New("s", []int{2}, []float64{1, 2}), x); err == nil {
		t.Error("two numbers fit into one")
	}
	if err := Read(Tensor{Name: "i", DType: "I64", Data: make([]byte, 8)}, x); err == nil {
		t.Error("integers are read as floats")
	}
}

// layout of a file by hand, as its specification describes it.
func TestFileBuiltByHand(t *testing.T) {
	h := `{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(h)))
	b = append(b, h...)
	b = append(b, 0, 0, 128, 63, 0, 0, 0, 192)
	f, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 2)
	if err := Read(f.Tensors[0], x); err != nil || x[0] != 1 || x[1] != -2 {
		t.Errorf("got %v, %v; want [1 -2]", x, err)
	}
}

func TestBadFilesAreErrors(t *testing.T) {
	file := func(header string, data int) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(b, header...), make([]byte, data)...)
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":          {nil, "no header"},
		"lying header":   {binary.LittleEndian.AppendUint64(nil, 1<<60), "header of"},
		"not json":       {file("[1]", 0), "not a JSON object"},
		"name twice":     {file(`{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), "twice"},
		"truncated":      {file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "bytes 0 to 8"},
		"left over":      {file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 9), "the tensors have 8"},
		"hole":           {file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "begin at 0"},
		"wrong size":     {file(`{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "want 12"},
		"negative axis":  {file(`{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "impossible"},
		"overflow":       {file(`{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0), "impossible"},
		"unknown type":   {file(`{"x":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}`, 8), "unknown type"},
		"second value":   {file(`{}{}`, 0), "after its end"},
		"backward place": {file(`{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,-4]}}`, 0), "bytes 0 to -4"},
	} {
		if _, err := Parse(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := (&File{Tensors: []Tensor{New("x", nil, []float32{1}), New("x", nil, []float32{1})}}).WriteTo(&bytes.Buffer{}); err == nil {
		t.Error("two tensors of one name are written")
	}
}

// A file with any bit changed is refused, unless the bit is in the checksum's
// name: then what it would protect is whole.
func TestDamagedFilesAreErrors(t *testing.T) {
	b := encode(t, example())
	name := bytes.Index(b, []byte(sumName))
	for i := range b {
		if name <= i && i < name+len(sumName) {
			continue
		}
		for bit := range 8 {
			b[i] ^= 1 << bit
			if _, err := Parse(b); err == nil {
				t.Errorf("bit %d of byte %d of %d: no error", bit, i, len(b))
			}
			b[i] ^= 1 << bit
		}
	}
	for n := range b {
		if _, err := Parse(b[:n]); err == nil {
			t.Errorf("the first %d bytes of %d are a file", n, len(b))
		}
	}
	if _, err := (&File{Meta: map[string]string{sumName: "1"}}).WriteTo(&bytes.Buffer{}); err == nil {
		t.Error("a note has the name of the checksum")
	}
}

// What a header says is not believed: memory goes with the bytes that are there.
func TestALyingHeaderAllocatesNothing(t *testing.T) {
	h := `{"x":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}`
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(b)
	runtime.ReadMemStats(&after)
	if err == nil || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("error %v after allocating %d bytes", err, after.TotalAlloc-before.TotalAlloc)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, example()))
	f.Add(encode(f, &File{}))
	f.Add(binary.LittleEndian.AppendUint64(nil, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(encode(t, file))
		if err != nil || len(again.Tensors) != len(file.Tensors) {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
