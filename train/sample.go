package train

import (
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// sample is a set of examples with the model's loss on them.
type sample[T Float] struct {
	programs *programs[T]
	each     func(f func(x, y []T, row int) error) error // the examples in order, in parts; row is that of the first
	x, y     []T                                         // the same at once; nil where they are streamed
	head     *sample[T]                                  // the last First
	n        int
	index    []int  // numbers of the examples in the training set; nil where they are 0, 1, 2, ...
	seed     uint64 // of dropout masks
	step     uint64

	point   []T // of the last Linearize
	linear  bool
	stamp   uint64         // counts points, examples and masks
	scratch [maxCopies][]T // the vectors of one part, where there are several

	one  [2][]T // arguments of a product of one direction
	form []T    // a product

	draw int // of targets from the model, while they are drawn

	weights []T         // of the examples' curvature; nil where all count alike
	of      *problem[T] // whose whole training set it is; nil for others

	length float64 // of the last gradient; NaN where it was added up of parts

	gradients *int64 // counts those of single examples; nil where no one does

	// Of the minibatch: what the first pass over it saw.
	watch   bool
	seen    bool
	scores  []float64
	loss    float64
	buffers []T

	grad   []T  // where it is not nil, of the first Grad of a step
	graded bool // that it is there
}

// ProblemOf is the model's loss on one batch, with its gradient and curvature:
//
//	p, err := train.ProblemOf(model, batch)
//	err = p.Linearize(model.Params)
//	err = p.HessianMul(hv, v)
//
// Dropout masks are those of step 0 of a run with seed 0. The batch must stay as
// it is. It is not safe for use by several goroutines at once.
func ProblemOf[T Float](m *nn.Model[T], b data.Batch[T]) (optimizers.Sample[T], error) {
	return sampleOf(newPrograms(m), b)
}

// FrozenOf is the same of the loss outside training, an [Evaluation] with gradient and
// curvature: without dropout, and with batch normalisation by the running statistics
// in the model's buffers, which are constants of the derivatives and read at every
// call.
func FrozenOf[T Float](m *nn.Model[T], b data.Batch[T]) (optimizers.Sample[T], error) {
	p := newPrograms(m)
	p.frozen = true
	return sampleOf(p, b)
}

func sampleOf[T Float](p *programs[T], b data.Batch[T]) (optimizers.Sample[T], error) {
	if err := checkBatch(p.model, b); err != nil {
		return nil, err
	}
	s := &sample[T]{programs: p}
	s.hold(b.X, b.Y, b.N)
	if len(b.Index) == b.N {
		s.index = b.Index
	}
	return s, nil
}

// checkBatch says whether a batch has what the model takes.
func checkBatch[T Float](m *nn.Model[T], b data.Batch[T]) error {
	in, out := sizes(m)
	if b.N < 1 || len(b.X) != b.N*in || len(b.Y) != b.N*out {
		return fmt.Errorf("train: a batch of %d examples with %d and %d numbers; the model takes %d and %d an example",
			b.N, len(b.X), len(b.Y), in, out)
	}
	return nil
}

// sizes are the numbers of one example's input and target.
func sizes[T Float](m *nn.Model[T]) (in, out int) {
	target, _ := m.Target()
	return product(m.Input()), product(target)
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// hold makes the sample the n examples in x and y.
func (s *sample[T]) hold(x, y []T, n int) {
	s.n, s.x, s.y = n, x, y
	in, out := len(x)/n, len(y)/n
	step := n
	if len(s.programs.model.Buffers) == 0 || s.programs.frozen {
		step = s.programs.partOf(n)
	}
	s.each = func(f func(x, y []T, row int) error) error {
		for at := 0; at < n; at += step {
			k := min(step, n-at)
			if err := f(x[at*in:(at+k)*in], y[at*out:(at+k)*out], at); err != nil {
				return err
			}
		}
		return nil
	}
}

// Len is the number of examples.
func (s *sample[T]) Len() int { return s.n }

// First is the first n examples, with their dropout masks.
func (s *sample[T]) First(n int) (optimizers.Sample[T], error) {
	if n < 1 || n > s.n || s.x == nil {
		return nil, fmt.Errorf("train: the first %d of %d examples; allowed are 1 to their number, of a minibatch or a drawn sample", n, s.n)
	}
	if n == s.n {
		return s, nil
	}
	if s.head == nil {
		s.head = &sample[T]{programs: s.programs, gradients: s.gradients}
	}
	in, out := sizes(s.programs.model)
	s.head.hold(s.x[:n*in], s.y[:n*out], n)
	s.head.seed, s.head.step, s.head.linear = s.seed, s.step, false
	return s.head, nil
}

// Loss is the mean loss at x.
func (s *sample[T]) Loss(x []T) (float64, error) { return s.evaluate(wantLoss, nil, x) }

// Grad writes the gradient of the mean loss at x to dst.
func (s *sample[T]) Grad(dst, x []T) (float64, error) {
	loss, err := s.evaluate(wantGrad, dst, x)
	s.count(err)
	if s.grad != nil && !s.graded && err == nil {
		copy(s.grad, dst)
		s.graded = true
	}
	return loss, err
}

// GradNorm is the length of what Grad has written last, where its program has taken
// that while it wrote.
func (s *sample[T]) GradNorm() (float64, bool) { return s.length, s.length == s.length }

// count counts a gradient of each example, unless it has failed.
func (s *sample[T]) count(err error) {
	if s.gradients != nil && err == nil {
		*s.gradients += int64(s.n)
	}
}

func (s *sample[T]) evaluate(w want, dst, x []T) (float64, error) {
	if err := s.check(dst, x); err != nil {
		return 0, err
	}
	if s.weights != nil {
		return 0, errWeighted
	}
	first := s.watch && !s.seen
	if first {
		clear(s.scores)
	}
	loss := 0.0
	err := s.over(w, dst, x, func(c *program[T], weight float64) {
		loss += weight * c.loss()
		if !first {
			return
		}
		for i, mean := range c.means() {
			s.scores[i] += weight * mean
		}
		// A model with buffers goes through in one part.
		for i, b := range s.programs.buffers {
			if u := c.updates[i]; u >= 0 {
				copy(s.buffers[b.Offset:b.Offset+b.Size()], c.Output(u))
			}
		}
	})
	if err == nil && first {
		s.seen, s.loss = true, loss
	}
	return loss, err
}

// over runs a program on each part at x, calls f with it and the part's share of
// the examples, and leaves the mean of its vectors in dst.
func (s *sample[T]) over(w want, dst, x []T, f func(c *program[T], weight float64)) error {
	first := true
	return s.each(func(ex, ey []T, row int) error {
		in, _ := sizes(s.programs.model)
		k := len(ex) / in
		c, err := s.programs.get(w, k)
		if err != nil {
			return err
		}
		c.Seed(s.seed+uint64(s.draw)*0xd1342543de82ef95, s.step, row)
		vector := dst
		if dst != nil && k != s.n {
			if s.scratch[0] == nil {
				s.scratch[0] = make([]T, len(dst))
			}
			vector = s.scratch[0]
		}
		if dst != nil {
			if err := c.into(0, vector); err != nil {
				return err
			}
		}
		if err := c.run(ex, ey, x); err != nil {
			return err
		}
		weight := float64(k) / float64(s.n)
		s.length = math.NaN()
		switch {
		case dst != nil && k != s.n:
			accumulate(dst, vector, T(weight), first)
		case w == wantGrad:
			s.length = c.length()
		}
		first = false
		f(c, weight)
		return nil
	})
}

// accumulate adds w v to dst, or sets it to that.
func accumulate[T Float](dst, v []T, w T, set bool) {
	if set {
		for i := range dst {
			dst[i] = w * v[i]
		}
		return
	}
	for i := range dst {
		dst[i] += w * v[i]
	}
}

// check checks the lengths of vectors of parameters.
func (s *sample[T]) check(dst, x []T) error { return checkVectors(s.programs.model, dst, x) }

func checkVectors[T Float](m *nn.Model[T], dst, x []T) error {
	want := len(m.Params)
	if len(x) != want || (dst != nil && len(dst) != want) {
		return fmt.Errorf("train: vectors of %d and %d numbers; the model has %d parameters", len(dst), len(x), want)
	}
	return nil
}

// nonFinite names the first tensor of the gradient's program that is not
// finite at x, or is empty.
func (s *sample[T]) nonFinite(x []T) (string, error) {
	found := ""
	err := s.each(func(ex, ey []T, row int) error {
		if found != "" {
			return nil
		}
		in, _ := sizes(s.programs.model)
		c, err := s.programs.get(wantGrad, len(ex)/in)
		if err != nil {
			return err
		}
		c.Seed(s.seed, s.step, row)
		if err := c.run(ex, ey, x); err != nil {
			return err
		}
		found, err = c.NonFinite()
		return err
	})
	return found, err
}
