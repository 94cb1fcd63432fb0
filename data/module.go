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
func (f *finder) fromModule(module string) place {
	var once sync.Once
	var dir string
	var err error
	return place{
		name: "go mod download " + module,
		read: func(ctx context.Context, file file) ([]byte, error) {
			once.Do(func() { dir, err = f.module(ctx, module) })
			if err != nil {
				return nil, err
			}
			return readFile(filepath.Join(dir, "data", file.name+".gz"))
		},
		remote: true,
	}
}

// goModule has the go command download a module and returns its directory.
func goModule(ctx context.Context, module string) (string, error) {
	return runGo(ctx, "go", module, 2*time.Minute)
}

func runGo(ctx context.Context, goCommand, module string, limit time.Duration) (string, error) {
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
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GO111MODULE=on", "GIT_TERMINAL_PROMPT=0", "PWD="+work)
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
