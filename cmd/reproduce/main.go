// Reproduce runs the experiment of a paper and puts the paper's numbers beside
// those found.
//
//	go run ./cmd/reproduce -list
//	go run ./cmd/reproduce sparse-features
//	go run ./cmd/reproduce -full -out runs/aggmo aggmo-ae
//
// What was interrupted goes on when it is run again. It ends with status 0 when
// all tolerances are met, 1 when one is missed or the experiment failed, 2 for
// wrong usage and 130 when it was interrupted.
package main

import "github.com/saddle-ml/saddle/internal/cli"

func main() { cli.Main("reproduce", run) }
