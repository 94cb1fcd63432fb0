// Package train trains models: it brings minibatches of package data to an
// optimizer as problems of a model of package nn, measures, saves and tells
// observers.
//
//	history, err := train.Fit(ctx, model, mnist.Train, train.Config{
//		Optimizer: &optimizers.Adam{}, Epochs: 3, Test: mnist.Test,
//		Observers: []train.Observer{train.Bar(os.Stderr)},
//	})
//
// ProblemOf gives the loss of a model on one batch with its gradient and
// curvature, for use without a loop. Evaluate measures a model. Nothing is
// printed but by the observers Bar and Lines.
//
// # What is saved
//
// With Config.Dir a run has a directory. Every file in it but the log is
// written under another name and renamed, so that it is whole or not there.
// A checkpoint is made at the beginning, after every epoch and when the run is
// interrupted; it has the weights, the optimizer's state and the place in the
// order of the examples, which together determine every bit of the rest of the
// run. Config.Resume goes on from it, and says so where the settings, the model,
// the data or the files of the checkpoint are not what they were.
//
// Config.Snapshots keeps weights on their way beside them, for who looks at the
// path of a run; training does not need them.
//
// Where an optimizer averages its iterates, or is schedule-free, the weights in
// the files are those for evaluation, whose scores are reported; the iterates
// that training goes on with are in the file of the optimizer's state. An
// optimizer that asks for statistics of its own (swa, unless batch_norm=false; ema
// and polyak with batch_norm) has those of batch normalisation made anew for
// them whenever they are measured or saved, by a pass over the training set that
// counts as measuring.
//
// One process trains a run at a time: it holds a lock on the log, which the
// system takes back however the process ends.
package train
