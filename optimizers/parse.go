package optimizers

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Parse reads a method with its settings, and what it is wrapped in:
//
//	adam
//	sgd:lr=0.05,momentum=0.9,nesterov=true
//	adamw:weight_decay=0.1+clip:norm=1+onecycle:steps=1000
//
// Methods, Wrappers and Schedules list the names and settings. Settings that are not given have their defaults, and
// the value true may be left out. The elements of a list have a / between them, as in betas=0/0.9/0.99. A wrapper holds
// everything to its left; a schedule's name wraps in Scheduled.
func Parse(spec string) (Method, error) {
	var m Method
	for i, part := range splitWrappers(spec) {
		name, settings := cutSpec(part)
		next, err := newMethod(name, m, i > 0)
		if err != nil {
			return nil, err
		}
		if g, ok := next.(*Groups); ok {
			// Rules that stand side by side are of one Groups.
			if before, ok := m.(*Groups); ok {
				g.Of, g.Rules = before.Of, before.Rules
			}
			err = g.addRule(settings)
		} else {
			err = assignText(name, structsOf(next), settings)
		}
		if err != nil {
			return nil, err
		}
		m = next
	}
	return m, nil
}

// SplitSpec parts a specification: the method with its settings, and each wrapper with its own.
func SplitSpec(spec string) (method string, wrappers []string) {
	parts := splitWrappers(spec)
	return parts[0], parts[1:]
}

