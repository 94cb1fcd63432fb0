package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// binary is this command, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "reproduce")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "reproduce.exe")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
			return 1
		}
		return m.Run()
	}())
}

// result is what a process has left.
type result struct {
	code           int
	stdout, stderr string
}

// invoke runs the command in dir.
func invoke(t *testing.T, dir string, args ...string) result {
	t.Helper()
	c := exec.Command(binary, args...)
	var stdout, stderr bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func TestListTellsClaims(t *testing.T) {
	r := invoke(t, t.TempDir(), "-list")
	for _, want := range []string{"sparse-features: SGD with large steps", "paper:  Andriushchenko", "claim:  the test loss falls", "takes:  "} {
		if r.code != cli.ExitDone || r.stderr != "" || !strings.Contains(r.stdout, want) {
			t.Errorf("status %d, stderr %q, stdout lacks %q", r.code, r.stderr, want)
		}
	}
	if r := invoke(t, t.TempDir(), "-h"); r.code != cli.ExitDone || r.stderr != "" || !strings.Contains(r.stdout, "usage: reproduce [flags] experiment") {
		t.Errorf("-h: %+v", r)
	}
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]string{
		"":                        "0 experiments are named",
		"a b":                     "2 experiments are named",
		"sparse-feature":          `did you mean "sparse-features"?`,
		"-ful sparse-features":    "did you mean -full?",
		"sparse-features -full":   "has no longer form",
		"-threads 0 x":            "-threads is 0",
		"-out= sparse-features":   "-out is empty",
		"sparse-features -seed a": `-seed is "a"; allowed are whole numbers`,
	} {
		r := invoke(t, dir, strings.Fields(args)...)
		if r.code != cli.ExitUsage || r.stdout != "" || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); left != nil {
		t.Errorf("wrong usage has left %v", left)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, dir, "-out", "file", "sparse-features"); r.code != cli.ExitFailed || r.stdout != "" {
		t.Errorf("into a file: %+v", r)
	}
}
