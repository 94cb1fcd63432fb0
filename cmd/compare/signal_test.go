//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// stopped runs the command until a line of its progress has the text, interrupts
// it and returns what it left.
func stopped(t *testing.T, dir, at string, args ...string) result {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Dir = dir
	var stdout bytes.Buffer
	c.Stdout = &stdout
	pipe, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	for s := bufio.NewScanner(pipe); s.Scan(); {
		stderr.WriteString(s.Text() + "\n")
		if strings.Contains(s.Text(), at) {
			if err := c.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			at = "\x00"
		}
	}
	_ = c.Wait() // the status tells
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// A study that is interrupted between runs and within one ends with the numbers
// of one that was not.
func TestInterruptedStudiesGoOn(t *testing.T) {
	dir := t.TempDir()
	// Long enough to be interrupted, by its steps and not by the clock.
	args := func(out string) []string {
		return []string{"-data", "blobs", "-model", "20-64-64-10", "-epochs", "12", "-batch", "20", "-points", "2", "-opt", "adam", "-opt", "sgd:momentum=0.9", "-seeds", "2", "-out", out}
	}
	if r := invoke(t, dir, args("whole")...); r.code != cli.ExitDone {
		t.Fatalf("%+v", r)
	}
	r := stopped(t, dir, "[1/4]", args("half")...)
	if r.code != cli.ExitInterrupted || r.stdout != "" || !strings.Contains(r.stderr, "-resume half") {
		t.Fatalf("after Ctrl-C: %+v", r)
	}
	r = stopped(t, dir, "[2/4]", "-resume", "half")
	if r.code != cli.ExitInterrupted {
		t.Fatalf("after another Ctrl-C: %+v", r)
	}
	if r = invoke(t, dir, "-resume", "half"); r.code != cli.ExitDone || strings.Count(r.stderr, "(kept)") < 2 {
		t.Fatalf("resumed: %+v", r)
	}
	numbers := func(out string) (rows []map[string]string) {
		rows = table(t, dir, out, "points.csv")
		for _, row := range rows {
			delete(row, "seconds")
		}
		return rows
	}
	if !reflect.DeepEqual(numbers("half"), numbers("whole")) {
		t.Error("the points of the interrupted study are others")
	}
}
