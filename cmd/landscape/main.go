// Landscape measures the loss around the weights of a run of cmd/train.
//
//	go run ./cmd/landscape spectrum runs/mnist-mlp-adam-1
//	go run ./cmd/landscape symmetry runs/mnist-mlp-adam-1
//	go run ./cmd/landscape path runs/mnist-mlp-adam-1 -to runs/mnist-mlp-adam-2
//	go run ./cmd/landscape surface runs/mnist-mlp-adam-1
//
// Each writes tables (CSV), all its numbers (JSON) and pictures (PNG and SVG) to
// RUN/landscape, or the folder of -out, and prints a short table. What was
// interrupted goes on where it stopped when it is called again. It ends with
// status 0 when it is done, 1 when it failed, 2 for wrong usage and 130 when it
// was interrupted.
package main

import "github.com/saddle-ml/saddle/internal/cli"

func main() { cli.Main("landscape", run) }
