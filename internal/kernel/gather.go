package kernel

// ByteTable says which number each byte stands for.
type ByteTable[T Float] struct {
	number [256]T
	// Where linear, number[b] is b scale + shift, computed in float64 and rounded
	// after each operation, for every b: so vectors need no table.
	linear       bool
	scale, shift float64
}

// NewByteTable makes a table of the numbers rounded to T.
func NewByteTable[T Float](numbers *[256]float64) *ByteTable[T] {
	t := &ByteTable[T]{scale: (numbers[255] - numbers[0]) / 255, shift: numbers[0], linear: true}
	for b, v := range numbers {
		t.number[b] = T(v)
		if T(float64(float64(b)*t.scale)+t.shift) != t.number[b] {
			t.linear = false
		}
	}
	return t
}

// At is the number that b stands for.
func (t *ByteTable[T]) At(b byte) T { return t.number[b] }

// gatherAhead is how many rows ahead memory is asked for, and gatherReach the
// bytes of a row: the processor finds the others by itself.
const (
	gatherAhead = 2
	gatherReach = 4096
)

// GatherBytes copies rows of size bytes of src, those of the given indices, to dst,
// each byte as the number that it stands for in the table.
func GatherBytes[T Float](dst []T, src []byte, size int, rows []int, table *ByteTable[T]) {
	if size == 0 {
		return
	}
	for i, k := range rows {
		to, from := dst[i*size:(i+1)*size], src[k*size:(k+1)*size]
		var ahead []byte
		if i+gatherAhead < len(rows) {
			k := rows[i+gatherAhead]
			ahead = src[k*size : (k+1)*size]
		}
		done := gatherAsm(to, from, ahead, table)
		for j, b := range from[done:] {
			to[done+j] = table.number[b]
		}
	}
}

// GatherRows copies rows of size numbers of src, those of the given indices, to
// dst.
func GatherRows[T Float](dst, src []T, size int, rows []int) {
	if size == 0 {
		return
	}
	for i, k := range rows {
		if i+gatherAhead < len(rows) {
			k := rows[i+gatherAhead]
			prefetchRow(src[k*size : (k+1)*size])
		}
		copy(dst[i*size:(i+1)*size], src[k*size:(k+1)*size])
	}
}
