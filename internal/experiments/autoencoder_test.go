package experiments

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/saddle-ml/saddle/data"
)

// Of rows with variances 2 and 1 the mean leaves 3 and one component 1.
func TestLevelsOfImages(t *testing.T) {
	l, err := levelsOf(context.Background(), []float32{2, 0, -2, 0, 2, 0, -2, 0, 0, 2, 0, -2, 0, 0, 0, 0}, 2, 1)
	if err != nil || math.Abs(l.Mean-3) > 1e-12 || math.Abs(l.PCA-1) > 1e-12 {
		t.Errorf("%+v (%v), want 3 and 1", l, err)
	}
	l, err = levelsOf(context.Background(), []float32{0, 1, 1, 1}, 2, 1)
	if err != nil || math.Abs(l.Entropy-math.Ln2) > 1e-12 {
		t.Errorf("entropy %v (%v), want that of one even pixel", l.Entropy, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := levelsOf(ctx, []float32{0, 1, 1, 1}, 2, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestStartsOfAutoencoders(t *testing.T) {
	for start, want := range map[string]float64{"zero": 0, "near-zero": 1, "sparse": 5} {
		w := []float32{3, 4}
		beginAt(w, start, 1)
		if length := math.Hypot(float64(w[0]), float64(w[1])); !(math.Abs(length-want) <= 1e-6) { // also NaN
			t.Errorf("%s: length %v, want %v", start, length, want)
		}
	}
}

func TestPropagationsOfALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(path, []byte("{\"event\":\"start\"}\n{\"event\":\"step\",\"props\":30}\n{\"event\":\"point\"}\n{\"event\":\"step\",\"props\":12}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if p, err := propsOf(path); err != nil || len(p) != 3 || p[0] != 0 || p[1] != 30 || p[2] != 42 {
		t.Errorf("%v (%v)", p, err)
	}
}

// interrupting is a data set that ends a run when it is read for the last time.
type interrupting struct {
	data.Dataset
	reads int
	end   func()
}

func (d *interrupting) Read32(x, y []float32, index []int) error {
	if d.reads--; d.reads == 0 {
		d.end()
	}
	return d.Dataset.Read32(x, y, index)
}

// An autoencoder's run that is interrupted, again and again, ends with the measurements
// of one that is not, but for the seconds.
func TestInterruptedAutoencodersGoOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 60*28*28)
	for i := range x {
		x[i] = float32(rng.IntN(2))
	}
	all, err := data.New(x, []int{28 * 28}, x, data.Target{Shape: []int{28 * 28}})
	if err != nil {
		t.Fatal(err)
	}
	test, err := data.Limit(all, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []autoencoderJob{
		{name: "tr", spec: "tr:preset=xu2018,curvature=0.2,cg_iters=2", start: "near-zero", every: 1, props: 1200},
		{name: "adam", spec: "adam", start: "sparse", batch: 25, every: 3, props: 500},
	} {
		j.sizes = []int{6, 4}
		want, err := autoencode(context.Background(), env(t.TempDir()), &images{train: all, test: test}, j)
		if err != nil {
			t.Fatal(err)
		}
		n := len(want.Props)
		if n < 5 || want.Props[n-1] < j.props || want.Props[n-2] >= j.props {
			t.Fatalf("%s: ends at %v of %v propagations", j.name, want.Props, j.props)
		}
		e := env(t.TempDir())
		times := 0
		var got *autoencoderRun
		for reads := 4; got == nil; reads += 8 {
			ctx, cancel := context.WithCancel(context.Background())
			got, err = autoencode(ctx, e, &images{train: &interrupting{all, reads, cancel}, test: test}, j)
			cancel()
			if errors.Is(err, context.Canceled) {
				times++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		want.Seconds, got.Seconds = nil, nil
		if times < 2 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: interrupted %d times:\n%+v, without\n%+v", j.name, times, got, want)
		}
	}
}
