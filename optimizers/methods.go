package optimizers

import "reflect"

// Info describes a method, wrapper or schedule to people who choose one.
type Info struct {
	Name      string
	Use       string    // one line: when to use it
	Settings  []Setting // in the order of the struct's fields
	Memory    int       // numbers kept per parameter with the default settings, beside the parameter itself
	DefaultLR float64   // the default learning rate; 0 where there is none
	Batch     int       // the minibatch it works best with; 0 means the caller's choice
}

// methods makes one of each method, in the order of Methods.
func methods() []Method {
	return []Method{&SGD{}, &Adam{}, &AdamW{}, &HF{}}
}

// wrappers makes one of each wrapper around a method.
func wrappers() []func(Method) Method {
	list := []func(Method) Method{
		func(m Method) Method { return &Clip{Of: m} },
	}
	for _, s := range schedules() {
		list = append(list, func(m Method) Method { return &Scheduled{Of: m, Schedule: s} })
	}
	return list
}

// described is a method, wrapper or schedule of this package.
type described interface{ info() Info }

// wrapper is a method around another.
type wrapper interface {
	Method
	inner() Method
}

// wrapperName is the word for a wrapper after the + in a specification.
func wrapperName(m Method) string {
	switch w := m.(type) {
	case *Clip:
		return "clip"
	case *Scheduled:
		if isNil(w.Schedule) {
			return ""
		}
		return w.Schedule.Name()
	}
	return m.Name()
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
		if m := w(nil); !isScheduled(m) {
			list = append(list, infoOf(m))
		}
	}
	return list
}

func isScheduled(m Method) bool {
	_, ok := m.(*Scheduled)
	return ok
}

// Describe describes the method of m, without the wrappers around it and whatever its settings are. Of an optimizer of
// one's own only the name is known.
func Describe(m Method) Info {
	for {
		w, ok := m.(wrapper)
		if !ok || isNil(m) {
			break
		}
		m = w.inner()
	}
	if isNil(m) {
		return Info{}
	}
	return infoOf(m)
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
		list = append(list, wrapperName(w(nil)))
	}
	return list
}
