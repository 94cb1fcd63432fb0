package train

// SquaredGrads sets dst to the mean over the examples of the squared gradient of
// one example, by a gradient for each.
func (s *sample[T]) SquaredGrads(dst, x []T) error {
	if err := s.check(dst, x); err != nil {
		return err
	}
	clear(dst)
	share := T(1 / float64(s.n))
	err := s.singly(x, func(_ int, _ *program[T], g []T) error {
		for j, v := range g {
			dst[j] += v * v * share
		}
		return nil
	})
	s.count(err)
	return err
}

// ExampleGrads calls f with the number, the loss and the gradient of each
// example.
func (s *sample[T]) ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error {
	if err := s.check(nil, x); err != nil {
		return err
	}
	first := s.watch && !s.seen
	if first {
		clear(s.scores)
	}
	mean := 0.0
	err := s.singly(x, func(row int, c *program[T], g []T) error {
		example, loss := row, c.loss()
		if s.index != nil {
			example = s.index[row]
		}
		if first {
			mean += loss / float64(s.n)
			for i, v := range c.means() {
				s.scores[i] += v / float64(s.n)
			}
		}
		return f(example, loss, g)
	})
	if err == nil && first {
		s.seen, s.loss = true, mean
	}
	s.count(err)
	return err
}

// singly computes the gradient of each example alone, and calls f with its place
// in the sample, the program that has run and the gradient.
func (s *sample[T]) singly(x []T, f func(row int, c *program[T], g []T) error) error {
	if err := s.programs.single(); err != nil {
		return err
	}
	c, err := s.programs.get(wantGrad, 1)
	if err != nil {
		return err
	}
	if s.scratch[0] == nil {
		s.scratch[0] = make([]T, len(x))
	}
	g := s.scratch[0]
	if err := c.into(0, g); err != nil {
		return err
	}
	in, out := sizes(s.programs.model)
	return s.each(func(ex, ey []T, row int) error {
		for i := range len(ex) / in {
			c.Seed(s.seed, s.step, row+i)
			if err := c.run(ex[i*in:(i+1)*in], ey[i*out:(i+1)*out], x); err != nil {
				return err
			}
			if err := f(row+i, c, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// SampledGrad sets dst to the gradient of the mean loss at x with targets drawn
// from the model. Dropout masks are those of Grad where draw is 0.
func (s *sample[T]) SampledGrad(dst, x []T, draw int) error {
	if err := s.check(dst, x); err != nil {
		return err
	}
	s.draw = draw
	defer func() { s.draw = 0 }()
	err := s.over(wantSampledGrad, dst, x, func(*program[T], float64) {})
	s.count(err)
	return err
}
