package data

import (
	"math"
	"slices"
	"testing"
)

func TestAffineTransformsInputsAlone(t *testing.T) {
	for name, d := range everyKind() {
		t.Run(name, func(t *testing.T) {
			a := must(Affine(d, -2, 0.5))
			x := inputs[float64](t, d)
			for i, got := range inputs[float64](t, a) {
				if want := -2*x[i] + 0.5; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
					t.Fatalf("input %d is %v, want %v", i, got, want)
				}
			}
			if !slices.Equal(targets(t, a), targets(t, d)) {
				t.Error("the targets changed")
			}
			if !slices.Equal(a.Shape(), d.Shape()) || a.Len() != d.Len() {
				t.Error("the shape or the length changed")
			}
		})
	}
}

func TestAffineReachesByteStorageThroughWrappers(t *testing.T) {
	d := must(Affine(must(Limit(Flatten(countedBytes(9, 1, 2, 2)), 5)), 2, 1))
	if _, ok := d.(*subset).base.(*reshaped).Dataset.(*Bytes); !ok {
		t.Errorf("the transform stands outside: %T", d)
	}
}

func TestAffineOfAffineIsOneTransform(t *testing.T) {
	d := must(Affine(must(Affine(counted[float64](4, 2), 3, 1)), 5, 2)).(*affine)
	if _, nested := d.Dataset.(*affine); nested {
		t.Error("two transforms are applied one after the other")
	}
	if d.scale[0] != 15 || d.shift[0] != 7 {
		t.Errorf("the product of 3v+1 and 5v+2 is %vv+%v, want 15v+7", d.scale[0], d.shift[0])
	}
}

func TestAffineRefusesBadArguments(t *testing.T) {
	d := counted[float64](4, 1)
	_, err := Affine(d, math.NaN(), 0)
	wantError(t, err, "scale NaN", "finite")
	_, err = Affine(d, 1, math.Inf(-1))
	wantError(t, err, "shift -Inf", "finite")
	_, err = Affine(nil, 1, 0)
	wantError(t, err, "nil")
}
