package main

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
)

// suite is a fixed set of tasks on which methods race to targets.
type suite struct {
	name, use string
	rules     string
	tasks     []suiteTask
}

// suiteTask is a task with its target and budget.
type suiteTask struct {
	name    string
	what    string // for people
	spec    task.Spec
	target  string
	epochs  int     // over which a schedule goes
	seconds float64 // of training
	points  int     // measurements in an epoch
}

// suites are all that there are.
func suites() []suite {
	mnist := func(model string) task.Spec { return task.Spec{Data: "mnist", Model: model, Val: 1.0 / 6} }
	return []suite{{
		name: "small",
		use:  "six tasks, a minute of training or less for each run",
		rules: `A run ends at its target, which is a number on a validation set that is kept out of the
training set, or after its seconds of training. Methods with a learning rate have it on a
schedule over the epochs that the task names, one cycle unless -opt or -schedule says
otherwise; methods without one go on until the seconds are over. A method's time on a task
is the median over the seeds; the higher one of two. The targets are a little
below what most of Adam, SGD with momentum, K-FAC and HF reached at their defaults in one run with seed 0.`,
		tasks: []suiteTask{
			{"softmax", "one dense layer, convex", mnist("softmax"), "val_accuracy=0.916", 4, 20, 10},
			{"mlp", "784-128-10, relu", mnist("mlp"), "val_accuracy=0.975", 6, 30, 10},
			{"lenet", "convolutions", mnist("lenet"), "val_accuracy=0.9855", 3, 60, 20},
			{"narrow", "12 layers of 20 tanh units", mnist("narrow"), "val_accuracy=0.935", 8, 30, 10},
			{"autoencoder", "8 layers to a code of 30 and back, sigmoid", mnist("autoencoder"), "val_squared_error=12", 4, 60, 10},
			{"a9a", "logistic regression, sparse inputs", task.Spec{Data: "a9a", Model: "logistic", Val: 0.2}, "val_loss=0.341", 10, 10, 10},
		},
	}}
}

func suiteNames() (names []string) {
	for _, s := range suites() {
		names = append(names, s.name)
	}
	return names
}

func suiteByName(name string) *suite {
	for _, s := range suites() {
		if s.name == name {
			return &s
		}
	}
	return nil
}

// table lists the tasks.
func (s *suite) table() *cli.Table {
	t := &cli.Table{Header: []string{"task", "data", "model", "what", "target", "epochs", "seconds"}, Left: map[int]bool{1: true, 2: true, 3: true, 4: true}}
	for _, x := range s.tasks {
		t.Add(x.name, x.spec.Data, x.spec.Model, x.what, x.target, fmt.Sprint(x.epochs), fmt.Sprint(x.seconds))
	}
	return t
}

// endless is the epochs of a method without a schedule, which its seconds end.
const endless = 1_000_000

// length is for how many epochs a method runs.
func (x *suiteTask) length(scheduled bool) int {
	if scheduled {
		return x.epochs
	}
	return endless
}

// job is a run of a method on the task.
func (x *suiteTask) job(b *bench, spec string, epochs, seed int) study.Job {
	j := study.Job{Spec: x.spec, Opt: spec, Epochs: epochs, Points: x.points, Target: x.target, Seconds: x.seconds}
	j.Seed, j.Precision, j.DataDir = b.Seed+uint64(seed), b.Precision, b.DataDir
	if x.spec.Data != "mnist" {
		j.DataDir = ""
	}
	return j
}
