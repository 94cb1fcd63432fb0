//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// An experiment that is interrupted says how it goes on, does not do again what is
// done, and ends with its table, files and pictures.
func TestInterruptedExperimentGoesOn(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command(binary, "sparse-features", "-seed", "0")
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
		if strings.HasPrefix(s.Text(), "step 0.282 for 10 %") {
			if err := c.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait() // the status tells
	out := filepath.Join("runs", "reproduce-sparse-features")
	if code := c.ProcessState.ExitCode(); code != cli.ExitInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "go on with: ") || !strings.Contains(stderr.String(), "-out "+out+" -seed 0 sparse-features") {
		t.Fatalf("after Ctrl-C: status %d, %q, %s", code, stdout.String(), stderr.String())
	}
	kept := func() int {
		list, err := filepath.Glob(filepath.Join(dir, out, "steps", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := kept(); n < 15 || n > 45 {
		t.Errorf("%d steps are kept", n)
	}
	r := invoke(t, dir, "-out", out, "sparse-features")
	if r.code != cli.ExitDone || strings.Contains(r.stderr, "constant 0.25") || kept() != 60 {
		t.Fatalf("again: %+v", r)
	}
	for _, want := range []string{"3.53e-3", "test loss, constant over 50 %", "met", "saved in " + out} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, r.stdout)
		}
	}
	for _, name := range []string{"result.csv", "runs.csv", "sparse-features.png", "sparse-features.svg"} {
		if info, err := os.Stat(filepath.Join(dir, out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What was missed ends with status 1, and what is kept counts.
	path := filepath.Join(dir, out, "steps")
	list, err := filepath.Glob(filepath.Join(path, "0.25-0-*.json"))
	if err != nil || len(list) != 15 {
		t.Fatalf("%v (%v)", list, err)
	}
	for _, name := range list {
		b, err := os.ReadFile(strings.Replace(name, "0.25-0-", "0.282-0.5-", 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if r := invoke(t, dir, "-out", out, "-quiet", "sparse-features"); r.code != cli.ExitFailed || !strings.Contains(r.stdout, "MISSED") || !strings.Contains(r.stderr, "constant over 50 % is 1; wanted at least 5") {
		t.Errorf("a claim that does not hold: %+v", r)
	}
}
