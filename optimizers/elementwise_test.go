package optimizers_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// separate is a sum of a function of each parameter, as a problem: parameter i is pulled towards a point of its own, with
// a force of its own. turn says which parameter is the first; its gradient and those of every seventh are 0.
type separate[T optimizers.Float] struct {
	optimizers.Func[T]
	turn int
}

func (p *separate[T]) Len() int                               { return 1 }
func (p *separate[T]) Batch() optimizers.Sample[T]            { return p }
func (p *separate[T]) Full() optimizers.Sample[T]             { return p }
func (p *separate[T]) Draw(int) (optimizers.Sample[T], error) { return p, nil }

func newSeparate[T optimizers.Float](turn int) *separate[T] {
	p := &separate[T]{turn: turn}
	p.G = func(dst, x []T) float64 {
		for i, v := range x {
			k := float64((i + p.turn) % len(x))
			dst[i] = 0
			if int(k)%7 != 0 {
				dst[i] = T((1.5 + math.Sin(k)) * (float64(v) - math.Cos(3*k)))
			}
		}
		return 1
	}
	return p
}

// course takes steps on n parameters, begun at the turn of it, and turns them back.
func turned[T optimizers.Float](t *testing.T, spec string, n, turn, steps int) []T {
	t.Helper()
	o, err := optimizers.New[T](parsed(spec)(), optimizers.Flat(n))
	if err != nil {
		t.Fatal(err)
	}
	x := make([]T, n)
	for i := range x {
		x[i] = T(math.Sin(float64((i + turn) % n)))
	}
	p := newSeparate[T](turn)
	for range steps {
		if _, err := o.Step(context.Background(), x, p); err != nil {
			t.Fatal(err)
		}
	}
	return append(slices.Clone(x[n-turn:]), x[:n-turn]...)
}

// ofEachParameter are the methods that treat every parameter alike, with all their variants.
func ofEachParameter() []string {
	var specs []string
	for _, name := range strings.Fields("sgd adam adamw adagrad rmsprop adadelta adamax nadam radam adabelief adan lion aggmo asgd rprop prodigy schedule_free_sgd schedule_free_adamw adafactor") {
		specs = append(append(specs, name), variants[name]...)
	}
	return specs
}

// TestEachParameterForItself: where a parameter stands, in which block and vector, makes no difference to its path.
// Prodigy and Adafactor have sums over all parameters, so that the last digits do differ.
func TestEachParameterForItself(t *testing.T) {
	t.Run("float32", eachForItself[float32])
	t.Run("float64", eachForItself[float64])
}

func eachForItself[T optimizers.Float](t *testing.T) {
	const n, steps = 3*4096 + 1001, 8
	for _, spec := range ofEachParameter() {
		straight, other := turned[T](t, spec, n, 0, steps), turned[T](t, spec, n, 4099, steps)
		within := 0.0
		if strings.HasPrefix(spec, "prodigy") || strings.HasPrefix(spec, "adafactor") {
			within = 1e-12
			if _, single := any(T(0)).(float32); single {
				within = 1e-4
			}
		}
		for i, v := range straight {
			if d := math.Abs(float64(v - other[i])); !(d <= within) {
				t.Errorf("%s: parameter %d goes to %v, elsewhere to %v", spec, i, v, other[i])
				break
			}
		}
	}
}

// TestParametersWithoutGradientStay holds where there is no weight decay; ASGD has some of its own.
func TestParametersWithoutGradientStay(t *testing.T) {
	for _, spec := range ofEachParameter() {
		if strings.Contains(spec, "weight_decay=0.1") || spec == "adamw" {
			continue
		}
		start, end := turned[float64](t, spec, 100, 0, 0), turned[float64](t, spec, 100, 0, 20)
		for i := 0; i < len(end); i += 7 {
			if end[i] != start[i] && !strings.HasPrefix(spec, "asgd") || math.Abs(end[i]) > math.Abs(start[i]) {
				t.Errorf("%s: parameter %d has no gradient and goes from %v to %v", spec, i, start[i], end[i])
				break
			}
		}
	}
}
