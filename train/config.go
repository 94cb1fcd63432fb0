package train

import (
	"errors"
	"fmt"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

// Config says how to train. Its zero value trains for one epoch with Adam.
type Config struct {
	Optimizer optimizers.Method // nil means Adam; a schedule in it is told the length of the run
	Epochs    int               // 0 means 1
	Batch     int               // examples in a minibatch; 0 means what the optimizer works best with, or 128 (all, of a joint loss)
	DropLast  bool              // leave out the last, smaller minibatch of an epoch
	Seed      uint64            // of the order of the examples, of dropout and of samples

	Val, Test data.Dataset // measured after every epoch; nil for none

	// Probe is measured like them: examples of the training set, which tell the loss
	// of the weights as they are, where Row.Train is a mean over an epoch's.
	Probe data.Dataset
	Every int // measure after every so many steps too, see History.Points; 0 is not

	Observers []Observer // told what happens, in order
	Watch     []Watcher  // measure the model while it trains

	// Dir is the run directory: it gets config.json, log.jsonl, metrics.csv,
	// result.json, last.safetensors (the weights of the last checkpoint) with the
	// optimizer's state beside it, and best.safetensors (those with the lowest
	// validation loss) where there is a validation set: the weights to use, where
	// the optimizer averages. If it is empty nothing is written.
	Dir    string
	Resume bool // go on from the checkpoint in Dir; all else must be as it was

	// Snapshots keep the weights on their way, in the folder snapshots of Dir: see
	// ListSnapshots. Each is as large as last.safetensors.
	Snapshots Snapshots

	// Profile measures every operation: History.Profile tells where the time went,
	// and Dir gets profile.txt, tables for people, and trace.json, which
	// ui.perfetto.dev and chrome://tracing open.
	Profile bool

	// What config.json and result.json call the data and the model, and what else
	// config.json is to hold: anything that encoding/json can write.
	Data, Model string
	Settings    any
}

// defaultBatch is the minibatch of optimizers that do not ask for their own.
const defaultBatch = 128

// ErrStop, returned by an Observer, ends training early and well.
var ErrStop = errors.New("train: stopped by an observer")

// complete sets the defaults and checks the settings. A joint loss takes all
// examples at once.
func (c Config) complete(examples int, joint bool) (Config, error) {
	if c.Optimizer == nil {
		c.Optimizer = &optimizers.Adam{}
	}
	if c.Epochs == 0 {
		c.Epochs = 1
	}
	if c.Batch == 0 && joint {
		c.Batch = examples
	}
	if c.Batch == 0 {
		c.Batch = optimizers.Describe(c.Optimizer).Batch
	}
	if c.Batch == 0 {
		c.Batch = defaultBatch
	}
	switch {
	case c.Epochs < 0:
		return c, fmt.Errorf("train: %d epochs; allowed are 1 and more (0 means 1)", c.Epochs)
	case c.Batch < 0:
		return c, fmt.Errorf("train: minibatches of %d examples; allowed are 1 and more (0 means the optimizer's own)", c.Batch)
	case c.Every < 0:
		return c, fmt.Errorf("train: measuring every %d steps; allowed are 1 and more (0 means after epochs only)", c.Every)
	case c.Resume && c.Dir == "":
		return c, errors.New("train: resuming needs the directory of the run")
	}
	c.Batch = min(c.Batch, examples)
	return c, c.checkWatch()
}
