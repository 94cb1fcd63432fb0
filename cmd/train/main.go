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

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	line := "" // ends the line of a progress bar
	if term.IsTerminal(int(os.Stderr.Fd())) {
		line = "\n"
	}
	go func() {
		<-signals
		fmt.Fprintf(os.Stderr, "%strain: stopping; interrupt again to stop at once\n", line)
		cancel()
		<-signals
		fmt.Fprintf(os.Stderr, "%strain: stopped at once; the last checkpoint stays\n", line)
		os.Exit(exitInterrupted) // files are whole at any time
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
