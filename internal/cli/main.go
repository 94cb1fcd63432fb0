package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/saddle-ml/saddle/internal/kernel"
	"golang.org/x/term"
)

// The exit statuses that all commands share.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitInterrupted = 130
)

// UsageError is a mistake of the command line.
type UsageError struct{ error }

// Unwrap is the mistake itself.
func (e UsageError) Unwrap() error { return e.error }

// Usage makes an error one of the command line; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return UsageError{err}
}

// Usagef is fmt.Errorf for a mistake of the command line.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Main runs a command as the whole process and does not return. The context of
// run ends with the first interrupt, so that it can save; the second one ends the
// process.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	if _, err := kernel.CPU(); err != nil { // a mistake in the environment: before any work
		os.Exit(Status(context.Background(), name, err, os.Stderr))
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	line := "" // ends the line of a progress bar
	if term.IsTerminal(int(os.Stderr.Fd())) {
		line = "\n"
	}
	go func() {
		<-signals
		fmt.Fprintf(os.Stderr, "%s%s: stopping; interrupt again to stop at once\n", line, name)
		cancel()
		<-signals
		fmt.Fprintf(os.Stderr, "%s%s: stopped at once; the last checkpoint stays\n", line, name)
		os.Exit(ExitInterrupted) // files are whole at any time
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Status writes what an error has to say to stderr and returns the status to end
// with.
func Status(ctx context.Context, name string, err error, stderr io.Writer) int {
	// A package of the command's name stands at the beginning of its errors too.
	text := func() string { return name + ": " + strings.TrimPrefix(err.Error(), name+": ") }
	var usage UsageError
	switch {
	case err == nil:
		return ExitDone
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintf(stderr, "%s: interrupted\n", name)
		return ExitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s\nrun with -h for the flags, with -list for what they know\n", text())
		return ExitUsage
	}
	fmt.Fprintln(stderr, text())
	return ExitFailed
}
