package builtin

import (
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// children are the nodes that a Gorgonia operation is applied to, in order,
// with repetitions. Gorgonia's API gives them by way of a map that goes stale.
func children(n *gorgonia.Node) []*gorgonia.Node {
	f := reflect.ValueOf(n).Elem().FieldByName("children")
	if !f.IsValid() || f.Type() != reflect.TypeFor[gorgonia.Nodes]() {
		return nil // caught by a test: another version of Gorgonia
	}
	return *(*gorgonia.Nodes)(unsafe.Pointer(f.UnsafeAddr()))
}

// named tells whether an input was given a name. Its Name method makes one up
// where there is none.
func named(n *gorgonia.Node) bool {
	f := reflect.ValueOf(n).Elem().FieldByName("name")
	return f.IsValid() && f.String() != ""
}

// kind is the name of the type of a node's operation, without the package.
func kind(n *gorgonia.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", n.Op()), "*"), "gorgonia.")
}

var errChanged = errors.New("an operand of it was changed by Gorgonia since it was built: log(1+a) and log(1-a), where stabilised, " +
	"destroy the sum itself; turn that off with gorgonia.UseNonStable(), or build the logarithm first")

// changed tells whether n no longer is what it was when its hash was taken.
func changed(n *gorgonia.Node) bool {
	if kind(n) == "dropoutOp" {
		return false // its hash says whether it trains, which may change
	}
	for _, c := range children(n) {
		if _, ok := ops.Dtype(c); !ok || c.Graph() == nil {
			return true
		}
	}
	h := fnv.New32a()
	n.WriteHash(h)
	return h.Sum32() != n.Hashcode()
}

// fields reads the settings of a Gorgonia operation, which are unexported.
type fields struct {
	v   reflect.Value
	err error
}

func fieldsOf(op gorgonia.Op) *fields {
	v := reflect.ValueOf(op)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return &fields{v: v}
}

func (f *fields) get(name string, kinds ...reflect.Kind) (reflect.Value, bool) {
	v := f.v.FieldByName(name)
	for _, k := range kinds {
		if v.IsValid() && v.Kind() == k {
			return v, true
		}
	}
	if f.err == nil {
		f.err = fmt.Errorf("gorgonia's %s has no field %s as expected", f.v.Type(), name)
	}
	return v, false
}

func (f *fields) int(name string) int {
	if v, ok := f.get(name, reflect.Int); ok {
		return int(v.Int())
	}
	return 0
}

func (f *fields) bool(name string) bool {
	if v, ok := f.get(name, reflect.Bool); ok {
		return v.Bool()
	}
	return false
}

func (f *fields) float(name string) float64 {
	if v, ok := f.get(name, reflect.Float64); ok {
		return v.Float()
	}
	return 0
}

func (f *fields) ints(name string) []int {
	v, ok := f.get(name, reflect.Slice)
	if !ok {
		return nil
	}
	out := make([]int, v.Len())
	for i := range out {
		out[i] = int(v.Index(i).Int())
	}
	return out
}

// numbers is the elements of a value as float64 in row-major order.
func numbers(v gorgonia.Value) ([]float64, error) {
	if d, ok := v.(*tensor.Dense); ok && d.RequiresIterator() {
		v = d.Materialize().(*tensor.Dense)
	}
	switch x := v.Data().(type) {
	case float32:
		return []float64{float64(x)}, nil
	case float64:
		return []float64{x}, nil
	case []float64:
		return append([]float64(nil), x...), nil
	case []float32:
		out := make([]float64, len(x))
		for i, y := range x {
			out[i] = float64(y)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a constant of type %T; allowed are float32 and float64", v.Data())
}
