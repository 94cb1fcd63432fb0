// Train trains a network and saves it.
//
//	go run ./cmd/train                             a small network on MNIST
//	go run ./cmd/train -model lenet -epochs 3
//	go run ./cmd/train -opt sgd:momentum=0.9,nesterov=true
//	go run ./cmd/train -resume runs/mnist-mlp-adam-1
//	go run ./cmd/train -list
//
// It ends with status 0 when it is done, 1 when it failed, 2 for wrong usage, 4
// when the test accuracy is below -min-acc and 130 when it was interrupted.
package main

import "github.com/saddle-ml/saddle/internal/cli"

func main() { cli.Main("train", run) }
