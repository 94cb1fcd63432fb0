package data

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestOpenMakesTheSyntheticTasks(t *testing.T) {
	for _, c := range []struct {
		name                  string
		train, test, features int
		classes               int
		most                  float64
	}{{"blobs", 4000, 1000, 20, 10, 0.15}, {"spirals", 2400, 600, 2, 3, 0.08}} {
		p, err := Open(t.Context(), c.name, "")
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != c.name || p.Train.Len() != c.train || p.Test.Len() != c.test || !slices.Equal(p.Train.Shape(), []int{c.features}) || p.Train.Target().Classes != c.classes {
			t.Errorf("%s: %d and %d examples of shape %v, %v", p.Name, p.Train.Len(), p.Test.Len(), p.Train.Shape(), p.Train.Target())
		}
		few := must(Limit(p.Test, 200))
		if wrong := nearestError(t, p.Train, few); wrong > c.most {
			t.Errorf("%s: nearest neighbours are wrong for %v of the examples", c.name, wrong)
		}
	}
}

func TestOpenFindsFilesByName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nowhere") // a directory that lacks the files shows which were looked for
	for name, says := range map[string]string{"mnist": "data: mnist: ", "fashion": "data: fashion: ", "fashion-mnist": "data: fashion: "} {
		_, err := Open(t.Context(), name, dir)
		wantError(t, err, says, dir, "train-images-idx3-ubyte")
	}
	_, err := MNIST(t.Context(), dir)
	wantError(t, err, "data: mnist: ", dir)
	_, err = FashionMNIST(t.Context(), dir)
	wantError(t, err, "data: fashion: ", dir)
}

func TestOpenRefusesUnknownNames(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"mnist", "fashion", "blobs", "spirals", "lse", "a9a", "w8a", "mushrooms"}) {
		t.Errorf("names %q", got)
	}
	for name, says := range map[string]string{"mnsit": "did you mean \"mnist\"?", "fashion_mnist": "did you mean \"fashion-mnist\"?", "Spiral": "did you mean \"spirals\"?", "": "no data set \"\"", "imagenet": "mnist, fashion, blobs, spirals"} {
		_, err := Open(t.Context(), name, "")
		wantError(t, err, says, "mnist, fashion, blobs, spirals")
	}
}

func TestPairStandardizeReportsBadSets(t *testing.T) {
	_, _, err := (&Pair{Train: counted[float64](4, 3), Test: counted[float64](4, 4)}).Standardize()
	wantError(t, err, "standardize set 1")
	_, _, err = (&Pair{}).Standardize()
	wantError(t, err, "nil")
}
