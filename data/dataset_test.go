package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// wantError fails unless err is an error of this package that contains every part.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	if !strings.HasPrefix(err.Error(), "data: ") {
		t.Errorf("error %q does not start with \"data: \"", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// counted is n examples of the given shape whose numbers are all different: 0, 1, 2, ... in order of storage.
// Its class is the example's number modulo 3.
func counted[T Float](n int, shape ...int) *Arrays[T] {
	x, y := make([]T, n*product(shape)), make([]T, n)
	for i := range x {
		x[i] = T(i)
	}
	for i := range y {
		y[i] = T(i % 3)
	}
	return must(New(x, shape, y, Target{Classes: 3}))
}

func countedBytes(n int, shape ...int) *Bytes {
	x, labels := make([]byte, n*product(shape)), make([]byte, n)
	for i := range x {
		x[i] = byte(i * 37)
	}
	for i := range labels {
		labels[i] = byte(i % 10)
	}
	return must(NewBytes(x, shape, labels, 10))
}

// inputs reads all inputs of d.
func inputs[T Float](t testing.TB, d Dataset) []T {
	t.Helper()
	x, index := make([]T, d.Len()*product(d.Shape())), make([]int, d.Len())
	for i := range index {
		index[i] = i
	}
	if err := Read(d, x, nil, index); err != nil {
		t.Fatal(err)
	}
	return x
}

// targets reads all targets of d.
func targets(t testing.TB, d Dataset) []float64 {
	t.Helper()
	y, index := make([]float64, d.Len()*d.Target().Size()), make([]int, d.Len())
	for i := range index {
		index[i] = i
	}
	if err := Read(d, nil, y, index); err != nil {
		t.Fatal(err)
	}
	return y
}

// everyKind is one data set of every kind that this package makes.
func everyKind() map[string]Dataset {
	image := countedBytes(150, 1, 4, 5)
	real := must(New([]float32{1, 2, 3, 4, 5, 6}, []int{2}, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, Target{Shape: []int{2, 2}}))
	custom := must(Func(70, []int{3}, Target{Shape: []int{2}}, func(i int, x, y []float64) error {
		x[i%3], y[i%2] = float64(i), 1/float64(i+1)
		return nil
	}))
	return map[string]Dataset{
		"arrays32":       counted[float32](130, 2, 3),
		"arrays64":       counted[float64](5, 7),
		"real target":    real,
		"scalar target":  must(New([]float64{1, 2}, []int{1}, []float64{3, 4}, Target{})),
		"bytes":          image,
		"func":           custom,
		"subset":         must(Subset(image, []int{3, 3, 149, 0})),
		"limit":          must(Limit(custom, 65)),
		"affine bytes":   must(Affine(image, 2, -1)),
		"affine func":    must(Affine(custom, -0.5, 3)),
		"affine subset":  must(Affine(must(Subset(custom, []int{5, 1})), 3, 1)),
		"scaled":         must((&Scaler{Mean: []float64{1, 2, 3}, Std: []float64{1, 2, 4}}).Apply(custom)),
		"autoencode":     Autoencode(image),
		"flatten":        Flatten(image),
		"affine flatten": must(Affine(Flatten(image), 3, 1)),
		"reshape":        must(Reshape(image, 2, 10)),
		"blobs":          must(Blobs(90, 3, 4, 0.5, 1)),
		"spirals":        must(Spirals(90, 3, 0.5, 1)),
	}
}

func TestEveryKindKeepsThePromisesOfDataset(t *testing.T) {
	for name, d := range everyKind() {
		t.Run(name, func(t *testing.T) {
			if err := Check(d); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryKindReportsBadReads(t *testing.T) {
	for name, d := range everyKind() {
		t.Run(name, func(t *testing.T) {
			size, tsize := product(d.Shape()), d.Target().Size()
			x, y := make([]float32, size), make([]float32, tsize)
			wantError(t, d.Read32(x[1:], y, []int{0}), "x has room for", fmt.Sprint("take ", size))
			wantError(t, d.Read32(x, append(y, 0), []int{0}), "y has room for", fmt.Sprint("take ", tsize))
			wantError(t, d.Read32(x, y, []int{-1}), "index[0] is -1", fmt.Sprint("0 to ", d.Len()-1))
			wantError(t, d.Read32(nil, y, []int{d.Len()}), fmt.Sprint("index[0] is ", d.Len()))
			if err := d.Read32(nil, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryKindIsSafeForConcurrentReads(t *testing.T) {
	for name, d := range everyKind() {
		t.Run(name, func(t *testing.T) {
			want := inputs[float64](t, d)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 10 {
						if !slices.Equal(inputs[float64](t, d), want) {
							t.Error("concurrent reads disagree")
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestEveryKindReadsWithoutAllocating(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for name, d := range everyKind() {
		t.Run(name, func(t *testing.T) {
			index := []int{1, 0, 1}
			x, y := make([]float32, 3*product(d.Shape())), make([]float32, 3*d.Target().Size())
			if n := testing.AllocsPerRun(100, func() {
				if err := Read(d, x, y, index); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%v allocations a read, want none", n)
			}
		})
	}
}

func TestReadTakesAnyOrderAndEitherHalf(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		n := 1 + r.IntN(20)
		shape := make([]int, 1+r.IntN(3))
		for i := range shape {
			shape[i] = 1 + r.IntN(4)
		}
		size := product(shape)
		d := counted[float32](n, shape...)
		index := make([]int, r.IntN(30))
		for i := range index {
			index[i] = r.IntN(n)
		}
		x, y := make([]float64, len(index)*size), make([]float64, len(index))
		if err := Read(d, x, y, index); err != nil {
			t.Fatal(err)
		}
		for i, k := range index {
			if y[i] != float64(k%3) {
				t.Fatalf("target of example %d is %v", k, y[i])
			}
			for j := range size {
				if x[i*size+j] != float64(k*size+j) {
					t.Fatalf("input %d of example %d is %v", j, k, x[i*size+j])
				}
			}
		}
		x2, y2 := make([]float64, len(x)), make([]float64, len(y))
		if err := Read(d, x2, nil, index); err != nil {
			t.Fatal(err)
		}
		if err := Read(d, nil, y2, index); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x, x2) || !slices.Equal(y, y2) {
			t.Fatal("the halves read alone differ from those read together")
		}
	}
}

func TestReadChecksForDatasetsThatDoNot(t *testing.T) {
	d := broken{Dataset: counted[float64](4, 2)}
	d.read = func(x, y []float64, index []int) error { panic("reached") }
	wantError(t, Read(d, make([]float64, 3), make([]float64, 1), []int{0}), "x has room for 3", "[2] take 2")
	wantError(t, Read(d, make([]float64, 2), make([]float64, 1), []int{4}), "index[0] is 4", "0 to 3")
	wantError(t, Read(nil, []float32{}, nil, nil), "nil")
}

func TestTargetSize(t *testing.T) {
	for _, c := range []struct {
		target Target
		size   int
		text   string
	}{
		{Target{Classes: 10}, 1, "10 classes"},
		{Target{}, 1, "real numbers of shape []"},
		{Target{Shape: []int{3, 4}}, 12, "real numbers of shape [3 4]"},
	} {
		if got := c.target.Size(); got != c.size {
			t.Errorf("%v: size %d, want %d", c.target, got, c.size)
		}
		if got := c.target.String(); got != c.text {
			t.Errorf("text %q, want %q", got, c.text)
		}
	}
}
