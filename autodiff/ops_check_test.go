package autodiff_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// checkSeeds is how many shapes and settings of each operation are checked.
const checkSeeds = 16

// TestEveryOperationHasTheRightDerivatives checks first and second order,
// forward and reverse, over random shapes and settings.
func TestEveryOperationHasTheRightDerivatives(t *testing.T) {
	checks := 0
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(checkSeeds) {
				f, shapes, o := c.draw(rand.New(rand.NewPCG(seed, 2)))
				o.Seed = seed
				if err := autodiff.Check(f, shapes, o); err != nil {
					t.Fatalf("seed %d, shapes %v: %v", seed, shapes, err)
				}
				checks++
			}
		})
	}
	t.Logf("%d operations, %d cases, %d checks", len(methods()), len(allCases()), checks)
}

// methods are the operations of a Builder on nodes, by their names in lower
// case. Those that take a rule stand for no operation of their own.
func methods() map[string]string {
	all := map[string]string{}
	n := reflect.TypeFor[*node]()
	b := reflect.TypeFor[*ops.Builder]()
	for i := range b.NumMethod() {
		m := b.Method(i)
		if m.Type.NumOut() != 1 || m.Type.Out(0) != n || m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[ops.Rule]() {
			continue
		}
		for j := 1; j < m.Type.NumIn(); j++ {
			if in := m.Type.In(j); in == n || in == reflect.SliceOf(n) {
				all[strings.ToLower(m.Name)] = m.Name
			}
		}
	}
	return all
}

// method is the one that a case or reference is of.
func method(name string) string {
	name, _, _ = strings.Cut(name, " ")
	return strings.ReplaceAll(name, "_", "")
}

// TestEveryOperationHasACase asks the Builder for its methods, so that one
// without a check of its derivatives, or of its values, is a failure.
func TestEveryOperationHasACase(t *testing.T) {
	all := methods()
	if len(all) < 60 {
		t.Fatalf("found only %v", all)
	}
	checked, known := map[string]bool{}, map[string]bool{}
	for _, c := range allCases() {
		checked[method(c.name)] = true
	}
	for _, c := range references() {
		known[method(c.name)] = true
	}
	for name, m := range all {
		if !checked[name] {
			t.Errorf("the derivatives of %s are not checked", m)
		}
		if !known[name] {
			t.Errorf("the values of %s are not compared with a reference", m)
		}
	}
	for name := range checked {
		if all[name] == "" {
			t.Errorf("the case %s is of no operation", name)
		}
	}
}
