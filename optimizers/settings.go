package optimizers

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// Zero is 0 for a setting whose zero value means another default: Adam{Beta1: Zero} runs with beta1 = 0. It is the
// smallest number above 0 and counts as 0 in every setting. Parse writes it by itself.
const Zero = math.SmallestNonzeroFloat64

// ZeroInt is 0 for a whole number whose zero value means another default: Plateau{Patience: ZeroInt} cuts at the first
// failure. Parse writes it by itself.
const ZeroInt = math.MinInt32

// Toggle is a setting that is true or false and may have either as its default, which its zero value stands for.
type Toggle int8

// The positions of a Toggle.
const (
	Off Toggle = -1
	On  Toggle = 1
)

// Setting describes one setting of a method or schedule.
type Setting struct {
	Name    string
	Kind    string // "number", "whole number", "true or false", "word", or of a list "numbers", "whole numbers" or "schedules"
	Default string // what the zero value means: a value, or words where it depends on something
	Allowed string // a range such as [0, 1), or words
	Help    string // one line
}

// field is a Setting that knows its place in the struct. The tags of the struct's field say all of it:
//
//	set:"momentum"  default:"0.9"  range:"[0,1)" or oneof:"cos|linear"  help:"..."
//
// A number is a float64, a whole number an int. A list of numbers is a []float64 or []int, whose range is that of each element; its default, for nil, has the form 0/0.9/0.99 that the
// list has in a specification.
type field struct {
	Setting
	index        int
	low, high    float64
	above, below bool // the ends themselves are not allowed
	list         bool
	words        []string
}

// fieldsOf lists the settings of a struct type in order. A field without the tag set is none.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := tag.Get("set")
		if name == "" {
			continue
		}
		f := field{index: i, low: math.Inf(-1), high: math.Inf(1), above: true, below: true}
		f.Setting = Setting{Name: name, Default: tag.Get("default"), Help: tag.Get("help")}
		switch kind := t.Field(i).Type; {
		case kind == reflect.TypeFor[Toggle](), kind.Kind() == reflect.Bool:
			f.Kind, f.words = "true or false", []string{"false", "true"}
			f.Allowed = "true, false"
		case kind == reflect.TypeFor[[]Schedule]():
			f.Kind = "schedules"
			f.Allowed = "schedules with their settings, as (linear:total_iters=500)/cosine"
		case kind.Kind() == reflect.String:
			f.Kind, f.words = "word", strings.Split(tag.Get("oneof"), "|")
			f.Allowed = strings.Join(f.words, ", ")
		default:
			element := kind
			if kind.Kind() == reflect.Slice {
				element, f.list = kind.Elem(), true
			}
			f.Kind = "number"
			if element.Kind() == reflect.Int {
				f.Kind = "whole number"
			}
			if f.list {
				f.Kind += "s"
			}
			f.Allowed = strings.ReplaceAll(tag.Get("range"), ",", ", ")
			f.parseRange(tag.Get("range"))
		}
		fields = append(fields, f)
	}
	return fields
}

// parseRange reads a range such as [0,1) or (0,inf).
func (f *field) parseRange(text string) {
	low, high, ok := strings.Cut(text, ",")
	if !ok {
		return
	}
	f.above, f.below = low[0] == '(', high[len(high)-1] == ')'
	f.low, _ = strconv.ParseFloat(low[1:], 64)
	f.high, _ = strconv.ParseFloat(high[:len(high)-1], 64)
}

// contains says whether v is in the field's range. Infinities and NaN never are.
func (f *field) contains(v float64) bool {
	return finite(v) && (v > f.low || v == f.low && !f.above) && (v < f.high || v == f.high && !f.below)
}

// wrong is the error for a value that the setting does not allow.
func (f *field) wrong(owner string, value any) error {
	what := "allowed are"
	switch {
	case f.list:
		what += " lists of " + f.Kind + ", as " + f.example() + ", in"
	case f.Kind == "number" || f.Kind == "whole number":
		what += " " + f.Kind + "s in"
	}
	text := fmt.Sprintf("optimizers: %s: %s is %v; %s %s", owner, f.Name, value, what, f.Allowed)
	if word, ok := value.(string); ok && f.words != nil {
		text += spell.Hint(word, f.words)
	}
	return fmt.Errorf("%s", text)
}

// resolve is a copy of the settings with defaults in the place of zero values and 0 in the place of Zero, all checked.
func resolve[S any](owner string, s *S) (S, error) {
	var c S
	if s == nil {
		return c, fmt.Errorf("optimizers: %s: no settings given (the pointer is nil)", owner)
	}
	c = *s
	return c, resolveValue(owner, reflect.ValueOf(&c))
}

