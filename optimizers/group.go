package optimizers

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Groups parts the tensors into groups, which the method treats with settings of their own: no weight decay on biases
// and norms, a lower learning rate for the first layer, frozen layers. A tensor belongs to the first of the Rules that
// names it; the method as it is has the rest. In words, for AdamW:
//
//	adamw:weight_decay=0.1+group:bias,norm:weight_decay=0+group:dense1:lr=0.1x+group:conv*:freeze
//
// where each +group is one more rule: what it names, and after a colon what is different.
//
// Every group has an optimizer of its own, for which the loss is a function of the group's tensors with the others as
// they are. All groups step from the same x, on one gradient of the minibatch, which is computed once; a method that
// asks for the gradient elsewhere, such as one with a line search, costs that for each group. A norm or a mean that a
// method takes over all parameters it takes over the group, and the first layer is to it the group's first: put Clip and
// SAM around Groups. Groups that all have the
// method's own settings take the same steps as the method alone, bit for bit, if its rule is element by element.
//
// A schedule sets the rate of the method, and that of every group in proportion; it stands around Groups too. Three more
// numbers are kept for each parameter.
type Groups struct {
	Of    Method // the method, with the settings of the tensors that no rule names
	Rules []Rule
}

// Rule says which tensors are a group, and what is different for them.
type Rule struct {
	// Tensors are kinds (weight, bias, norm), or patterns of names, in which * stands for anything and ? for one
	// character. A pattern that fits the beginning of a name up to a dot names what is inside: dense1 is dense1.weight
	// and dense1.bias. One that fits no tensor is an error; a kind may fit none.
	Tensors []string
	// Set are settings of the method, by name and with values as in ParseSettings.
	Set map[string]any
	// Scale multiplies the method's learning rate; 0 means 1.
	Scale float64
	// Freeze leaves the tensors as they are.
	Freeze bool
}

var _ Method = (*Groups)(nil)

// Name is that of the method, and +group.
func (w *Groups) Name() string { return wrapperName("group", w.Of) }

func (*Groups) info() Info {
	return Info{Name: "group", Memory: 3, Use: "other settings for some tensors, as group:bias,norm:weight_decay=0 or group:conv*:freeze",
		Settings: []Setting{
			{"TENSORS:...", "tensors", "none", "weight, bias, norm, and patterns of names", "what belongs to the group, with commas; of several rules the first counts"},
			{"lr", "number", "1x", "a rate, or a multiple of the method's such as 0.1x", "learning rate"},
			{"freeze", "true or false", "false", "true, false", "leave the tensors as they are"},
			{"SETTING", "any", "the method's own", "as of the method", "any other setting of the method"},
		}}
}

func (*Groups) word() string    { return "group" }
func (w *Groups) inner() Method { return w.Of }

func (w *Groups) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Groups) start32(l Layout) (Optimizer[float32], error) { return startGroups[float32](w, l) }
func (w *Groups) start64(l Layout) (Optimizer[float64], error) { return startGroups[float64](w, l) }

func startGroups[T Float](w *Groups, l Layout) (Optimizer[T], error) {
	if w == nil {
		return nil, errors.New("optimizers: group: no settings given (the pointer is nil)")
	}
	for m := w.Of; !isNil(m); {
		switch m.(type) {
		case *Scheduled:
			return nil, clash("group", w.Of.Name(), "a schedule stands around the groups, as in adam+group:bias:lr=0.1x+cosine")
		case *Groups:
			return nil, clash("group", w.Of.Name(), "it has groups already; add the rules to those")
		}
		inside, ok := m.(wrapper)
		if !ok {
			break
		}
		m = inside.inner()
	}
	belongs, err := w.assign(l)
	if err != nil {
		return nil, err
	}
	rest, err := startInner[T]("group", w.Of, l.pick(belongs, -1))
	if err != nil {
		return nil, err
	}
	o := newGroups(w.Name(), l, rest)
	o.add(l, belongs, -1, rest, 1)
	base, rated := 0.0, false
	if r, ok := As[Rated](rest); ok {
		base, rated = r.Rate(), true
	}
	for i, rule := range w.Rules {
		m, ratio, err := w.method(rule, base, rated)
		if err != nil {
			return nil, fmt.Errorf("optimizers: group %s: %w", strings.Join(rule.Tensors, ","), err)
		}
		if rule.Freeze {
			continue
		}
		part, err := New[T](m, l.pick(belongs, i))
		if err != nil {
			return nil, err
		}
		o.add(l, belongs, i, part, ratio)
	}
	if _, ok := As[severalPoints](rest); ok && o.moving() > 1 {
		return nil, clash("group", w.Of.Name(), "it goes back to points of earlier steps, where the other groups would have to be as well; allowed is freeze")
	}
	return o.complete(), nil
}

// method is the method of a group, and its learning rate over that of the method.
func (w *Groups) method(r Rule, base float64, rated bool) (m Method, ratio float64, err error) {
	set := maps.Clone(r.Set)
	ratio = 1
	_, own := set["lr"]
	switch {
	case r.Freeze && (len(set) > 0 || r.Scale != 0):
		return nil, 0, errors.New("it is frozen, so that its settings say nothing; leave one out")
	case r.Scale < 0 || !finite(r.Scale):
		return nil, 0, fmt.Errorf("lr is %vx; allowed are multiples above 0, and freeze", r.Scale)
	case r.Scale != 0 && own:
		return nil, 0, errors.New("lr is given both as a rate and as a multiple; give one of them")
	case r.Scale != 0 && !rated:
		return nil, 0, fmt.Errorf("%s has no learning rate to be multiplied", w.Of.Name())
	}
	if r.Scale != 0 {
		ratio = r.Scale
	}
	if rated && !own && hasSetting(w.Of, "lr") {
		// Also where another setting would change the default.
		set = maps.Clone(set)
		if set == nil {
			set = map[string]any{}
		}
		set["lr"] = base * ratio
	}
	if m, err = withSettings(w.Of, set); err != nil {
		return nil, 0, trimmed(err)
	}
	if rated && own {
		rate, _ := number(set["lr"])
		switch {
		case base != 0:
			ratio = rate / base
		case rate != 0:
			return nil, 0, fmt.Errorf("lr is %v, and that of the method is 0: a schedule could not keep the proportion", rate)
		}
	}
	return m, ratio, nil
}

// withSettings is a copy of m with other settings of the method inside its wrappers.
func withSettings(m Method, set map[string]any) (Method, error) {
	if w, ok := m.(wrapper); ok {
		inner, err := withSettings(w.inner(), set)
		if err != nil {
			return nil, err
		}
		return w.around(inner), nil
	}
	if len(set) == 0 {
		return m, nil
	}
	if _, ok := m.(described); !ok {
		return nil, fmt.Errorf("optimizers: %s has no settings that are known here", m.Name())
	}
	c := copyOf(reflect.ValueOf(m))
	if err := assignAll(m.Name(), []reflect.Value{c}, set); err != nil {
		return nil, err
	}
	return c.Interface().(Method), nil
}

// hasSetting says whether the method inside the wrappers of m has a setting of that name.
func hasSetting(m Method, name string) bool {
	return slices.ContainsFunc(Describe(m).Settings, func(s Setting) bool { return s.Name == name })
}

// trimmed is an error without the name of the package, for one that goes on a sentence.
func trimmed(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "optimizers: ")) }
