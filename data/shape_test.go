package data

import (
	"slices"
	"testing"
)

func TestAutoencodeTargetsAreTheInputs(t *testing.T) {
	d := Autoencode(countedBytes(9, 1, 2, 3))
	if got := d.Target(); got.Classes != 0 || !slices.Equal(got.Shape, []int{1, 2, 3}) {
		t.Errorf("target is %v", got)
	}
	if !slices.Equal(targets(t, d), inputs[float64](t, d)) {
		t.Error("targets differ from inputs")
	}
	if got := Autoencode(Flatten(countedBytes(9, 1, 2, 3))).Target().Shape; !slices.Equal(got, []int{6}) {
		t.Errorf("the flat target has shape %v", got)
	}
	noisy := must(Affine(d, 2, 0))
	if x, y := inputs[float64](t, noisy), targets(t, noisy); x[1] != 2*y[1] || y[1] == 0 {
		t.Errorf("a transform after Autoencode gives input %v and target %v, want the input alone doubled", x[1], y[1])
	}
}

func TestReshapeKeepsTheNumbers(t *testing.T) {
	d := counted[float64](3, 2, 6)
	for _, s := range []Dataset{must(Reshape(d, 3, 4)), Flatten(d)} {
		if !slices.Equal(inputs[float64](t, s), inputs[float64](t, d)) {
			t.Errorf("shape %v: the numbers changed", s.Shape())
		}
	}
	if got := must(Reshape(d, 3, 4)).Shape(); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("shape %v", got)
	}
	if got := Flatten(d).Shape(); !slices.Equal(got, []int{12}) {
		t.Errorf("shape %v", got)
	}
}

func TestReshapeRefusesAnotherSize(t *testing.T) {
	d := counted[float64](3, 2, 6)
	_, err := Reshape(d, 5)
	wantError(t, err, "[2 6] (12 numbers)", "[5] (5 numbers)")
	_, err = Reshape(d, -3, -4)
	wantError(t, err, "dimension -3")
	_, err = Reshape(counted[float64](3, 1))
	wantError(t, err, "[] (1 numbers)")
	_, err = Reshape(nil, 1)
	wantError(t, err, "nil")
	if Flatten(nil) != nil || Autoencode(nil) != nil {
		t.Error("nothing becomes something")
	}
}
