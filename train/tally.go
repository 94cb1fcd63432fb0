package train

import "math"

// tally is the sum of the loss and the metrics over examples.
type tally struct {
	names    []string
	answers  int // of one example: what an accuracy counts
	examples int
	loss     float64
	sums     []float64
}

func newTally(names []string, answers int) tally {
	return tally{names: names, answers: answers, sums: make([]float64, len(names))}
}

func (t *tally) reset() {
	t.examples, t.loss = 0, 0
	clear(t.sums)
}

// add adds n examples with these means of the loss and of each metric.
func (t *tally) add(n int, loss float64, metrics []float64) {
	t.examples += n
	t.loss += float64(n) * loss
	for i, mean := range metrics {
		sum := float64(n) * mean
		if t.names[i] == "accuracy" {
			sum = counted(sum, t.answers)
		}
		t.sums[i] += sum
	}
}

// counted undoes the rounding of a share in float32, which would leave 97 of 100
// a little below 0.97: that many examples times the answers of each are a whole
// number. What is far from one is no count, and stays.
func counted(sum float64, answers int) float64 {
	const rounding = 1e-6 // a sum, a division and a product in float32 make 2e-7
	k := sum * float64(answers)
	if whole := math.Round(k); math.Abs(k-whole) <= rounding*k {
		return whole / float64(answers)
	}
	return sum
}

// mean sets s to the means, of nothing to zeros.
func (t *tally) mean(s *Scores) {
	n := float64(max(t.examples, 1))
	s.Loss = t.loss / n
	if s.Metrics == nil {
		s.Metrics = make(map[string]float64, len(t.names))
	}
	for i, name := range t.names {
		s.Metrics[name] = t.sums[i] / n
	}
}
