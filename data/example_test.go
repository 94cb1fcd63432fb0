package data_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math"
	"strings"

	"github.com/saddle-ml/saddle/data"
)

func Example() {
	ctx := context.Background()
	task, err := data.Open(ctx, "spirals", "")
	if err != nil {
		log.Fatal(err)
	}
	train, val, err := data.Split(task.Train, 0.1, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), val.Len(), task.Test.Len(), train.Shape(), train.Target())

	l := &data.Loader[float32]{Data: train, Batch: 1000, Shuffle: true, Seed: 1}
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("batch", b.Step, "has", b.N, "examples,", len(b.X), "numbers")
	}
	// Output:
	// 2160 240 600 [2] 3 classes
	// batch 0 has 1000 examples, 2000 numbers
	// batch 1 has 1000 examples, 2000 numbers
	// batch 2 has 160 examples, 320 numbers
}

func ExampleMNIST() {
	mnist, err := data.MNIST(context.Background(), "")
	if err != nil {
		log.Fatal(err)
	}
	scaled, scaler, err := mnist.Standardize()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scaled.Train.Len(), scaled.Test.Len(), scaler.Mean, scaler.Std)
}

func ExampleLoader_Epoch() {
	d, err := data.Blobs(10, 2, 2, 1, 1)
	if err != nil {
		log.Fatal(err)
	}
	l := &data.Loader[float64]{Data: d, Batch: 4, Shuffle: true, Seed: 1}
	run := func(epoch, skip int) {
		for b, err := range l.Epoch(context.Background(), epoch, skip) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("epoch", b.Epoch, "batch", b.Step, b.Index)
		}
	}
	run(3, 0)
	fmt.Println("resumed after two batches:")
	run(3, 2)
	// Output:
	// epoch 3 batch 0 [7 9 4 1]
	// epoch 3 batch 1 [3 6 2 0]
	// epoch 3 batch 2 [8 5]
	// resumed after two batches:
	// epoch 3 batch 2 [8 5]
}

func ExampleNew() {
	d, err := data.New([]float32{0, 0, 0, 1, 1, 0, 1, 1}, []int{2}, []float32{0, 1, 1, 0}, data.Target{Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Len(), d.Shape(), d.Target())

	_, err = data.New([]float32{0, 0, 0, 1}, []int{2}, []float32{0, 2}, data.Target{Classes: 2})
	fmt.Println(err)
	// Output:
	// 4 [2] 2 classes
	// data: example 1: label 2 is not one of the classes 0 to 1
}

func ExampleFunc() {
	sine, err := data.Func(100, []int{1}, data.Target{Shape: []int{1}}, func(i int, x, y []float64) error {
		x[0] = float64(i) / 100
		y[0] = math.Sin(2 * math.Pi * x[0])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	x, y := make([]float32, 2), make([]float32, 2)
	if err := data.Read(sine, x, y, []int{25, 75}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(x, y)
	// Output: [0.25 0.75] [1 -1]
}

func ExampleReadCSV() {
	const file = `petal length,petal width,species
1.4,0.2,setosa
4.7,1.4,versicolor
1.3,0.2,setosa
`
	d, err := data.ReadCSV(strings.NewReader(file), data.CSVOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Len(), d.Columns, d.TargetColumn, d.Classes)

	_, err = data.ReadCSV(strings.NewReader(file), data.CSVOptions{Target: "specie"})
	fmt.Println(err)
	// Output:
	// 3 [petal length petal width] species [setosa versicolor]
	// data: csv: there is no column "specie" for the target, the columns are petal length, petal width, species; did you mean "species"?
}

func ExampleReadLIBSVM() {
	const file = `+1 1:0.5 3:2 # indices begin at 1
-1 2:1
`
	d, err := data.ReadLIBSVM(strings.NewReader(file), data.LIBSVMOptions{})
	if err != nil {
		log.Fatal(err)
	}
	x, y := make([]float64, 6), make([]float64, 2)
	if err := data.Read(d, x, y, []int{0, 1}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(x, y, d.Classes)

	_, err = data.ReadLIBSVM(strings.NewReader("+1 3:1 2:1"), data.LIBSVMOptions{})
	fmt.Println(err)
	// Output:
	// [0.5 0 2 0 1 0] [1 0] [-1 1]
	// data: libsvm: line 1, column 8: index 2 after index 3: the indices of a line must ascend
}

func ExampleReadIDX() {
	var file bytes.Buffer
	if err := data.WriteIDX(&file, &data.IDX{Shape: []int{2, 3}, Data: []int16{1, 2, 3, 4, 5, 6}}); err != nil {
		log.Fatal(err)
	}
	x, err := data.ReadIDX(&file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape, x.Data)
	// Output: [2 3] [1 2 3 4 5 6]
}

func ExampleStandardize() {
	train, err := data.New([]float64{1, 10, 5, 10}, []int{2}, []float64{0, 1}, data.Target{Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	test, err := data.New([]float64{7, 11}, []int{2}, []float64{1}, data.Target{Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	sets, scaler, err := data.Standardize(train, test)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("mean", scaler.Mean, "standard deviation", scaler.Std)
	x := make([]float64, 2)
	for i := range 2 {
		if err := data.Read(sets[0], x, nil, []int{i}); err != nil {
			log.Fatal(err)
		}
		fmt.Println("train", x)
	}
	if err := data.Read(sets[1], x, nil, []int{0}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("test", x)
	// Output:
	// mean [3 10] standard deviation [2 1]
	// train [-1 0]
	// train [1 0]
	// test [2 1]
}

func ExampleSample() {
	index, err := data.Sample(4, 60000, 1, 7, nil)
	if err != nil {
		log.Fatal(err)
	}
	again, err := data.Sample(4, 60000, 1, 7, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(index), fmt.Sprint(index) == fmt.Sprint(again))

	_, err = data.Sample(11, 10, 1, 7, nil)
	fmt.Println(err)
	// Output:
	// 4 true
	// data: a sample of 11 examples without replacement from 10, ask for 10 or fewer
}

func ExampleOpen() {
	_, err := data.Open(context.Background(), "mnits", "")
	fmt.Println(err)
	// Output: data: there is no data set "mnits", the known ones are mnist, fashion, blobs, spirals, lse, a9a, w8a, mushrooms; did you mean "mnist"?
}