// SettingNames are the names in a method's or wrapper's list of settings, in their order, whatever they are worth.
func SettingNames(part string) []string {
	_, list := cutSpec(part)
	if list == "" {
		return nil
	}
	var names []string
	for _, item := range splitOutside(list, func(i int) bool { return list[i] == ',' }) {
		name, _, _ := strings.Cut(item, "=")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// cutSpec parts a name from its settings.
func cutSpec(part string) (name, settings string) {
	name, settings, _ = strings.Cut(part, ":")
	return strings.TrimSpace(name), strings.TrimSpace(settings)
}

// ParseSettings builds the method with that name from settings as a JSON object has them: numbers, booleans and
// strings. For a wrapper, "inner" is such an object with the wrapped method's settings and its name under "method".
func ParseSettings(name string, settings map[string]any) (Method, error) {
	var inner Method
	object, wraps := settings["inner"]
	if wraps {
		nested, ok := object.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("optimizers: %s: inner is %v; allowed is an object with the settings of a method", name, object)
		}
		innerName, ok := nested["method"].(string)
		if !ok {
			return nil, fmt.Errorf("optimizers: %s: inner has no method; allowed are %s", name, strings.Join(methodNames(), ", "))
		}
		nested = maps.Clone(nested)
		delete(nested, "method")
		var err error
		if inner, err = ParseSettings(innerName, nested); err != nil {
			return nil, err
		}
		settings = maps.Clone(settings)
		delete(settings, "inner")
	}
	m, err := newMethod(name, inner, wraps)
	if err != nil {
		return nil, err
	}
	if err := assignAll(name, structsOf(m), settings); err != nil {
		return nil, err
	}
	return m, nil
}

// newMethod is a method or wrapper with that name and without settings.
func newMethod(name string, inner Method, wraps bool) (Method, error) {
	if wraps {
		for _, w := range wrappers() {
			if w.word() == name {
				return w.around(inner), nil
			}
		}
		return nil, unknown("wrapper", name, wrapperNames())
	}
	for _, m := range methods() {
		if m.Name() == name {
			return m, nil
		}
	}
	if slices.Contains(wrapperNames(), name) {
		return nil, fmt.Errorf("optimizers: %s wraps a method and stands after it, as in adam+%s", name, name)
	}
	return nil, unknown("method", name, methodNames())
}

// splitWrappers cuts a specification at each + that begins a wrapper; that of an exponent (1e+3) has a digit after it.
func splitWrappers(spec string) []string {
	return splitOutside(spec, func(i int) bool {
		return spec[i] == '+' && (i+1 == len(spec) || spec[i+1] < '0' || spec[i+1] > '9')
	})
}

// splitOutside cuts a text at the bytes that at tells, except within parentheses.
func splitOutside(text string, at func(i int) bool) []string {
	var parts []string
	start, depth := 0, 0
	for i := range len(text) {
		switch {
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth--
		case depth <= 0 && at(i):
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// structsOf lists the structs whose fields are the settings of a method or schedule, as pointers.
func structsOf(v any) []reflect.Value {
	if s, ok := v.(*Scheduled); ok {
		return []reflect.Value{reflect.ValueOf(s.Schedule), reflect.ValueOf(s)}
	}
	return []reflect.Value{reflect.ValueOf(v)}
}

// lookup finds a setting by name.
func lookup(owner string, structs []reflect.Value, name string) (field, reflect.Value, error) {
	var allowed []string
	for _, s := range structs {
		for _, f := range fieldsOf(s.Elem().Type()) {
			if f.Name == name {
				return f, s.Elem().Field(f.index), nil
			}
			allowed = append(allowed, f.Name)
		}
	}
	return field{}, reflect.Value{}, unknown("setting of "+owner, name, allowed)
}

// assignText stores the settings of a list such as lr=0.1,nesterov=true and checks them together.
func assignText(owner string, structs []reflect.Value, list string) error {
	seen := map[string]bool{}
	for _, item := range splitOutside(list, func(i int) bool { return list[i] == ',' }) {
		if list == "" {
			break
		}
		name, text, given := strings.Cut(item, "=")
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		f, at, err := lookup(owner, structs, name)
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("optimizers: %s: %s is given twice", owner, name)
		}
		seen[name] = true
		if !given && f.Kind == "true or false" {
			text = "true"
		}
		if err := f.assign(owner, at, f.fromText(text)); err != nil {
			return err
		}
	}
	return checkAll(owner, structs)
}

// assignAll stores the settings of a JSON object and checks them together.
func assignAll(owner string, structs []reflect.Value, settings map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		f, at, err := lookup(owner, structs, name)
		if err != nil {
			return err
		}
		if err := f.assign(owner, at, settings[name]); err != nil {
			return err
		}
	}
	return checkAll(owner, structs)
}

// checkAll checks the settings as a start would, on a copy.
func checkAll(owner string, structs []reflect.Value) error {
	for _, s := range structs {
		if err := resolveValue(owner, copyOf(s)); err != nil {
			return err
		}
	}
	return nil
}

// copyOf is a pointer to a copy of the struct that a pointer points to.
func copyOf(pointer reflect.Value) reflect.Value {
	c := reflect.New(pointer.Type().Elem())
	c.Elem().Set(pointer.Elem())
	return c
}

// Spec is the word that Parse reads back to the same method: only settings other than the default are in it. A method
// or schedule of one's own is there by its name, which Parse does not know.
func Spec(m Method) string {
	if isNil(m) {
		return ""
	}
	if g, ok := m.(*Groups); ok {
		return Spec(g.Of) + g.text()
	}
	if w, ok := m.(wrapper); ok {
		return Spec(w.inner()) + "+" + join(w.word(), settingsText(structsOf(m)))
	}
	return join(m.Name(), settingsText(structsOf(m)))
}

func join(name string, settings []string) string {
	if len(settings) == 0 {
		return name
	}
	return name + ":" + strings.Join(settings, ",")
}

// settingsText lists the settings whose value is not what they would be if they were not given.
func settingsText(structs []reflect.Value) []string {
	var list []string
	for _, s := range structs {
		if s.Kind() != reflect.Pointer || s.Elem().Kind() != reflect.Struct {
			continue // a schedule of one's own
		}
		full := copyOf(s)
		fullErr := resolveValue("", full)
		for _, f := range fieldsOf(s.Elem().Type()) {
			at := s.Elem().Field(f.index)
			if at.IsZero() {
				continue
			}
			without := copyOf(s)
			without.Elem().Field(f.index).SetZero()
			_ = resolveValue("", without) // only this field's default is wanted, whatever is wrong with the others
			if fullErr == nil && reflect.DeepEqual(without.Elem().Field(f.index).Interface(), full.Elem().Field(f.index).Interface()) {
				continue
			}
			list = append(list, f.Name+"="+f.text(at))
		}
	}
	return list
}
