package data

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMNISTIsTheRealThing gets the four published files as a fresh machine would, with an empty cache.
func TestMNISTIsTheRealThing(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches 12 MB where the module cache does not hold them")
	}
	home := t.TempDir()
	f := newFinder()
	f.getenv = func(string) string { return "" }
	f.cacheDir = func() (string, error) { return home, nil }
	p, err := f.load(t.Context(), mnist(), "")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "mnist" || p.Train.Len() != 60000 || p.Test.Len() != 10000 || !slices.Equal(p.Train.Shape(), []int{1, 28, 28}) || p.Test.Target().Classes != 10 {
		t.Fatalf("got %+v", p)
	}
	counts := func(d Dataset) (n [10]int) {
		for _, v := range targets(t, d) {
			n[int(v)]++
		}
		return n
	}
	if got, want := counts(p.Train), [10]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}; got != want {
		t.Errorf("training images of each class: %v, want %v", got, want)
	}
	if got, want := counts(p.Test), [10]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}; got != want {
		t.Errorf("test images of each class: %v, want %v", got, want)
	}
	if y := targets(t, must(Limit(p.Train, 5))); !slices.Equal(y, []float64{5, 0, 4, 1, 9}) {
		t.Errorf("the first labels are %v", y)
	}
	checkMNISTPixels(t, p)

	// The second time everything comes from the cache.
	f.module, f.client = nil, nil
	dir := filepath.Join(home, "saddle", "mnist")
	content, err := os.ReadFile(filepath.Join(dir, "t10k-images-idx3-ubyte"))
	if err != nil || !bytes.Equal(content, idxBytes(t, &IDX{[]int{10000, 28, 28}, p.Test.(*Bytes).x})) {
		t.Errorf("the cached file is not the content: %v", err)
	}
	again, err := f.load(t.Context(), mnist(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Train.(*Bytes).x, p.Train.(*Bytes).x) || !bytes.Equal(again.Test.(*Bytes).x, p.Test.(*Bytes).x) {
		t.Error("the cached files differ")
	}
	content[5000]++
	if _, err := mnist().files[2].check(content); err == nil || !strings.Contains(err.Error(), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7") {
		t.Errorf("a damaged pixel gives %v", err)
	}
}

func checkMNISTPixels(t *testing.T, p *Pair) {
	t.Helper()
	scaled, s, err := p.Standardize()
	if err != nil {
		t.Fatal(err)
	}
	// The mean and deviation that everyone standardises MNIST by, 0.1307 and 0.3081, to more digits.
	if math.Abs(s.Mean[0]-0.1306604762738429) > 1e-14 || math.Abs(s.Std[0]-0.30810780385646264) > 1e-13 {
		t.Errorf("pixels have mean %v and standard deviation %v", s.Mean[0], s.Std[0])
	}
	if scaled.Name != "mnist" || len(scaled.Classes) != 10 {
		t.Errorf("the standardised pair is %q with the classes %q", scaled.Name, scaled.Classes)
	}
	if _, ok := scaled.Train.(*Bytes); !ok {
		t.Errorf("the standardised training set is a %T and not 47 MB of bytes", scaled.Train)
	}
	x := inputs[float32](t, must(Limit(p.Train, 100)))
	if slices.Min(x) != 0 || slices.Max(x) != 1 {
		t.Errorf("pixels lie in [%v,%v], want [0,1]", slices.Min(x), slices.Max(x))
	}
}

func TestPublishedFilesAreWellDescribed(t *testing.T) {
	for _, c := range []corpus{mnist(), fashion()} {
		if len(c.classes) != 10 || len(c.mirrors) < 2 {
			t.Errorf("%s: %d classes, %d mirrors", c.name, len(c.classes), len(c.mirrors))
		}
		seen := map[string]bool{}
		for _, f := range c.files {
			if len(f.gz) != 64 || (f.plain != "" && len(f.plain) != 64) || seen[f.gz] || seen[f.name] {
				t.Errorf("%s: %+v", c.name, f)
			}
			seen[f.gz], seen[f.name] = true, true
		}
		for _, m := range c.mirrors {
			if !strings.HasPrefix(m, "http") || !strings.HasSuffix(m, "/") {
				t.Errorf("%s: mirror %s", c.name, m)
			}
		}
	}
}

func TestFashionMNISTTellsMNISTApart(t *testing.T) {
	// Labels in the numbers of MNIST's training set, under the name that Fashion-MNIST's have too.
	var labels []uint8
	for class, n := range []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949} {
		labels = append(labels, slices.Repeat([]uint8{uint8(class)}, n)...)
	}
	_, err := fashion().files[1].check(idxBytes(t, &IDX{[]int{60000}, labels}))
	if err == nil || !strings.Contains(err.Error(), "5923 labels of class 0, the published file has 6000 of each class (are these the files of another data set?)") {
		t.Errorf("got %v", err)
	}
	for class := range 10 {
		copy(labels[6000*class:], slices.Repeat([]uint8{uint8(class)}, 6000))
	}
	if _, err := fashion().files[1].check(idxBytes(t, &IDX{[]int{60000}, labels})); err != nil {
		t.Error(err)
	}
}