// resolveValue does it in place. A struct may have two methods of its own: defaults sets those that depend on other
// settings, before the tags are looked at, and check tests what no single range can say, at the end.
func resolveValue(owner string, pointer reflect.Value) error {
	if d, ok := pointer.Interface().(interface{ defaults() }); ok {
		d.defaults()
	}
	v := pointer.Elem()
	for _, f := range fieldsOf(v.Type()) {
		at := v.Field(f.index)
		if at.IsZero() {
			f.setDefault(at)
		}
		switch at.Kind() {
		case reflect.Float64:
			if math.Abs(at.Float()) == Zero {
				at.SetFloat(0)
			}
			if !f.contains(at.Float()) {
				return f.wrong(owner, at.Float())
			}
		case reflect.Int:
			if at.Int() == ZeroInt {
				at.SetInt(0)
			}
			if !f.contains(float64(at.Int())) {
				return f.wrong(owner, at.Int())
			}
		case reflect.Int8:
			if t := Toggle(at.Int()); t != On && t != Off {
				return fmt.Errorf("optimizers: %s: %s is %d; allowed are the constants On and Off", owner, f.Name, t)
			}
		case reflect.String:
			if !slices.Contains(f.words, at.String()) {
				return f.wrong(owner, at.String())
			}
		case reflect.Slice:
			if f.list {
				if err := f.resolveList(owner, at); err != nil {
					return err
				}
			}
		}
	}
	if c, ok := pointer.Interface().(interface{ check() error }); ok {
		return c.check()
	}
	return nil
}

// setDefault puts the default of the tag in the place of a zero value.
func (f *field) setDefault(at reflect.Value) {
	switch at.Kind() {
	case reflect.Float64:
		d, _ := strconv.ParseFloat(f.Default, 64)
		at.SetFloat(d)
	case reflect.Int:
		d, _ := strconv.Atoi(f.Default)
		at.SetInt(int64(d))
	case reflect.Int8:
		at.SetInt(int64(toggle(f.Default == "true")))
	case reflect.String:
		at.SetString(f.Default)
	case reflect.Slice:
		if f.list {
			f.setList(at, f.listFromText(f.Default))
		}
	}
}

func toggle(on bool) Toggle {
	if on {
		return On
	}
	return Off
}

// assign stores a value as JSON or a Go caller has it, so that the setting means exactly that value.
func (f *field) assign(owner string, at reflect.Value, value any) error {
	refused := f.wrong(owner, value)
	switch at.Kind() {
	case reflect.Float64:
		v, ok := number(value)
		if !ok || !f.contains(v) {
			return refused
		}
		if v == 0 && f.Default != "0" {
			v = Zero
		}
		at.SetFloat(v)
	case reflect.Int:
		v, ok := number(value)
		if !ok || v != math.Trunc(v) || math.Abs(v) > 1<<53 || at.OverflowInt(int64(v)) || !f.contains(v) {
			return refused
		}
		if v == 0 && f.Default != "0" {
			v = ZeroInt
		}
		at.SetInt(int64(v))
	case reflect.String:
		v, ok := value.(string)
		if !ok || !slices.Contains(f.words, v) {
			return refused
		}
		at.SetString(v)
	case reflect.Slice:
		if f.Kind == "schedules" {
			list, err := scheduleList(value, refused)
			if err == nil {
				at.Set(reflect.ValueOf(list))
			}
			return err
		}
		if !f.setList(at, value) {
			return refused
		}
	default:
		v, ok := value.(bool)
		if !ok {
			return refused
		}
		if at.Kind() == reflect.Bool {
			at.SetBool(v)
		} else {
			at.SetInt(int64(toggle(v)))
		}
	}
	return nil
}

// number is the value of any of Go's numbers.
func number(value any) (float64, bool) {
	if text, ok := value.(interface{ Float64() (float64, error) }); ok { // json.Number
		v, err := text.Float64()
		return v, err == nil
	}
	switch r := reflect.ValueOf(value); {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

// fromText is the value that a word in a specification stands for; what is not of the field's kind stays a string.
func (f *field) fromText(text string) any {
	switch f.Kind {
	case "numbers", "whole numbers":
		if list := f.listFromText(text); list != nil {
			return list
		}
	case "number", "whole number":
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case "true or false":
		if v, err := strconv.ParseBool(text); err == nil {
			return v
		}
	}
	return text
}

// text is the word for a value, such that fromText gives the value back.
func (f *field) text(at reflect.Value) string {
	switch at.Kind() {
	case reflect.Float64:
		if math.Abs(at.Float()) == Zero {
			return "0"
		}
		return strconv.FormatFloat(at.Float(), 'g', -1, 64)
	case reflect.Int:
		if at.Int() == ZeroInt {
			return "0"
		}
	case reflect.Int8:
		return strconv.FormatBool(at.Int() > 0)
	case reflect.Slice:
		if list, ok := at.Interface().([]Schedule); ok {
			return scheduleListText(list)
		}
		return listText(at)
	}
	return fmt.Sprint(at.Interface())
}
