// Compare trains a task with many optimizers and tells how they did.
//
//	go run ./cmd/compare -opt adam -opt sgd:momentum=0.9 -opt hf -epochs 3 -seeds 3
//	go run ./cmd/compare -opt adam -opt hf -target test_accuracy=0.98 -epochs 10
//	go run ./cmd/compare -opt adam -opt sgd:momentum=0.9 -suite small -tune 10
//	go run ./cmd/compare -opt adam -sweep lr=1e-4:1e-1:log,beta1=0.8|0.9 -trials 20
//	go run ./cmd/compare -resume runs/compare-mnist-mlp-1
//
// It ends with status 0 when it is done, also where a method has diverged, which
// its row says; 1 when something failed, 2 for wrong usage and 130 when it was
// interrupted.
package main

import "github.com/saddle-ml/saddle/internal/cli"

func main() { cli.Main("compare", run) }
