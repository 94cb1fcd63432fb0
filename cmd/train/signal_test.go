//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saddle-ml/saddle/internal/cli"
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
			if r := invoke(t, dir, with("whole")...); r.code != cli.ExitDone {
				t.Fatalf("%+v", r)
			}
			want := read(t, dir, "whole", "last.safetensors")

			r := stopped(t, dir, []syscall.Signal{syscall.SIGINT}, with("interrupted")...)
			if r.code != cli.ExitInterrupted || r.stdout != "" || !strings.Contains(r.stderr, "-resume interrupted") {
				t.Errorf("after Ctrl-C: %+v", r)
			}
			if r := stopped(t, dir, []syscall.Signal{syscall.SIGKILL}, with("killed")...); r.code != -1 {
				t.Errorf("after a kill: %+v", r)
			}
			if r := stopped(t, dir, []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, with("twice")...); r.code != cli.ExitInterrupted {
				t.Errorf("after two Ctrl-C: %+v", r)
			}
			for _, out := range []string{"interrupted", "killed", "twice"} {
				if partial, _ := filepath.Glob(filepath.Join(dir, out, "result.json")); partial != nil {
					t.Errorf("%s: there is a result", out)
				}
				r := invoke(t, dir, "-resume", out)
				if r.code != cli.ExitDone || !strings.Contains(r.stderr, "resumed after step ") {
					t.Errorf("%s: resumed: %+v", out, r)
				}
				if !bytes.Equal(read(t, dir, out, "last.safetensors"), want) {
					t.Errorf("%s: the resumed run ends with other bits", out)
				}
			}
		})
	}
}

// A process may be killed at any moment, before it has begun too, and so may
// those that resume its run.
func TestKilledAtAnyMoment(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, opt := range []string{"adam", "hf:curvature=100", "sgd:momentum=0.9+clip+cosine"} {
		t.Run(opt, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"-data", "blobs", "-model", "20-60-10", "-epochs", "4", "-batch", "200", "-val", "0.1", "-quiet", "-snapshots", "every=7,epoch", "-opt", opt}
			began := time.Now()
			if r := invoke(t, dir, append([]string{"-out", "whole"}, args...)...); r.code != cli.ExitDone {
				t.Fatalf("%+v", r)
			}
			whole := time.Since(began)
			snapshots := filesIn(t, dir, "whole", "snapshots")
			if len(snapshots) < 8 {
				t.Errorf("%d snapshots", len(snapshots))
			}
			for i := range 4 {
				out := fmt.Sprint("run", i)
				begin := append([]string{"-out", out}, args...)
				for range 5 {
					killed(t, dir, time.Duration(r.Float64()*float64(whole)), again(dir, out, begin))
				}
				if r := invoke(t, dir, again(dir, out, begin)...); r.code != cli.ExitDone {
					t.Fatalf("%+v", r)
				}
				for _, name := range []string{"last.safetensors", "best.safetensors"} {
					if !bytes.Equal(read(t, dir, out, name), read(t, dir, "whole", name)) {
						t.Errorf("%s has other bits than that of a run that was not killed", name)
					}
				}
				if !reflect.DeepEqual(filesIn(t, dir, out, "snapshots"), snapshots) {
					t.Error("its snapshots are others")
				}
				if left, _ := filepath.Glob(filepath.Join(dir, out, ".*")); left != nil {
					t.Errorf("left: %v", left)
				}
			}
		})
	}
}

// filesIn are the files of a folder, by their names.
func filesIn(t *testing.T, path ...string) map[string]string {
	t.Helper()
	folder := filepath.Join(path...)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		files[e.Name()] = string(read(t, folder, e.Name()))
	}
	return files
}

// again are the arguments that go on with a run: it may not have begun.
func again(dir, out string, begin []string) []string {
	if _, err := os.Stat(filepath.Join(dir, out, "config.json")); err != nil {
		return begin
	}
	return []string{"-resume", out, "-quiet"}
}

// killed runs the command and kills it after a time, if it has not ended.
func killed(t *testing.T, dir string, after time.Duration, args []string) {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Dir = dir
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
	err := c.Wait()
	timer.Stop()
	if code := c.ProcessState.ExitCode(); code > 0 {
		t.Fatalf("%v: status %d: %v", args, code, err)
	}
}

// Two processes cannot train one run: the second says so at once and changes
// nothing.
func TestTwoProcessesCannotTrainOneRun(t *testing.T) {
	dir := t.TempDir()
	c := exec.Command(binary, "-data", "blobs", "-epochs", "100000", "-out", "run")
	c.Dir = dir
	pipe, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(pipe); s.Scan(); {
		if !strings.HasPrefix(s.Text(), "epoch      1/") {
			continue
		}
		for _, args := range [][]string{{"-resume", "run"}, {"-out", "run", "-data", "blobs"}} {
			if r := invoke(t, dir, append(args, "-quiet")...); r.code != cli.ExitFailed || !strings.Contains(r.stderr, "another process is training this run") {
				t.Errorf("%v: %+v", args, r)
			}
		}
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Wait() // the status tells
	if code := c.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("the first process ends with status %d", code)
	}
}
