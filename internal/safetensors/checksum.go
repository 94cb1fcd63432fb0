package safetensors

import (
	"fmt"
	"hash/crc32"
)

// The checksum is the first note, at a fixed place: the CRC-32C of the header,
// with noSum in that place, and of the numbers.
const (
	sumName   = "saddle_crc32c"
	sumPrefix = `{"` + metaName + `":{"` + sumName + `":"`
	noSum     = "00000000"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf is the checksum of a header that begins with sumPrefix.
func sumOf(header []byte) uint32 {
	at := len(sumPrefix)
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, []byte(noSum))
	return crc32.Update(sum, castagnoli, header[at+len(noSum):])
}

// checkSum compares the content of a file with its checksum, if it has one.
func checkSum(header, data []byte) error {
	at, end := len(sumPrefix), len(sumPrefix)+len(noSum)
	if len(header) < end || string(header[:at]) != sumPrefix {
		return nil
	}
	want := string(header[at:end])
	if got := fmt.Sprintf("%08x", crc32.Update(sumOf(header), castagnoli, data)); got != want {
		return fmt.Errorf("safetensors: the file is damaged: its checksum is %s, and should be %s (a program that changes such a file must drop the note %s)", got, want, sumName)
	}
	return nil
}
