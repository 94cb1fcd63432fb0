package data

import (
	"testing"
)

func TestByteStorageHasTheMomentsOfItsNumbers(t *testing.T) {
	for n := 1; n < 2000; n = 3*n + 1 {
		b := countedBytes(n, 1, 3, 3)
		many := make([]int, 2*n) // some examples twice, others not at all
		for i := range many {
			many[i] = i * i % n
		}
		for name, d := range map[string]Dataset{
			"bytes":    b,
			"affine":   must(Affine(b, -3.5, 1e3)),
			"subset":   must(Subset(b, many)),
			"reshaped": must(Reshape(must(Subset(b, many)), 1, 9, 1)),
			"both":     must(Affine(must(Reshape(must(Limit(b, (n+1)/2)), 1, 9, 1)), 2, -1)),
		} {
			for _, groups := range []Groups{Auto, Global} {
				x := inputs[float64](t, d)
				want := must(FitScaler(must(New(x, d.Shape(), make([]float64, d.Len()), Target{})), groups))
				got := must(FitScaler(d, groups))
				if !near(got.Mean, want.Mean, 1e-13) || !near(got.Std, want.Std, 1e-13) {
					t.Errorf("%s of %d, groups %d: mean %v std %v, want %v and %v", name, n, groups, got.Mean, got.Std, want.Mean, want.Std)
				}
			}
		}
	}
}

func TestConstantBytesKeepTheirScale(t *testing.T) {
	x := make([]byte, 300)
	for i := range x {
		x[i] = 77
	}
	b := must(NewBytes(x, []int{1, 10, 3}, make([]byte, 10), 1))
	if s := must(FitScaler(b, Auto)); s.Mean[0] != 77.0/255 || s.Std[0] != 1 {
		t.Errorf("mean %v and standard deviation %v, want exactly %v and 1", s.Mean[0], s.Std[0], 77.0/255)
	}
	_, err := FitScaler(must(Affine(countedBytes(20, 1, 3, 3), 1e200, 0)), Auto)
	wantError(t, err, "cannot standardize")
}

func BenchmarkStandardizeBytes(b *testing.B) {
	d := countedBytes(20000, 1, 28, 28)
	b.SetBytes(int64(len(d.x)))
	for b.Loop() {
		if _, _, err := Standardize(d); err != nil {
			b.Fatal(err)
		}
	}
}
