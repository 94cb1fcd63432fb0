package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test program stand in for the go command.
func TestMain(m *testing.M) {
	if how := os.Getenv("SADDLE_FAKE_GO"); how != "" {
		fakeGo(how)
	}
	os.Exit(m.Run())
}

func fakeGo(how string) {
	switch how {
	case "report":
		dir, _ := os.Getwd()
		seen, _ := json.Marshal(map[string]any{
			"args": os.Args[1:], "dir": dir, "GOFLAGS": os.Getenv("GOFLAGS"), "GOWORK": os.Getenv("GOWORK"),
		})
		answer, _ := json.Marshal(map[string]string{"Path": "example.com/tiny", "Dir": string(seen)})
		fmt.Printf("%s\n", answer)
	case "error":
		fmt.Println(`{"Path": "example.com/tiny", "Error": "no such host"}`)
		os.Exit(1)
	case "stderr":
		fmt.Fprintln(os.Stderr, "go: out of memory")
		os.Exit(2)
	case "nonsense":
		fmt.Println("hello")
	case "nowhere":
		fmt.Println(`{"Path": "example.com/tiny"}`)
	case "picky": // works only in a module cache that it is told of
		dir := os.Getenv("GOMODCACHE")
		switch {
		case os.Args[1] == "env":
			fmt.Println(os.Getenv("FAKE_MODCACHE"))
		case dir == "":
			fmt.Println(`{"Error": "nowhere to write"}`)
			os.Exit(1)
		default:
			dir = filepath.Join(dir, "tiny@v1")
			if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
				os.Exit(1)
			}
			answer, _ := json.Marshal(map[string]string{"Dir": dir})
			fmt.Printf("%s\n", answer)
		}
	case "sleep":
		time.Sleep(time.Minute)
	}
	os.Exit(0)
}

func runFakeGo(t *testing.T, how string, limit time.Duration) (string, error) {
	t.Helper()
	t.Setenv("SADDLE_FAKE_GO", how)
	return runGo(t.Context(), must(os.Executable()), "example.com/tiny@v1", "", limit)
}

func TestGoCommandIsAskedFarFromAnyModule(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=vendor")
	answer, err := runFakeGo(t, "report", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		Args                 []string
		Dir, GOFLAGS, GOWORK string
	}
	if err := json.Unmarshal([]byte(answer), &seen); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen.Args, []string{"mod", "download", "-json", "example.com/tiny@v1"}) || seen.GOFLAGS != "-mod=mod" || seen.GOWORK != "off" {
		t.Errorf("the go command saw %+v", seen)
	}
	if _, err := os.Stat(seen.Dir); err == nil || !strings.Contains(seen.Dir, "saddle-") {
		t.Errorf("it ran in %s, which is left behind or is no directory of its own", seen.Dir)
	}
}

func TestGoCommandFailuresGiveItsReason(t *testing.T) {
	for how, says := range map[string]string{
		"error": "no such host", "stderr": "exit status 2: go: out of memory", "nonsense": "names no directory: \"hello\\n\"", "nowhere": "names no directory",
	} {
		t.Run(how, func(t *testing.T) {
			dir, err := runFakeGo(t, how, time.Minute)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %q and %v, want %q", dir, err, says)
			}
		})
	}
	if _, err := runGo(t.Context(), filepath.Join(t.TempDir(), "go"), "m", "", time.Minute); err == nil || !strings.Contains(err.Error(), "no go command") {
		t.Errorf("got %v", err)
	}
}

func TestGoCommandDoesNotHang(t *testing.T) {
	start := time.Now()
	if _, err := runFakeGo(t, "sleep", 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := runGo(ctx, must(os.Executable()), "m", "", time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if time.Since(start) > 30*time.Second {
		t.Error("it was waited for")
	}
}
