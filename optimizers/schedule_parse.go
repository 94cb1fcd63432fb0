package optimizers

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// ParseSchedule reads a schedule with its settings, as cosine:warmup=500,final=0.01. The settings of the schedule itself
// are listed by Schedules, those that every schedule has (unit, warmup, ...) by ScheduleSettings. The method to be
// scheduled is the caller's to set.
func ParseSchedule(spec string) (*Scheduled, error) {
	name, text := cutSpec(spec)
	s, err := newSchedule(name)
	if err != nil {
		return nil, err
	}
	m := &Scheduled{Schedule: s}
	if err := assignText(name, structsOf(m), text); err != nil {
		return nil, err
	}
	return m, nil
}

// ScheduleSpec is the word that ParseSchedule reads back to the same schedule, as Spec is for a method.
func ScheduleSpec(s *Scheduled) string {
	if s == nil || isNil(s.Schedule) {
		return ""
	}
	return join(s.word(), settingsText(structsOf(s)))
}

// ScheduleSettings lists the settings that every schedule has beside its own.
func ScheduleSettings() []Setting {
	var list []Setting
	for _, f := range fieldsOf(reflect.TypeFor[Scheduled]()) {
		list = append(list, f.Setting)
	}
	return list
}

func newSchedule(name string) (Schedule, error) {
	var names []string
	for _, s := range schedules() {
		if s.Name() == name {
			return s, nil
		}
		names = append(names, s.Name())
	}
	return nil, unknown("schedule", name, names)
}

// partText is a schedule that is part of another, as parsePart reads it.
func partText(s Schedule) string {
	if isNil(s) {
		return ""
	}
	return join(s.Name(), settingsText([]reflect.Value{reflect.ValueOf(s)}))
}

// parsePart reads a schedule that is part of another one, with its own settings only.
func parsePart(spec string) (Schedule, error) {
	name, text := cutSpec(spec)
	s, err := newSchedule(name)
	if err != nil {
		return nil, err
	}
	if err := assignText(name, []reflect.Value{reflect.ValueOf(s)}, text); err != nil {
		return nil, whole(name, err)
	}
	return s, nil
}

// whole adds to an error about a part that some settings belong to the schedule as a whole.
func whole(part string, err error) error {
	for _, s := range ScheduleSettings() {
		if strings.Contains(err.Error(), fmt.Sprintf("unknown setting of %s %q", part, s.Name)) {
			return fmt.Errorf("%w; %s belongs to the schedule as a whole", err, s.Name)
		}
	}
	return err
}

// scheduleList reads a list of schedules: as text such as (linear:total_iters=500)/cosine, as a JSON list of objects
// with the names of schedules and their settings, or as it is. refused is the error for what is none of these.
func scheduleList(value any, refused error) (list []Schedule, err error) {
	switch value := value.(type) {
	case string:
		for _, part := range splitOutside(value, func(i int) bool { return value[i:i+1] == listSeparator }) {
			part = strings.TrimSpace(part)
			if inside, ok := strings.CutPrefix(part, "("); ok && strings.HasSuffix(inside, ")") {
				part = inside[:len(inside)-1]
			}
			s, err := parsePart(part)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
	case []any:
		for _, v := range value {
			s, err := partFromJSON(v, refused)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
	case []Schedule:
		list = slices.Clone(value)
	}
	if len(list) == 0 {
		return nil, refused
	}
	return list, nil
}

// partFromJSON is the schedule of an object such as {"schedule": "linear", "settings": {"total_iters": 500}}.
func partFromJSON(value any, refused error) (Schedule, error) {
	object, ok := value.(map[string]any)
	name, named := object["schedule"].(string)
	if !ok || !named {
		return nil, refused
	}
	settings, ok := object["settings"].(map[string]any)
	if given := object["settings"]; given != nil && !ok {
		return nil, refused
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if key != "schedule" && key != "settings" {
			return nil, errors.Join(refused, unknown("key of a schedule", key, []string{"schedule", "settings"}))
		}
	}
	s, err := newSchedule(name)
	if err != nil {
		return nil, err
	}
	if err := assignAll(name, []reflect.Value{reflect.ValueOf(s)}, settings); err != nil {
		return nil, whole(name, err)
	}
	return s, nil
}

// scheduleListText writes a list as scheduleList reads it.
func scheduleListText(list []Schedule) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = partText(s)
		if strings.Contains(words[i], ":") {
			words[i] = "(" + words[i] + ")"
		}
	}
	return strings.Join(words, listSeparator)
}
