package main

import (
	"errors"
	"flag"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// batchNormFlag adds -batchnorm, whose value is empty where it is not given.
func batchNormFlag(f *flag.FlagSet, word *string) {
	f.StringVar(word, "batchnorm", "", "statistics of batch normalisation: reestimated on the training examples at every point, or frozen as they were saved, between two runs in proportion (default reestimated: that is the loss of which spectrum takes the curvature, and between runs frozen ones make barriers that are not the weights')")
}

// checkBatchNorm checks the word.
func checkBatchNorm(word string) error {
	if word == "" {
		return nil
	}
	_, err := landscape.ParseStatistics(word)
	return cli.Usage(err)
}

// statistics are those of a word that has been checked.
func statistics[T train.Float](e *env, m *nn.Model[T], word string) (landscape.Statistics, error) {
	if word == "" {
		return landscape.Reestimated, nil
	}
	if len(m.Buffers) == 0 {
		return 0, cli.Usagef("-batchnorm %s: model %s has no batch normalisation", word, e.spec.Model)
	}
	return landscape.ParseStatistics(word)
}

// withStatistics makes the losses of the training and the test examples what they
// are with the statistics. Frozen ones lie between the buffers of the ends of lines
// and curves.
func withStatistics[T train.Float](list []*landscape.Model[T], s landscape.Statistics, from, to []float64) error {
	training, test := list[0], list[1]
	if s == landscape.Frozen {
		return errors.Join(training.Freeze(from, to), test.Freeze(from, to))
	}
	return test.StatisticsOf(training)
}
