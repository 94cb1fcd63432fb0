package optimizers

import (
	"reflect"
	"slices"
)

// Info describes a method, wrapper or schedule to people who choose one.
type Info struct {
	Name      string
	Use       string    // one line: when to use it
	Settings  []Setting // in the order of the struct's fields
	Memory    int       // numbers kept per parameter with the default settings, beside the parameter itself
	DefaultLR float64   // the default learning rate; 0 where there is none
	Peak      float64   // the highest rate of one cycle that goes with it, as a multiple; 0 means 5
	SetsRate  bool      // of a wrapper: it sets the learning rate, so that no schedule can stand beside it
	Batch     int       // the minibatch it works best with; 0 means the caller's choice
}

// methods makes one of each method, in the order of Methods.
func methods() []Method {
	return slices.Concat(
		[]Method{&SGD{}, &Adam{}, &AdamW{}, &HF{}},
		adaptive(),
		newtonMethods(),
		hessianMethods(),
		kroneckerMethods(),
		matrixMethods(),
		finiteMethods(),
	)
}

// wrappers makes one of each wrapper around a method.
func wrappers() []wrapper {
	list := slices.Concat(commonWrappers(), []wrapper{&Groups{}, &Props{}}, stepRules())
	for _, s := range schedules() {
		list = append(list, &Scheduled{Schedule: s})
	}
	return list
}

// described is a method, wrapper or schedule of this package.
type described interface{ info() Info }

// wrapper is a method around another. All that goes through a chain of them, such as ForSteps and Spec, asks for no more
// than this.
type wrapper interface {
	Method
	word() string         // what stands after the + in a specification
	inner() Method        // the method inside
	around(Method) Method // a copy around another method
}

// Methods describes every method that Parse knows.
func Methods() []Info {
	var list []Info
	for _, m := range methods() {
		list = append(list, Describe(m))
	}
	return list
}

// Wrappers describes what may stand after a + in Parse, beside the schedules.
func Wrappers() []Info {
	var list []Info
	for _, w := range wrappers() {
		if _, scheduled := w.(*Scheduled); !scheduled {
			list = append(list, infoOf(w))
		}
	}
	return list
}

// Describe describes the method of m, without the wrappers around it and whatever its settings are. Of an optimizer of
// one's own only the name is known.
func Describe(m Method) Info {
	for !isNil(m) {
		w, ok := m.(wrapper)
		if !ok {
			return infoOf(m)
		}
		m = w.inner()
	}
	return Info{}
}

// infoOf is the description of one thing with its settings.
func infoOf(v interface{ Name() string }) Info {
	d, ok := v.(described)
	if !ok {
		return Info{Name: v.Name()}
	}
	info := d.info()
	for _, f := range fieldsOf(reflect.TypeOf(v).Elem()) {
		info.Settings = append(info.Settings, f.Setting)
	}
	return info
}

func methodNames() []string {
	var list []string
	for _, m := range methods() {
		list = append(list, m.Name())
	}
	return list
}

func wrapperNames() []string {
	var list []string
	for _, w := range wrappers() {
		list = append(list, w.word())
	}
	return list
}
