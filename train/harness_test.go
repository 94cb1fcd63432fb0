package train

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// small is a task with a network that has all that a run must save: buffers and
// dropout beside the weights.
func small[T Float](t testing.TB, layers ...nn.Layer) (*nn.Model[T], data.Dataset) {
	t.Helper()
	d, err := data.Blobs(150, 3, 5, 0.7, 4)
	if err != nil {
		t.Fatal(err)
	}
	if layers == nil {
		layers = []nn.Layer{nn.Dense{Units: 8}, nn.BatchNorm{}, nn.ReLU{}, nn.Dropout{Rate: 0.3}, nn.Dense{Units: 3}}
	}
	m, err := nn.Build[T](nn.Sequential(layers), nn.SoftmaxCrossEntropy{}, []int{5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m, d
}

func plain() []nn.Layer { return []nn.Layer{nn.Dense{Units: 6}, nn.Tanh{}, nn.Dense{Units: 3}} }

// batch reads examples from to to of d.
func batch[T Float](t testing.TB, d data.Dataset, from, to int) data.Batch[T] {
	t.Helper()
	b := data.Batch[T]{N: to - from, X: make([]T, (to-from)*product(d.Shape())), Y: make([]T, (to-from)*d.Target().Size())}
	for i := from; i < to; i++ {
		b.Index = append(b.Index, i)
	}
	if err := data.Read(d, b.X, b.Y, b.Index); err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, spec string) optimizers.Method {
	t.Helper()
	m, err := optimizers.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustFit[T Float](t testing.TB, m *nn.Model[T], d data.Dataset, c Config) *History {
	t.Helper()
	h, err := Fit(context.Background(), m, d, c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// copyDir copies the files of a directory as they are now, as a process that
// dies now leaves them.
func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.WriteFile(filepath.Join(to, e.Name()), []byte(readFile(t, filepath.Join(from, e.Name()))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
