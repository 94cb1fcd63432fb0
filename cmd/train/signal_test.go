//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stopped runs the command until its second epoch is done, sends it signals and
// returns what it left.
func stopped(t *testing.T, dir string, signals []syscall.Signal, args ...string) result {
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
		if strings.HasPrefix(s.Text(), "epoch 2/") && signals != nil {
			for _, g := range signals {
				if err := c.Process.Signal(g); err != nil {
					t.Fatal(err)
				}
			}
			signals = nil
		}
	}
	_ = c.Wait() // the status tells
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// However a run is stopped, the one that resumes it ends with the same bits as
// one that was not stopped.
func TestStoppedRunsGoOn(t *testing.T) {
	for _, opt := range []string{"sgd:momentum=0.9", "adam", "adamw+clip", "hf:curvature=100"} {
		t.Run(opt, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"-data", "blobs", "-model", "20-150-10", "-epochs", "8", "-batch", "100", "-opt", opt}
			with := func(out string) []string { return append([]string{"-out", out}, args...) }
			if r := invoke(t, dir, with("whole")...); r.code != exitDone {
				t.Fatalf("%+v", r)
			}
			want := read(t, dir, "whole", "last.safetensors")

			r := stopped(t, dir, []syscall.Signal{syscall.SIGINT}, with("interrupted")...)
			if r.code != exitInterrupted || r.stdout != "" || !strings.Contains(r.stderr, "-resume interrupted") {
				t.Errorf("after Ctrl-C: %+v", r)
			}
			if r := stopped(t, dir, []syscall.Signal{syscall.SIGKILL}, with("killed")...); r.code != -1 {
				t.Errorf("after a kill: %+v", r)
			}
			if r := stopped(t, dir, []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, with("twice")...); r.code != exitInterrupted {
				t.Errorf("after two Ctrl-C: %+v", r)
			}
			for _, out := range []string{"interrupted", "killed", "twice"} {
				if partial, _ := filepath.Glob(filepath.Join(dir, out, "result.json")); partial != nil {
					t.Errorf("%s: there is a result", out)
				}
				r := invoke(t, dir, "-resume", out)
				if r.code != exitDone || !strings.Contains(r.stderr, "resumed after step ") {
					t.Errorf("%s: resumed: %+v", out, r)
				}
				if !bytes.Equal(read(t, dir, out, "last.safetensors"), want) {
					t.Errorf("%s: the resumed run ends with other bits", out)
				}
			}
		})
	}
}
