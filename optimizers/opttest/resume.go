package opttest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// checkResume interrupts a run after each of some steps, and has a new optimizer go on from the saved state.
func (s *suite[T]) checkResume(t *testing.T) {
	const total = 7
	for stop := range 5 {
		whole := s.begin(t, s.method())
		whole.steps(stop)
		saved, x := throughJSON(t, whole.o.State()), slices.Clone(whole.x)
		if saved.Step != stop {
			t.Errorf("the state after %d steps says %d", stop, saved.Step)
		}
		whole.steps(total - stop)

		resumed := s.begin(t, s.method())
		resumed.steps(1) // leaves behind what Restore must replace
		if err := resumed.o.Restore(saved); err != nil {
			t.Fatal(err)
		}
		if diff := stateDiff(saved, resumed.o.State()); diff != "" {
			t.Errorf("restored after %d steps: %s", stop, diff)
		}
		copy(resumed.x, x)
		resumed.k = stop
		resumed.steps(total - stop)
		if !sameBits(whole.x, resumed.x) {
			t.Errorf("resumed after %d steps: %v, uninterrupted %v", stop, resumed.x, whole.x)
		}
		if diff := stateDiff(whole.o.State(), resumed.o.State()); diff != "" {
			t.Errorf("resumed after %d steps: %s", stop, diff)
		}
	}
}

// throughJSON is the state after a checkpoint: the scalars have been written as JSON.
func throughJSON[T optimizers.Float](t *testing.T, s optimizers.State[T]) optimizers.State[T] {
	t.Helper()
	text, err := json.Marshal(s.Scalars)
	if err != nil {
		t.Fatal(err)
	}
	var read optimizers.Scalars
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	s.Scalars = read
	return s
}

func (s *suite[T]) checkStateCopied(t *testing.T) {
	c, twin := s.begin(t, s.method()), s.begin(t, s.method())
	c.steps(2)
	twin.steps(2)
	scribble := func(s optimizers.State[T]) {
		for name := range s.Scalars {
			s.Scalars[name] = -1
		}
		for _, v := range s.Vectors {
			for i := range v {
				v[i] = -1
			}
		}
	}
	state := twin.o.State() // that of c could change with it
	scribble(c.o.State())
	if diff := stateDiff(state, c.o.State()); diff != "" {
		t.Errorf("writing to a State changed the optimizer: %s", diff)
	}
	given := c.o.State()
	if err := c.o.Restore(given); err != nil {
		t.Fatal(err)
	}
	scribble(given)
	if diff := stateDiff(state, c.o.State()); diff != "" {
		t.Errorf("writing to a restored State changed the optimizer: %s", diff)
	}
	c.steps(2)
	twin.steps(2)
	if !sameBits(c.x, twin.x) {
		t.Error("saving and restoring in place changed the run")
	}
}

func (s *suite[T]) checkStateRefused(t *testing.T) {
	c := s.begin(t, s.method())
	c.steps(2)
	state := c.o.State()
	refuse := func(what string, change func(*optimizers.State[T])) {
		t.Helper()
		bad := c.o.State()
		if bad.Scalars == nil {
			bad.Scalars = optimizers.Scalars{}
		}
		if bad.Vectors == nil {
			bad.Vectors = map[string][]T{}
		}
		change(&bad)
		if err := c.o.Restore(bad); err == nil {
			t.Errorf("a state with %s was accepted", what)
		}
		if diff := stateDiff(state, c.o.State()); diff != "" {
			t.Fatalf("a state with %s was refused but changed the optimizer: %s", what, diff)
		}
	}
	refuse("another method", func(s *optimizers.State[T]) { s.Method += "x" })
	refuse("a negative number of steps", func(s *optimizers.State[T]) { s.Step = -1 })
	refuse("an unknown scalar", func(s *optimizers.State[T]) { s.Scalars["no such scalar"] = 1 })
	refuse("an unknown vector", func(s *optimizers.State[T]) { s.Vectors["no such vector"] = nil })
	for _, name := range slices.Sorted(maps.Keys(state.Vectors)) {
		refuse("no "+name, func(s *optimizers.State[T]) { delete(s.Vectors, name) })
		refuse("a longer "+name, func(s *optimizers.State[T]) { s.Vectors[name] = append(s.Vectors[name], 0) })
	}
}
