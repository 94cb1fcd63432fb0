package cli

import (
	"runtime"
	"testing"
)

func TestQuotedPaths(t *testing.T) {
	for path, want := range map[string]string{"runs/mnist-mlp-adam-1": "runs/mnist-mlp-adam-1", "my data": "'my data'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'", "a;b": "'a;b'", "ü": "ü"} {
		if got := Quoted(path); got != want && runtime.GOOS != "windows" {
			t.Errorf("Quoted(%q) = %s, want %s", path, got, want)
		}
	}
}
