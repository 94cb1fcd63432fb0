package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestStatusOfErrors(t *testing.T) {
	alive := context.Background()
	ended, cancel := context.WithCancel(alive)
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code int
		text string
	}{
		{alive, nil, ExitDone, ""},
		{alive, errors.New("train: disk full"), ExitFailed, "train: disk full\n"},
		{alive, fmt.Errorf("fit: %w", Usagef("-lr is %d", -1)), ExitUsage, "train: fit: -lr is -1\nrun with -h"},
		{ended, fmt.Errorf("step 3: %w", context.Canceled), ExitInterrupted, "train: interrupted\n"},
		{ended, errors.New("no space to save"), ExitFailed, "train: no space to save\n"},
		{alive, context.Canceled, ExitFailed, "train: context canceled\n"},
	} {
		var b bytes.Buffer
		if code := Status(c.ctx, "train", c.err, &b); code != c.code || !strings.HasPrefix(b.String(), c.text) || c.text == "" && b.Len() > 0 {
			t.Errorf("%v: status %d, %q; want %d, %q", c.err, code, b.String(), c.code, c.text)
		}
	}
	if Usage(nil) != nil {
		t.Error("no mistake became one")
	}
}

func TestErrorsOfFlagsSayWhatIsAllowed(t *testing.T) {
	for args, want := range map[string]string{
		"-epoch 3":    "unknown flag -epoch; did you mean -epochs?",
		"-epochs few": `-epochs is "few"; allowed are whole numbers from 1 on`,
		"-seed -1":    `-seed is "-1"; allowed are whole numbers from 0`,
		"-lr high":    `-lr is "high"; allowed are numbers, as 0.1`,
		"-quiet=not":  `-quiet is "not"; allowed are true and false`,
	} {
		f := flag.NewFlagSet("x", flag.ContinueOnError)
		f.Int("epochs", 1, "")
		f.Uint64("seed", 0, "")
		f.Float64("lr", 0, "")
		f.Bool("quiet", false, "")
		_, _, err := Parse(f, strings.Fields(args), About{}, io.Discard)
		var usage UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestHelpIsAResult(t *testing.T) {
	f := flag.NewFlagSet("x", flag.ContinueOnError)
	f.Int("epochs", 1, "passes")
	var b bytes.Buffer
	_, help, err := Parse(f, []string{"-h"}, About{"X does.", "x [flags]", "0 done"}, &b)
	if err != nil || !help || b.String() != "X does.\n\nusage: x [flags]\n\n  -epochs int\n    \tpasses (default 1)\n\nexit status: 0 done\n" {
		t.Errorf("%v %v %q", help, err, b.String())
	}
}
