package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func idxBytes(t testing.TB, x *IDX) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteIDX(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oneOfEach is an array of every type, some longer than a chunk.
func oneOfEach() []*IDX {
	r := rand.New(rand.NewPCG(1, 1))
	const n = idxChunk + 6
	u8, i8, i16, i32, f32, f64 := make([]uint8, n), make([]int8, n), make([]int16, n), make([]int32, n), make([]float32, n), make([]float64, n)
	for i := range n {
		v := r.Uint64()
		u8[i], i8[i], i16[i], i32[i], f32[i], f64[i] = uint8(v), int8(v), int16(v), int32(v), float32(r.NormFloat64()), r.NormFloat64()
	}
	return []*IDX{
		{[]int{n / 2, 2}, u8}, {[]int{n}, i8}, {[]int{2, n / 2}, i16}, {[]int{2, 1, n / 2}, i32}, {[]int{n}, f32}, {[]int{n, 1}, f64},
		{[]int{3, 0, 2}, []uint8(nil)}, {[]int{1}, []float64{math.Inf(-1)}}, {[]int{2, 2}, []uint8{1, 2, 3, 4}},
	}
}

func TestIDXRoundTripOfEveryType(t *testing.T) {
	for _, x := range oneOfEach() {
		raw := idxBytes(t, x)
		packed := gzipped(raw)
		for name, r := range map[string]io.Reader{
			"plain":          bytes.NewReader(raw),
			"gzip":           bytes.NewReader(packed),
			"data with EOF":  iotest.DataErrReader(bytes.NewReader(raw)),
			"gzip in halves": iotest.HalfReader(bytes.NewReader(packed)),
		} {
			got, err := ReadIDX(r)
			if err != nil {
				t.Fatalf("%T %v, %s: %v", x.Data, x.Shape, name, err)
			}
			if !reflect.DeepEqual(got, x) {
				t.Fatalf("%T %v, %s: read something else", x.Data, x.Shape, name)
			}
		}
	}
}

func TestIDXIsBigEndian(t *testing.T) {
	got := must(ReadIDX(iotest.OneByteReader(strings.NewReader("\x00\x00\x0b\x02\x00\x00\x00\x01\x00\x00\x00\x02\x01\x02\xff\xfe"))))
	if want := (&IDX{[]int{1, 2}, []int16{0x0102, -2}}); !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestReadIDXLeavesNoSlack(t *testing.T) {
	for _, n := range []int{1, idxChunk - 1, idxChunk, 3*idxChunk + 1, 5 * idxChunk} {
		x := must(ReadIDX(bytes.NewReader(idxBytes(t, &IDX{[]int{n}, make([]uint8, n)}))))
		if c := cap(x.Data.([]uint8)); c != n {
			t.Errorf("%d bytes are kept in an array of %d", n, c)
		}
	}
}

// header is an IDX header with any claims.
func header(code byte, dims ...uint32) []byte {
	b := []byte{0, 0, code, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return b
}

func TestReadIDXRefusesDamagedFiles(t *testing.T) {
	good := idxBytes(t, &IDX{[]int{2, 3}, []uint8{1, 2, 3, 4, 5, 6}})
	badSum := gzipped(good)
	badSum[len(badSum)-8] ^= 1
	for name, c := range map[string]struct {
		raw  []byte
		says []string
	}{
		"empty":                  {nil, []string{"too short"}},
		"part of the magic":      {good[:3], []string{"too short", "unexpected EOF"}},
		"part of the dimensions": {good[:9], []string{"2 dimensions", "ends after 1", "unexpected EOF"}},
		"no data":                {good[:12], []string{"6 numbers of uint8", "[2 3]", "ends after 0", "unexpected EOF"}},
		"one byte short":         {good[:17], []string{"6 numbers of uint8", "ends after 5"}},
		"half a number":          {append(header(0x0d, 2), 1, 2, 3, 4, 5, 6), []string{"2 numbers of float32", "ends after 1"}},
		"one byte more":          {append(slices.Clone(good), 0), []string{"goes on after the 6 numbers", "[2 3]"}},
		"empty but data":         {append(header(8, 0), 0), []string{"goes on after the 0 numbers"}},
		"first byte":             {append([]byte{1}, good[1:]...), []string{"not an idx file", "01 00 08 02"}},
		"a PNG":                  {[]byte("\x89PNG\r\n\x1a\n"), []string{"not an idx file", "89 50 4e 47"}},
		"unknown type":           {header(0x0a, 1), []string{"not an idx file", "00 00 0a 01", "08, 09, 0b to 0e"}},
		"no dimensions":          {header(8), []string{"no dimensions"}},
		"overflow":               {header(8, 1<<31, 1<<31, 1<<31), []string{"2147483648", "more numbers than memory"}},
		"overflow of bytes":      {header(0x0e, 1<<31, 1<<30), []string{"more numbers than memory"}},
		"lies":                   {header(8, 1<<30, 1<<20), []string{"1125899906842624 numbers", "ends after 0"}},
		"gzip cut":               {gzipped(good)[:20], []string{"ends", "unexpected EOF"}},
		"gzip with a wrong sum":  {badSum, []string{"checksum"}},
		"gzip and trailing data": {append(gzipped(good), "more than a header"...), []string{"gzip"}},
		"gzip header alone":      {gzipMagic, []string{"EOF"}},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := ReadIDX(bytes.NewReader(c.raw))
			wantError(t, err, append(c.says, "data: idx: ")...)
			if x != nil {
				t.Error("an array comes with the error")
			}
		})
	}
	_, err := ReadIDX(iotest.ErrReader(errors.New("disk on fire")))
	wantError(t, err, "disk on fire")
	_, err = ReadIDX(io.MultiReader(bytes.NewReader(good), iotest.ErrReader(errors.New("disk on fire"))))
	wantError(t, err, "disk on fire")
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestReadIDXDoesNotBelieveTheHeader(t *testing.T) {
	liar := append(header(8, 1<<30, 1<<20), make([]byte, 100)...)
	if n := allocated(func() { _, _ = ReadIDX(bytes.NewReader(liar)) }); n > 4<<20 {
		t.Errorf("a file of %d bytes made it allocate %d", len(liar), n)
	}
}

func TestReadIDXStopsAGzipBombAtTheHeadersSize(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(header(8, 1000))
	zeros := make([]byte, 1<<20)
	for range 16 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	var err error
	if n := allocated(func() { _, err = ReadIDX(&b) }); n > 4<<20 {
		t.Errorf("a bomb made it allocate %d bytes", n)
	}
	wantError(t, err, "goes on after the 1000 numbers")
}

func TestWriteIDXRefusesWhatTheFormatCannotHold(t *testing.T) {
	for _, c := range []struct {
		x    *IDX
		says []string
	}{
		{nil, []string{"nil"}},
		{&IDX{nil, []uint8{}}, []string{"0 dimensions", "1 to 255"}},
		{&IDX{make([]int, 256), []uint8{}}, []string{"256 dimensions"}},
		{&IDX{[]int{-1}, []uint8{}}, []string{"dimension of -1"}},
		{&IDX{[]int{math.MaxUint32 + 1}, []uint8{}}, []string{"dimension of 4294967296"}},
		{&IDX{[]int{1 << 31, 1 << 31, 1 << 31}, []uint8{}}, []string{"cannot hold"}},
		{&IDX{[]int{2}, []uint8{1}}, []string{"[2] takes 2", "there are 1"}},
		{&IDX{[]int{1}, []int64{1}}, []string{"[]int64", "float64"}},
		{&IDX{[]int{1}, nil}, []string{"<nil>"}},
	} {
		wantError(t, WriteIDX(io.Discard, c.x), c.says...)
	}
	for _, room := range []int{0, 9} {
		wantError(t, WriteIDX(&short{room}, &IDX{[]int{2}, []int32{1, 2}}), "no room")
	}
}

// short is a writer that fails after some bytes.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		return 0, errors.New("no room")
	}
	s.left -= len(p)
	return len(p), nil
}

