package data

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
)

// libsvmFiles are the published files, see libsvm/README.md. They are part of the program: 0.7 MB, and no network.
//
//go:embed libsvm/a9a.gz libsvm/w8a.gz libsvm/mushrooms.gz
var libsvmFiles embed.FS

// libsvmSum is the SHA-256 of the content of each file, unpacked.
var libsvmSum = map[string]string{
	"a9a":       "f5d5ffd8d865ff41328e7ee043e4b020816914ff6843ff15b98905ddbedce906",
	"w8a":       "6a9fa8fd5f524303240a5db07d4b3d4a51e8b7b4b20a914105d8e3e8c81640f2",
	"mushrooms": "f39a4eb628dc61a7d43760815b061c9e497aa728ce1ad8bde57a09ef6043b538",
}

// A9A is the training set a9a of the LIBSVM collection, whole: 32,561 people of the census of 1994 as 123 indicators
// (11 % are 1), class 1 for an income above 50,000 dollars (Kohavi 1996, in the form of Platt 1999).
func A9A() (*LIBSVM, error) { return published("a9a") }

// W8A is the training set w8a of the LIBSVM collection, whole: 49,749 pages of the web as 300 indicators of words (4 %
// are 1), of which 3 % belong to a category, class 1 (Platt 1999).
func W8A() (*LIBSVM, error) { return published("w8a") }

// Mushrooms is the set mushrooms of the LIBSVM collection, whole: 8,124 mushrooms as 112 indicators (19 % are 1), class
// 1 for what can be eaten (Schlimmer 1987). A plane parts the classes.
func Mushrooms() (*LIBSVM, error) { return published("mushrooms") }

// published reads one of the embedded files.
func published(name string) (*LIBSVM, error) {
	raw, err := libsvmFiles.ReadFile("libsvm/" + name + ".gz")
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	r, err := plain(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	sum := sha256.New()
	d, err := readLIBSVM(io.TeeReader(r, sum), LIBSVMOptions{})
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != libsvmSum[name] {
		return nil, fmt.Errorf("data: %s: the SHA-256 of its content is %s, the published file has %s", name, got, libsvmSum[name])
	}
	return d, nil
}
