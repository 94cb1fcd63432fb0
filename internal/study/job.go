package study

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/optimizers"
)

// Job is one run. Its seed is that of its task: of the first weights and of the
// order of the examples.
type Job struct {
	task.Spec
	Opt     string  `json:"opt"` // complete, as optimizers.Parse reads it
	Epochs  int     `json:"epochs"`
	Batch   int     `json:"batch"`             // 0 means what the optimizer works best with, or 128
	Points  int     `json:"points"`            // measurements in an epoch; 0 means its end alone
	Target  string  `json:"target,omitempty"`  // the run ends there, see ParseTarget
	Seconds float64 `json:"seconds,omitempty"` // of training after which the run ends; 0 means none
}

// check says what is wrong with a job.
func (j Job) check() error {
	switch {
	case j.Epochs < 1:
		return fmt.Errorf("study: %d epochs; allowed are 1 and more", j.Epochs)
	case j.Batch < 0:
		return fmt.Errorf("study: minibatches of %d; allowed are 1 and more (0 means the optimizer's own)", j.Batch)
	case j.Points < 0:
		return fmt.Errorf("study: %d measurements an epoch; allowed are 1 and more (0 means at its end)", j.Points)
	case !(j.Seconds >= 0) || math.IsInf(j.Seconds, 0):
		return fmt.Errorf("study: a budget of %v seconds; allowed are finite numbers (0 means no budget)", j.Seconds)
	}
	if j.Target != "" {
		if _, err := ParseTarget(j.Target); err != nil {
			return fmt.Errorf("study: %w", err)
		}
	}
	return j.Spec.Check()
}

// longest is how long the name of a run may be.
const longest = 80

// Name is the name of the job's directory among those of one task. Two jobs of
// one task have two names.
func (j Job) Name() string {
	plain := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+=._-", r) {
			return r
		}
		return '_'
	}
	name := strings.Map(plain, j.Opt)
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %d %d", j.Opt, j.Epochs, j.Batch)
	if len(name) > longest {
		name = name[:longest]
	}
	return fmt.Sprintf("%s-%08x-seed%d", name, h.Sum32(), j.Seed)
}

// batch is the size of the job's minibatches for a training set of n examples.
func (j Job) batch(m optimizers.Method, n int) int {
	size := j.Batch
	if size == 0 {
		size = optimizers.Describe(m).Batch
	}
	if size == 0 {
		size = 128
	}
	return min(size, n)
}
