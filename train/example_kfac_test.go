package train_test

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// K-FAC knows the layers of a network and needs no learning rate.
func ExampleFit_kfac() {
	ctx := context.Background()
	spirals, err := data.Open(ctx, "spirals", "")
	check(err)
	net := nn.Sequential{nn.Dense{Units: 32}, nn.Tanh{}, nn.Dense{Units: 32}, nn.Tanh{}, nn.Dense{Units: 3}}
	model, err := nn.Build[float32](net, nn.SoftmaxCrossEntropy{}, spirals.Train.Shape(), nn.Seed(1))
	check(err)
	history, err := train.Fit(ctx, model, spirals.Train, train.Config{
		Optimizer: &optimizers.KFAC{}, Epochs: 60, Batch: 500, Test: spirals.Test,
	})
	check(err)
	fmt.Println("test accuracy above 95 %:", history.Result.Test.Metrics["accuracy"] > 0.95)
	// Output: test accuracy above 95 %: true
}
