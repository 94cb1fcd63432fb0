package data

import (
	"fmt"
	"math"
	"testing"
)

func allBytes() *Bytes {
	x := make([]byte, 256)
	for i := range x {
		x[i] = byte(i)
	}
	return must(NewBytes(x, []int{256}, []byte{0}, 1))
}

func TestBytesAreReadAsPartsOf255(t *testing.T) {
	d := allBytes()
	x32, x64 := inputs[float32](t, d), inputs[float64](t, d)
	for i := range 256 {
		if x64[i] != float64(i)/255 || x32[i] != float32(float64(i)/255) {
			t.Errorf("byte %d reads as %v and %v", i, x32[i], x64[i])
		}
	}
}

func TestAffineFoldsIntoBytes(t *testing.T) {
	d := allBytes()
	twice := must(Affine(must(Affine(d, 3, -1)), 0.5, 2))
	if _, ok := twice.(*Bytes); !ok {
		t.Fatalf("the transformed data set is a %T and not byte storage", twice)
	}
	got, want := inputs[float64](t, twice), inputs[float64](t, d)
	for i := range got {
		if w := (want[i]*3-1)*0.5 + 2; math.Abs(got[i]-w) > 1e-15 {
			t.Errorf("byte %d reads as %v, want %v", i, got[i], w)
		}
	}
	if after := inputs[float64](t, d); after[255] != 1 {
		t.Errorf("the original changed: byte 255 reads as %v", after[255])
	}
}

func TestNewBytesRefusesWhatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		x       int
		shape   []int
		labels  []byte
		classes int
		says    []string
	}{
		"part of an example": {5, []int{2}, nil, 10, []string{"5 bytes", "2 bytes each"}},
		"no examples":        {0, []int{2}, nil, 10, []string{"0 examples"}},
		"no shape":           {5, nil, make([]byte, 5), 10, []string{"input shape is empty"}},
		"bad shape":          {5, []int{-1}, nil, 10, []string{"dimension -1"}},
		"no classes":         {4, []int{2}, []byte{0, 0}, 0, []string{"0 classes"}},
		"too few labels":     {4, []int{2}, []byte{0}, 10, []string{"1 labels for 2 examples"}},
		"label too large":    {4, []int{2}, []byte{9, 10}, 10, []string{"example 1", "label 10", "0 to 9"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewBytes(make([]byte, c.x), c.shape, c.labels, c.classes)
			wantError(t, err, c.says...)
		})
	}
}

// BenchmarkGather reads shuffled batches of 128 images the size of MNIST's, and reports the bytes of floats made.
func BenchmarkGather(b *testing.B) {
	const n, batch = 20000, 128
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	newRandom(1, useEpoch, 0).shuffle(order)
	bytes := countedBytes(n, 1, 28, 28)
	floats := must(New(inputs[float32](b, bytes), []int{1, 28, 28}, make([]float32, n), Target{Classes: 10}))
	scaler := must(FitScaler(bytes, PerFeature))
	for _, c := range []struct {
		name string
		d    Dataset
	}{
		{"bytes", bytes},
		{"bytes standardized", must(Affine(bytes, 3, -1))},
		{"bytes subset", must(Subset(bytes, order))},
		{"bytes per feature", must(scaler.Apply(bytes))},
		{"float32", floats},
	} {
		b.Run(fmt.Sprintf("%s/float32", c.name), func(b *testing.B) { benchmarkGather[float32](b, c.d, order, batch, 4) })
		b.Run(fmt.Sprintf("%s/float64", c.name), func(b *testing.B) { benchmarkGather[float64](b, c.d, order, batch, 8) })
	}
}

func benchmarkGather[T Float](b *testing.B, d Dataset, order []int, batch, width int) {
	x, y := make([]T, batch*product(d.Shape())), make([]T, batch)
	at := 0
	for b.Loop() {
		if err := Read(d, x, y, order[at:at+batch]); err != nil {
			b.Fatal(err)
		}
		at = (at + batch) % (len(order) - batch)
	}
	b.ReportMetric(float64(b.N)*float64(len(x)*width)/b.Elapsed().Seconds()/1e9, "GB/s")
	b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "samples/s")
}
