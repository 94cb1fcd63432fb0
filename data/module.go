package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// fromModule is the folder data of a Go module, which the go command downloads, as it would to build a program.
// No code of the module is built or run.
func (f *finder) fromModule(c corpus) place {
	type content struct {
		raw []byte
		err error
	}
	var once sync.Once
	var files map[string]content
	var err error
	return place{
		name: "go mod download " + c.module,
		read: func(ctx context.Context, file file) ([]byte, error) {
			once.Do(func() {
				var dir string
				var done func()
				if dir, done, err = f.module(ctx, c.module); err != nil {
					return
				}
				defer done()
				files = map[string]content{}
				for _, file := range c.files {
					raw, err := readFile(filepath.Join(dir, "data", file.name+".gz"))
					files[file.name] = content{raw, err}
				}
			})
			if err != nil {
				return nil, err
			}
			return files[file.name].raw, files[file.name].err
		},
		remote: true,
	}
}

// goModule has the go command download a module and returns its directory, which may go with done. Where its own
// directories cannot be written, or there are none for want of a home, it gets some for the time.
func goModule(ctx context.Context, module string) (dir string, done func(), err error) {
	const limit = 2 * time.Minute
	if dir, err = runGo(ctx, "go", module, "", limit); err == nil || ctx.Err() != nil || goCanWrite(ctx) {
		return dir, func() {}, err
	}
	private, e := os.MkdirTemp("", "saddle-")
	if e != nil {
		return "", nil, err
	}
	if dir, err = runGo(ctx, "go", module, private, limit); err != nil {
		_ = os.RemoveAll(private)
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(private) }, nil
}

// goCanWrite tells whether the go command can write the directory that it keeps modules in. Without a go command
// that is not the question.
func goCanWrite(ctx context.Context) bool {
	path, err := exec.LookPath("go")
	if err != nil {
		return true
	}
	out, err := exec.CommandContext(ctx, path, "env", "GOMODCACHE").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" || os.MkdirAll(dir, 0o755) != nil {
		return false
	}
	probe, err := os.CreateTemp(dir, "saddle-")
	if err != nil {
		return false
	}
	_ = probe.Close()
	return os.Remove(probe.Name()) == nil
}

// runGo downloads a module, into private directories if there are any.
func runGo(ctx context.Context, goCommand, module, private string, limit time.Duration) (string, error) {
	path, err := exec.LookPath(goCommand)
	if err != nil {
		return "", fmt.Errorf("no go command: %w", err)
	}
	// An empty directory, so that no go.mod or go.work nearby has a say.
	work, err := os.MkdirTemp("", "saddle-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "mod", "download", "-json", module)
	cmd.Dir = work
	// The files have sums of their own here, so the checksum database and its files are not needed.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOSUMDB=off", "GOWORK=off", "GO111MODULE=on", "GIT_TERMINAL_PROMPT=0", "PWD="+work)
	if private != "" {
		cmd.Env = append(cmd.Env, "GOPATH="+private, "GOMODCACHE="+filepath.Join(private, "mod"), "GOCACHE="+filepath.Join(private, "cache"),
			"GOFLAGS=-mod=mod -modcacherw") // so that they can be removed
	}
	cmd.WaitDelay = 2 * time.Second // a killed go command may leave a child that holds the pipe
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if e := json.Unmarshal(out, &answer); e == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	} else if e == nil && err == nil && answer.Dir != "" {
		return answer.Dir, nil
	}
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &exit) && len(exit.Stderr) > 0:
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	case err == nil:
		err = fmt.Errorf("its answer names no directory: %.200q", out)
	}
	return "", err
}
