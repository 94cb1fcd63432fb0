package optimizers

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// assign says for each tensor of the layout which rule it belongs to; -1 is none. An empty layout has nothing that a
// pattern could fit, so that it is no error there.
func (w *Groups) assign(l Layout) ([]int, error) {
	belongs := make([]int, len(l))
	for i := range belongs {
		belongs[i] = -1
	}
	for i, rule := range w.Rules {
		if len(rule.Tensors) == 0 {
			return nil, fmt.Errorf("optimizers: group %d of %d names no tensors; allowed are weight, bias, norm and patterns of names", i+1, len(w.Rules))
		}
		for _, pattern := range rule.Tensors {
			kind, err := ParseKind(pattern)
			byKind, found := err == nil, false
			for j, t := range l {
				if byKind && t.Kind == kind || !byKind && named(t.Name, pattern) {
					found = true
					if belongs[j] < 0 {
						belongs[j] = i
					}
				}
			}
			if !found && !byKind && len(l) > 0 {
				return nil, noTensor(pattern, l)
			}
		}
	}
	return belongs, nil
}

// noTensor is the error for a pattern that fits no tensor.
func noTensor(pattern string, l Layout) error {
	var names, parts []string
	for _, t := range l {
		names = append(names, t.Name)
		for i := range len(t.Name) {
			if t.Name[i] == '.' && !slices.Contains(parts, t.Name[:i]) {
				parts = append(parts, t.Name[:i])
			}
		}
	}
	hint := spell.Hint(pattern, slices.Concat(kindNames, parts, names))
	if most := 12; len(names) > most {
		names = append(names[:most], fmt.Sprintf("... (%d in all)", len(l)))
	}
	return fmt.Errorf("optimizers: group: no tensor is named %q; there are %s, and the kinds %s%s",
		pattern, strings.Join(names, ", "), strings.Join(kindNames, ", "), hint)
}

// named says whether a pattern fits a name, or its beginning up to a dot.
func named(name, pattern string) bool {
	for i := range len(name) {
		if name[i] == '.' && fitsPattern(name[:i], pattern) {
			return true
		}
	}
	return fitsPattern(name, pattern)
}

// fitsPattern says whether a pattern fits the whole of a text: * stands for any characters, ? for one.
func fitsPattern(text, pattern string) bool {
	// After a mismatch the last * takes one character more.
	t, p, star, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			t, p = t+1, p+1
		case star >= 0:
			from++
			t, p = from, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// pick is the layout of the tensors that belong to a rule, one after the other. Its blocks are left out: a group has no
// Factors oracle.
func (l Layout) pick(belongs []int, rule int) Layout {
	picked, offset := Layout{}, 0
	for i, t := range l {
		if belongs[i] == rule {
			t.Offset, t.Block = offset, nil
			offset += t.Size()
			picked = append(picked, t)
		}
	}
	return picked
}

// addRule reads a rule such as bias,norm:weight_decay=0 and checks it against the method.
func (w *Groups) addRule(text string) error {
	tensors, settings, ok := strings.Cut(text, ":")
	if !ok || strings.TrimSpace(settings) == "" {
		return fmt.Errorf("optimizers: group %q says nothing about its tensors; write it as bias,norm:weight_decay=0, dense1:lr=0.1x or conv*:freeze", text)
	}
	var r Rule
	for _, word := range strings.Split(tensors, ",") {
		if word = strings.TrimSpace(word); word == "" {
			return fmt.Errorf("optimizers: group %q names a tensor by nothing; allowed are weight, bias, norm and patterns of names", text)
		}
		r.Tensors = append(r.Tensors, word)
	}
	if err := r.read(w.Of, settings); err != nil {
		return fmt.Errorf("optimizers: group %s: %w", strings.TrimSpace(tensors), trimmed(err))
	}
	w.Rules = append(slices.Clone(w.Rules), r)
	return nil
}

// read reads the settings of a rule.
func (r *Rule) read(m Method, list string) error {
	for inner, ok := m.(wrapper); ok; inner, ok = m.(wrapper) {
		m = inner.inner()
	}
	var fields []field
	if _, ok := m.(described); ok {
		fields = fieldsOf(reflect.TypeOf(m).Elem())
	}
	allowed := []string{}
	for _, f := range fields {
		allowed = append(allowed, f.Name)
	}
	allowed = append(allowed, "freeze")
	given := map[string]bool{}
	for _, item := range splitOutside(list, func(i int) bool { return list[i] == ',' }) {
		name, value, valued := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if given[name] {
			return fmt.Errorf("%s is given twice", name)
		}
		given[name] = true
		if factor, ok := strings.CutSuffix(value, "x"); ok && name == "lr" {
			scale, err := strconv.ParseFloat(factor, 64)
			if err != nil || !(scale > 0) || !finite(scale) {
				return fmt.Errorf("lr is %s; allowed are a rate, and multiples of the method's above 0, as 0.1x", value)
			}
			r.Scale = scale
			continue
		}
		if name == "freeze" {
			on, err := strconv.ParseBool(value)
			if valued && err != nil {
				return fmt.Errorf("freeze is %s; allowed are true, false", value)
			}
			r.Freeze = on || !valued
			continue
		}
		i := slices.Index(allowed, name)
		if i < 0 {
			return unknown("setting of "+m.Name()+" in a group", name, allowed)
		}
		f := fields[i]
		if !valued && f.Kind == "true or false" {
			value = "true"
		}
		if r.Set == nil {
			r.Set = map[string]any{}
		}
		r.Set[name] = f.fromText(value)
	}
	if r.Freeze && len(given) > 1 {
		return errors.New("it is frozen, so that its settings say nothing; leave one out")
	}
	_, err := withSettings(m, r.Set)
	return err
}

// text writes the rules as addRule reads them, each behind +group.
func (w *Groups) text() string {
	var b strings.Builder
	for _, r := range w.Rules {
		fmt.Fprintf(&b, "+group:%s:%s", strings.Join(r.Tensors, ","), strings.Join(r.settingsText(w.Of), ","))
	}
	return b.String()
}

func (r *Rule) settingsText(m Method) []string {
	var list []string
	if r.Scale != 0 {
		list = append(list, "lr="+strconv.FormatFloat(r.Scale, 'g', -1, 64)+"x")
	}
	changed, err := withSettings(m, r.Set)
	for inner, ok := changed.(wrapper); ok; inner, ok = changed.(wrapper) {
		changed = inner.inner()
	}
	if err == nil && len(r.Set) > 0 {
		v := reflect.ValueOf(changed)
		for _, f := range fieldsOf(v.Elem().Type()) {
			if _, given := r.Set[f.Name]; given {
				list = append(list, f.Name+"="+f.text(v.Elem().Field(f.index)))
			}
		}
	}
	if r.Freeze {
		list = append(list, "freeze")
	}
	return list
}
