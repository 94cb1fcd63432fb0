package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/train"
)

// The weights in a run's directory are those that its results are of, also where the
// method's iterates are not the weights to use.
func TestAveragedWeightsAreSaved(t *testing.T) {
	t.Parallel()
	for _, opt := range []string{"sgd:lr=0.1+ema:decay=0.9", "sgd:lr=0.1+swa:start=20", "adam+polyak", "schedule_free_adamw", "sgd:lr=0.1+lookahead:k=5+ema"} {
		dir := t.TempDir()
		args := []string{"-data", "blobs", "-model", "mlp:batchnorm", "-epochs", "2", "-opt", opt, "-schedule", "constant", "-quiet", "-out", "run"}
		if r := invoke(t, dir, args...); r.code != cli.ExitDone {
			t.Fatalf("%s: status %d: %s", opt, r.code, r.stderr)
		}
		spec := task.Spec{Data: "blobs", Model: "mlp:batchnorm", Precision: "float32"}
		set, err := task.Load(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		m, err := task.Build[float32](set, spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.LoadWeights(filepath.Join(dir, "run", "last.safetensors"), m); err != nil {
			t.Fatal(err)
		}
		scores, err := train.Evaluate(t.Context(), m, set.Test)
		if err != nil {
			t.Fatal(err)
		}
		var told struct {
			Loss     float64 `json:"test_loss"`
			Accuracy float64 `json:"test_accuracy"`
		}
		if err := json.Unmarshal(read(t, dir, "run", "result.json"), &told); err != nil {
			t.Fatal(err)
		}
		// The loss is a mean of float32 numbers, in parts that may differ.
		if math.Abs(scores.Loss-told.Loss) > 1e-6*told.Loss || scores.Metrics["accuracy"] != told.Accuracy {
			t.Errorf("%s: the saved weights have loss %v and accuracy %v, the result says %v and %v", opt, scores.Loss, scores.Metrics["accuracy"], told.Loss, told.Accuracy)
		}
	}
}
