package train

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/saddle-ml/saddle/data"
)

// fingerprintNumbers is how many numbers of a data set a fingerprint is of: all
// of a small set, evenly spaced examples of a large one, so that it takes
// milliseconds.
const fingerprintNumbers = 1 << 20

// fingerprint is a checksum of a data set as the model sees it, by which a
// resumed run knows that its data is what it was.
func fingerprint[T Float](d data.Dataset) (string, error) {
	in, out := product(d.Shape()), d.Target().Size()
	n := min(d.Len(), max(1, fingerprintNumbers/(in+out)))
	const part = 256
	x, y := make([]T, part*in), make([]T, part*out)
	index := make([]int, 0, part)
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := uint32(0)
	var b []byte
	for from := 0; from < n; from += part {
		index = index[:0]
		for i := from; i < min(from+part, n); i++ {
			index = append(index, i*(d.Len()/n)+i*(d.Len()%n)/n)
		}
		x, y := x[:len(index)*in], y[:len(index)*out]
		if err := data.Read(d, x, y, index); err != nil {
			return "", fmt.Errorf("train: %w", err)
		}
		b = appendBits(appendBits(b[:0], x), y)
		sum = crc32.Update(sum, table, b)
	}
	return fmt.Sprintf("%08x", sum), nil
}

// appendBits appends the bits of numbers, little-endian.
func appendBits[T Float](b []byte, x []T) []byte {
	switch x := any(x).(type) {
	case []float32:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	case []float64:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b
}
