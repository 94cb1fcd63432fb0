package task_test

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/internal/task"
)

func ExampleLoad() {
	s := task.Spec{Data: "spirals", Model: "2-32-3", Precision: "float32"}
	t, err := task.Load(context.Background(), s)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := task.Build[float32](t, s)
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := task.Optimizer("sgd:momentum=0.9", task.Tuning{})
	fmt.Println(t.Train.Len(), len(m.Params), spec, err)
	// Output: 2400 195 sgd:momentum=0.9+onecycle:max_lr=0.05 <nil>
}
