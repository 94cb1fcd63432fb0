package optimizers

// steady is an average of the iterates, for evaluation: on minibatches that are not the whole training set each step
// follows their noise, which the average leaves behind (Polyak & Juditsky 1992). It forgets as an exponential average
// with the given share does, and is the plain mean before.
type steady[T Float] struct {
	keep float64 // share of the old average that stays; 0: there is none
	mean []T
	seen int // iterates in it
}

func newSteady[T Float](keep float64, n int) steady[T] {
	s := steady[T]{keep: keep}
	if keep > 0 {
		s.mean = make([]T, n)
	}
	return s
}

// EvalWeights gives the average, or x where there is none.
func (s *steady[T]) EvalWeights(dst, x []T) {
	if s.seen > 0 {
		x = s.mean
	}
	copy(dst, x)
}

// averaging says whether the settings ask for an average.
func (s *steady[T]) averaging() bool { return s.keep > 0 }

// include takes an iterate into the average; a step on the whole training set begins it anew.
func (s *steady[T]) include(x []T, whole bool) {
	if s.keep == 0 {
		return
	}
	if whole {
		s.seen = 0
		return
	}
	if s.seen++; s.seen == 1 {
		copy(s.mean, x)
		return
	}
	lerp(s.mean, T(max(1-s.keep, 1/float64(s.seen))), x)
}

// averageShape adds what saveAverage saves to a shape.
func (s *steady[T]) averageShape(to *shape) {
	if s.keep > 0 {
		to.scalars = append(to.scalars, "averaged")
		to.vectors["average"] = len(s.mean)
	}
}

func (s *steady[T]) saveAverage(to *State[T]) {
	if s.keep > 0 {
		to.Scalars["averaged"] = float64(s.seen)
		to.Vectors["average"] = append([]T{}, s.mean...)
	}
}

// checkAverage says what is wrong with a saved average.
func (s *steady[T]) checkAverage(from State[T]) error {
	if s.keep == 0 {
		return nil
	}
	_, err := countOf(from.Method, "averaged", from.Scalars["averaged"], 1<<53)
	return err
}

func (s *steady[T]) loadAverage(from State[T]) {
	if s.keep > 0 {
		s.seen = int(from.Scalars["averaged"])
		copy(s.mean, from.Vectors["average"])
	}
}
