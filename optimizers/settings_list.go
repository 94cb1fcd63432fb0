package optimizers

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// listSeparator stands between the elements of a list in a specification, as in betas=0/0.9/0.99.
const listSeparator = "/"

// example is a list as a specification has it.
func (f *field) example() string {
	if strings.Contains(f.Default, listSeparator) && f.listFromText(f.Default) != nil {
		return f.Default
	}
	if f.Kind == "whole numbers" {
		return "30/60"
	}
	return "0.1/0.2"
}

// resolveList gives the settings a list of their own, and checks its elements.
func (f *field) resolveList(owner string, at reflect.Value) error {
	if at.IsNil() {
		return nil // it has no default
	}
	own := reflect.MakeSlice(at.Type(), at.Len(), at.Len())
	reflect.Copy(own, at)
	at.Set(own)
	for i := range at.Len() {
		v, _ := number(at.Index(i).Interface())
		if math.Abs(v) == Zero {
			v = 0
			at.Index(i).SetFloat(0)
		}
		if !f.contains(v) {
			return f.wrong(owner, listText(at))
		}
	}
	if at.Len() == 0 {
		return f.wrong(owner, "empty")
	}
	return nil
}

// setList stores a list of numbers, as JSON or a Go caller has it, and says whether it may be one.
func (f *field) setList(at reflect.Value, value any) bool {
	r := reflect.ValueOf(value)
	if !r.IsValid() || r.Kind() != reflect.Slice || r.Len() == 0 {
		return false
	}
	list := reflect.MakeSlice(at.Type(), r.Len(), r.Len())
	for i := range r.Len() {
		v, ok := number(r.Index(i).Interface())
		if !ok || !f.contains(v) {
			return false
		}
		if to := list.Index(i); to.Kind() == reflect.Int {
			if v != math.Trunc(v) || math.Abs(v) > 1<<53 || to.OverflowInt(int64(v)) {
				return false
			}
			to.SetInt(int64(v))
		} else {
			to.SetFloat(v)
		}
	}
	at.Set(list)
	return true
}

// listFromText reads a list such as 0/0.9/0.99; nil where it is none.
func (f *field) listFromText(text string) any {
	var list []float64
	for word := range strings.SplitSeq(text, listSeparator) {
		v, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// listText writes a list as listFromText reads it.
func listText(at reflect.Value) string {
	words := make([]string, at.Len())
	for i := range words {
		switch e := at.Index(i); e.Kind() {
		case reflect.Float64:
			words[i] = strconv.FormatFloat(e.Float(), 'g', -1, 64)
		default:
			words[i] = fmt.Sprint(e.Interface())
		}
	}
	return strings.Join(words, listSeparator)
}
