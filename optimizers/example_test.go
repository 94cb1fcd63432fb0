package optimizers_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"

	"github.com/saddle-ml/saddle/optimizers"
)

// rosenbrock is (1-x)² + 100(y-x²)², half the sum of the squares of √2(1-x) and √200(y-x²).
var rosenbrock = &optimizers.Func[float64]{
	G: func(dst, x []float64) float64 {
		a, b := 1-x[0], x[1]-x[0]*x[0]
		dst[0], dst[1] = -2*a-400*x[0]*b, 200*b
		return a*a + 100*b*b
	},
	GN: func(dst, x, v []float64) {
		slope := 200 * (v[1] - 2*x[0]*v[0])
		dst[0], dst[1] = 2*v[0]-2*x[0]*slope, slope
	},
}

func ExampleMinimize() {
	ctx, start := context.Background(), []float64{-1.2, 1}
	for _, m := range []optimizers.Method{&optimizers.HF{}, &optimizers.Adam{LR: 0.02}} {
		r, err := optimizers.Minimize(ctx, rosenbrock, start, m, optimizers.Until{GradNorm: 1e-6})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-4s x = %.4f, fewer than 100 steps: %v, %s\n", m.Name(), r.X, r.Steps < 100, r.Status)
	}
	// Output:
	// hf   x = [1.0000 1.0000], fewer than 100 steps: true, gradient norm reached
	// adam x = [1.0000 1.0000], fewer than 100 steps: false, gradient norm reached
}

// SignSGD moves every parameter by LR against the sign of its gradient (Bernstein et al. 2018).
type SignSGD[T optimizers.Float] struct {
	LR   T
	grad []T
}

// Step takes one step on the minibatch.
func (o *SignSGD[T]) Step(ctx context.Context, x []T, p optimizers.Problem[T]) (optimizers.Report, error) {
	if len(o.grad) != len(x) {
		o.grad = make([]T, len(x))
	}
	batch := p.Batch()
	loss, err := batch.Grad(o.grad, x)
	if err != nil {
		return optimizers.Report{}, err
	}
	for i, g := range o.grad {
		switch {
		case g > 0:
			x[i] -= o.LR
		case g < 0:
			x[i] += o.LR
		}
	}
	return optimizers.Report{Loss: loss, LR: float64(o.LR), Work: optimizers.WorkGrad * int64(batch.Len())}, nil
}

// An optimizer of one's own has one method, and is clipped, scheduled or minimised with like any other.
func Example_signSGD() {
	ellipse := &optimizers.Func[float64]{G: func(dst, x []float64) float64 {
		a, b := x[0]-3, x[1]+1
		dst[0], dst[1] = a, 1000*b
		return (a*a + 1000*b*b) / 2
	}}
	sign := optimizers.Of(&SignSGD[float64]{LR: 1.0 / 64})
	r, err := optimizers.Minimize(context.Background(), ellipse, []float64{0, 0}, sign, optimizers.Until{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sign.Name(), r.X, r.Steps, r.Status)
	// Output: signsgd [3 -1] 192 gradient norm reached
}

func ExampleParse() {
	m, err := optimizers.Parse("adamw:weight_decay=0.1+clip:norm=1")
	if err != nil {
		log.Fatal(err)
	}
	o, err := optimizers.New[float32](m, optimizers.Layout{
		{Name: "dense1.weight", Shape: []int{784, 10}},
		{Name: "dense1.bias", Shape: []int{10}, Offset: 7840, Kind: optimizers.Bias},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Name(), "asks for", o.Needs())
	fmt.Println(optimizers.Spec(m))

	for _, wrong := range []string{"sgd:momentun=0.9", "sgd:momentum=1.5"} {
		_, err = optimizers.Parse(wrong)
		fmt.Println(err)
	}
	// Output:
	// adamw+clip asks for gradients
	// adamw:weight_decay=0.1+clip
	// optimizers: unknown setting of sgd "momentun"; allowed are lr, momentum, dampening, nesterov, weight_decay; did you mean "momentum"?
	// optimizers: sgd: momentum is 1.5; allowed are numbers in [0, 1]
}

// A gradient that is not finite stops the run, and the error says where it was.
func ExampleNonFiniteError() {
	f := &optimizers.Func[float64]{G: func(dst, x []float64) float64 {
		dst[0], dst[1] = 2*x[0], 0.5/math.Sqrt(x[1])
		return x[0]*x[0] + math.Sqrt(x[1])
	}}
	_, err := optimizers.Minimize(context.Background(), f, []float64{1, 0.25}, &optimizers.SGD{}, optimizers.Until{})
	var bad *optimizers.NonFiniteError
	fmt.Println(errors.As(err, &bad), bad.Tensor, bad.Index)
	// Output: true x 1
}

func ExampleScheduled() {
	m := &optimizers.Scheduled{Of: &optimizers.SGD{LR: 0.4}, Schedule: &optimizers.Cosine{}, Steps: 4}
	watch := func(r optimizers.Report) error {
		fmt.Printf("rate %.3f\n", r.LR)
		return nil
	}
	square := &optimizers.Func[float64]{G: func(dst, x []float64) float64 { dst[0] = x[0]; return x[0] * x[0] / 2 }}
	if _, err := optimizers.Minimize(context.Background(), square, []float64{1}, m, optimizers.Until{Steps: 4, Watch: watch}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// rate 0.400
	// rate 0.341
	// rate 0.200
	// rate 0.059
}

// The mean of many terms, here squared distances from 1, 2, ..., 100, has its minimum where SGD with a constant rate does
// not come to rest; SVRG does.
func ExampleSum() {
	f := &optimizers.Sum[float64]{N: 100, Batch: 5, G: func(dst, x []float64, terms []int) float64 {
		loss := 0.0
		dst[0] = 0
		for _, i := range terms {
			d := x[0] - float64(i+1)
			loss += d * d / 2 / float64(len(terms))
			dst[0] += d / float64(len(terms))
		}
		return loss
	}}
	for _, m := range []optimizers.Method{&optimizers.SGD{LR: 0.5}, &optimizers.SVRG{LR: 0.5}} {
		r, err := optimizers.Minimize(context.Background(), f, []float64{0}, m, optimizers.Until{GradNorm: 1e-9, Steps: 1000})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s, %v from the minimum\n", m.Name(), r.Status, math.Abs(r.X[0]-50.5) < 1e-6)
	}
	// Output:
	// sgd: steps done, false from the minimum
	// svrg: gradient norm reached, true from the minimum
}
