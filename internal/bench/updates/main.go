// Updates times steps of optimizers, without gradients, by turns with whoever else is measured: see ../optimizers.py.
//
//	updates adam 1e6
//
// prints ready, and then for each line with a number of steps the nanoseconds that they took. In the place of a method
// stands copy, triad or axpy for what memory gives. As benchmarks, with GB/s:
//
//	go test ./internal/bench/updates -run '^$' -bench .
//
// The norm of the gradient, by which a step sees that it is finite, comes with it, as a network's program gives it.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: updates METHOD PARAMETERS")
	}
	n, err := strconv.ParseFloat(args[1], 64)
	if err != nil || n < 10*columns || n != float64(int(n)) || int(n)%(10*columns) != 0 {
		return fmt.Errorf("updates: %s parameters; allowed are multiples of %d", args[1], 10*columns)
	}
	step, streams, err := work(args[0], int(n))
	if err != nil {
		return err
	}
	for range 2 {
		if err := step(); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "ready", streams)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		count, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || count < 1 {
			return fmt.Errorf("updates: %q is no number of steps", lines.Text())
		}
		start := time.Now()
		for range count {
			if err := step(); err != nil {
				return err
			}
		}
		fmt.Fprintln(out, time.Since(start).Nanoseconds())
	}
	return nil
}
