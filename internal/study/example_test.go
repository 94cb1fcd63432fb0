package study_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
)

func Example() {
	dir, err := os.MkdirTemp("", "study")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	r := &study.Runner{}
	s := &study.Summary{Label: "adam"}
	for seed := range uint64(2) {
		j := study.Job{Spec: task.Spec{Data: "spirals", Model: "2-32-3", Seed: seed, Precision: "float32"}, Opt: "adam:lr=0.02", Epochs: 40, Target: "test_accuracy=0.95"}
		o, err := r.Run(context.Background(), filepath.Join(dir, j.Name()), j)
		if err != nil {
			fmt.Println(err)
			return
		}
		s.Outcomes = append(s.Outcomes, o)
	}
	target, err := study.ParseTarget("test_accuracy=0.95")
	fmt.Println(s.Reached(target), "of", len(s.Outcomes), "reach", target, err)
	// Output: 2 of 2 reach test_accuracy=0.95 <nil>
}
