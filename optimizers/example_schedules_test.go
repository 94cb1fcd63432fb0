package optimizers_test

import (
	"context"
	"fmt"
	"log"

	"github.com/saddle-ml/saddle/optimizers"
)

// slope is a loss whose gradient is 1 in every parameter.
var slope = &optimizers.Func[float64]{G: func(dst, x []float64) float64 {
	sum := 0.0
	for i, v := range x {
		dst[i] = 1
		sum += v
	}
	return sum
}}

// What stands on a command line is a schedule with its warm-up, in steps or epochs.
func ExampleParseSchedule() {
	s, err := optimizers.ParseSchedule("sequential:schedules=(constant:factor=0.5)/polynomial,milestones=2,warmup=2,unit=epoch")
	if err != nil {
		log.Fatal(err)
	}
	s.Of = &optimizers.SGD{LR: 1}
	rates := func(r optimizers.Report) error {
		fmt.Printf("%.3g ", r.LR)
		return nil
	}
	m := optimizers.ForEpochs(s, 6, 2)
	if _, err := optimizers.Minimize(context.Background(), slope, []float64{0}, m, optimizers.Until{Steps: 12, Watch: rates}); err != nil {
		log.Fatal(err)
	}
	// Output: 0.05 0.05 0.275 0.275 0.5 0.5 0.5 0.5 1 1 0.5 0.5
}

// A tenth of the rate for the first layer, a frozen one, and no decay on biases.
func ExampleGroups() {
	m := &optimizers.Groups{Of: &optimizers.SGD{LR: 1}, Rules: []optimizers.Rule{
		{Tensors: []string{"dense1"}, Scale: 0.1},
		{Tensors: []string{"embed*"}, Freeze: true},
		{Tensors: []string{"bias"}, Set: map[string]any{"weight_decay": 0}},
	}}
	fmt.Println(optimizers.Spec(m))
	o, err := optimizers.New[float64](m, optimizers.Layout{
		{Name: "embedding.weight", Shape: []int{1}},
		{Name: "dense1.weight", Shape: []int{1}, Offset: 1},
		{Name: "dense1.bias", Shape: []int{1}, Offset: 2, Kind: optimizers.Bias},
		{Name: "dense2.weight", Shape: []int{1}, Offset: 3},
	})
	if err != nil {
		log.Fatal(err)
	}
	x := make([]float64, 4)
	if _, err := o.Step(context.Background(), x, noisy{slope}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(x)
	// Output:
	// sgd:lr=1+group:dense1:lr=0.1x+group:embed*:freeze+group:bias:weight_decay=0
	// [0 -0.1 -0.1 -1]
}
