package nn_test

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/safetensors"
	"github.com/saddle-ml/saddle/nn"
)

var savedNet = nn.Sequential{nn.Conv2D{Filters: 3, Kernel: 2}, nn.BatchNorm{}, nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 4}}

// filled is the net with numbers that no initialiser gives, in parameters and
// buffers.
func filled[T nn.Float](t *testing.T, seed uint64) *nn.Model[T] {
	t.Helper()
	m, err := nn.Build[T](savedNet, nn.SoftmaxCrossEntropy{}, []int{2, 4, 3}, nn.Seed(seed))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 17))
	for _, x := range [][]T{m.Params, m.Buffers} {
		for i := range x {
			x[i] = T(0.5 + r.Float64())
		}
	}
	return m
}

func saved[T nn.Float](t *testing.T, m *nn.Model[T], notes map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b, notes); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLoadGivesBackWhatSaveWrote, parameters, buffers and notes, to the bit; and
// in the other precision what rounding leaves.
func TestLoadGivesBackWhatSaveWrote(t *testing.T) {
	m := filled[float64](t, 1)
	// Numbers that are easily lost.
	copy(m.Params, []float64{math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64, math.Inf(-1), math.NaN()})
	notes := map[string]string{"step": "12", "a \"quoted\" name": "käse"}
	file := saved(t, m, notes)
	if !bytes.Equal(file, saved(t, m, maps.Clone(notes))) {
		t.Error("saved twice, the bytes differ")
	}
	other := filled[float64](t, 2)
	got, err := other.Load(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, notes) {
		t.Errorf("notes %v", got)
	}
	bits := func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }
	if !slices.EqualFunc(other.Params, m.Params, bits) || !slices.EqualFunc(other.Buffers, m.Buffers, bits) {
		t.Error("parameters or buffers are not those that were saved")
	}
	if got, err := other.Load(bytes.NewReader(saved(t, m, nil))); err != nil || len(got) != 0 {
		t.Errorf("without notes: %v %v", got, err)
	}

	m = filled[float64](t, 3)
	single := filled[float32](t, 4)
	if _, err := single.Load(bytes.NewReader(saved(t, m, nil))); err != nil {
		t.Fatal(err)
	}
	back := filled[float64](t, 5)
	if _, err := back.Load(bytes.NewReader(saved(t, single, nil))); err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Params {
		if single.Params[i] != float32(v) || back.Params[i] != float64(float32(v)) {
			t.Fatalf("parameter %d is %v, in float32 %v, and back %v", i, v, single.Params[i], back.Params[i])
		}
	}
	if single.Buffers[3] != float32(m.Buffers[3]) {
		t.Error("buffers are not converted")
	}
	// The loaded model computes what the saved one did.
	x := uniform(rand.New(rand.NewPCG(6, 17)), 24, -1, 1)
	other = filled[float64](t, 6)
	if _, err := other.Load(bytes.NewReader(saved(t, m, nil))); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(must[[]float64](t)(other.Predict(x)), must[[]float64](t)(m.Predict(x))) {
		t.Error("the loaded model computes something else")
	}
}

// TestTheFileHasTheTensorsOfTheModel by the names and shapes that others read
// them by.
func TestTheFileHasTheTensorsOfTheModel(t *testing.T) {
	m := filled[float32](t, 1)
	f, err := safetensors.Parse(saved(t, m, nil))
	if err != nil {
		t.Fatal(err)
	}
	list := slices.Concat(m.Parameters(), m.BufferList())
	if len(f.Tensors) != len(list) {
		t.Fatalf("%d tensors, want %d", len(f.Tensors), len(list))
	}
	for i, p := range list {
		got := make([]float32, p.Size())
		if f.Tensors[i].Name != p.Name || !slices.Equal(f.Tensors[i].Shape, p.Shape) || f.Tensors[i].DType != "F32" {
			t.Errorf("tensor %d is %s %v", i, f.Tensors[i].Name, f.Tensors[i].Shape)
		}
		if err := safetensors.Read(f.Tensors[i], got); err != nil || !slices.Equal(got, m.Tensor(p.Name)) {
			t.Errorf("%s is %v: %v", p.Name, got, err)
		}
	}
}

// broken fails after some bytes.
type broken struct{ left int }

var errBroken = errors.New("no space")

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return b.left, errBroken
	}
	b.left -= len(p)
	return len(p), nil
}

func (b *broken) Read(p []byte) (int, error) { return 0, errBroken }

// TestLoadRefusesWhatIsNotOfTheModel and leaves the model as it was.
func TestLoadRefusesWhatIsNotOfTheModel(t *testing.T) {
	m := filled[float64](t, 1)
	file := saved(t, m, nil)
	change := func(f func(*safetensors.File)) []byte {
		parsed, err := safetensors.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		f(parsed)
		var b bytes.Buffer
		if _, err := parsed.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	params, buffers := slices.Clone(m.Params), slices.Clone(m.Buffers)
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"nothing", nil, []string{"truncated or of another format"}},
		{"another format", []byte("PK\x03\x04 a zip archive, for example"), []string{"another format"}},
		{"cut off", file[:len(file)-1], []string{"safetensors: "}},
		{"bytes left over", append(slices.Clone(file), 0), []string{"safetensors: "}},
		{"a parameter is missing", change(func(f *safetensors.File) { f.Tensors = f.Tensors[1:] }), []string{"no conv1.weight", "[3 2 2 2]"}},
		{"a buffer is missing", change(func(f *safetensors.File) { f.Tensors = f.Tensors[:len(f.Tensors)-1] }), []string{"no batchnorm1.running_var", "[3]"}},
		{"one too many", change(func(f *safetensors.File) {
			f.Tensors = append(f.Tensors, safetensors.New("dense2.weight", []int{1, 2}, []float64{1, 2}))
		}), []string{"dense2.weight", "[1 2]", "does not have"}},
		{"another shape", change(func(f *safetensors.File) { f.Tensors[0].Shape = []int{2, 3, 2, 2} }), []string{"conv1.weight", "[2 3 2 2]", "[3 2 2 2]"}},
		{"another type", change(func(f *safetensors.File) {
			f.Tensors[1].DType, f.Tensors[1].Data = "I64", f.Tensors[1].Data[:24]
		}), []string{"conv1.bias", "I64", "F32 and F64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := m.Load(bytes.NewReader(c.file))
			says(t, err, append(c.want, "nn: load: ")...)
			if !slices.Equal(m.Params, params) || !slices.Equal(m.Buffers, buffers) {
				t.Error("the model has changed")
			}
		})
	}
	if _, err := m.Load(&broken{}); !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "nn: load: ") {
		t.Errorf("a failing reader: %v", err)
	}
	for _, left := range []int{0, 8, 100, len(file) - 1} {
		if err := m.Save(&broken{left}, nil); !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "nn: save: ") {
			t.Errorf("a writer that fails after %d bytes: %v", left, err)
		}
	}
}