func TestFromIDXAddsTheChannel(t *testing.T) {
	for _, c := range []struct{ in, shape []int }{
		{[]int{2, 3, 4}, []int{1, 3, 4}}, {[]int{2, 3, 2, 2}, []int{3, 2, 2}}, {[]int{2, 12}, []int{12}},
	} {
		d := must(FromIDX(&IDX{c.in, make([]uint8, 24)}, &IDX{[]int{2}, []uint8{0, 1}}, 2))
		if !slices.Equal(d.Shape(), c.shape) && product(c.in) == 24 {
			t.Errorf("images %v have the shape %v, want %v", c.in, d.Shape(), c.shape)
		}
	}
}

func TestFromIDXRefusesWhatDoesNotFit(t *testing.T) {
	images, labels := &IDX{[]int{2, 3, 4}, make([]uint8, 24)}, &IDX{[]int{2}, []uint8{0, 1}}
	for _, c := range []struct {
		images, labels *IDX
		says           []string
	}{
		{nil, labels, []string{"both needed"}},
		{images, nil, []string{"both needed"}},
		{&IDX{images.Shape, make([]int8, 24)}, labels, []string{"images are []int8"}},
		{images, &IDX{labels.Shape, []int32{0, 1}}, []string{"labels []int32"}},
		{images, &IDX{[]int{3}, []uint8{0, 1, 1}}, []string{"[2 3 4]", "[3]"}},
		{images, &IDX{[]int{2, 1}, []uint8{0, 1}}, []string{"[2 1]"}},
		{&IDX{[]int{2}, []uint8{0, 1}}, labels, []string{"[n h w]"}},
		{images, &IDX{labels.Shape, []uint8{0, 2}}, []string{"example 1", "label 2"}},
		{&IDX{images.Shape, make([]uint8, 12)}, labels, []string{"2 labels for 1 examples"}},
	} {
		_, err := FromIDX(c.images, c.labels, 2)
		wantError(t, err, c.says...)
	}
}

func FuzzReadIDX(f *testing.F) {
	for _, x := range oneOfEach() {
		if raw := idxBytes(f, x); len(raw) < 1000 {
			f.Add(raw)
			f.Add(gzipped(raw))
			f.Add(raw[:len(raw)-1])
		}
	}
	f.Add(header(8, 1<<31, 1<<31))
	f.Add(header(0x0e, 0, 1<<31, 1<<31, 1<<31))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := ReadIDX(bytes.NewReader(raw))
		if err != nil {
			wantError(t, err)
			return
		}
		n := reflect.ValueOf(x.Data).Len()
		if n != product(x.Shape) {
			t.Fatalf("shape %v with %d numbers", x.Shape, n)
		}
		// What was read is exactly what the file held: writing it gives the file back.
		content := must(io.ReadAll(must(plain(bytes.NewReader(raw)))))
		if got := idxBytes(t, x); !bytes.Equal(got, content) {
			t.Fatalf("%x was read and is written as %x", content, got)
		}
	})
}

func BenchmarkReadIDX(b *testing.B) {
	raw := idxBytes(b, &IDX{[]int{10000, 28, 28}, make([]uint8, 7840000)})
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := ReadIDX(bytes.NewReader(raw)); err != nil {
			b.Fatal(err)
		}
	}
}
