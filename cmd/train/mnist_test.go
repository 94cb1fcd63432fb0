package main

import (
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/internal/cli"
)

// What the command is for: with no flags, and with one word changed.
func TestMNISTIsLearned(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a minute")
	}
	for _, args := range []string{
		"-min-acc 0.978",
		"-opt hf -min-acc 0.97",
		"-model lenet -epochs 3 -min-acc 0.988",
	} {
		t.Run(args, func(t *testing.T) {
			r := invoke(t, t.TempDir(), append(strings.Fields(args), "-quiet")...)
			if r.code != cli.ExitDone || !strings.HasPrefix(r.stdout, "test accuracy 9") {
				t.Errorf("%+v", r)
			}
		})
	}
}
