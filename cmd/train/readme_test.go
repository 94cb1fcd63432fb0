package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var update = flag.Bool("update", false, "write the README's table of optimizers")

// The marks around the table.
const tableBegin, tableEnd = "<!-- optimizers:begin -->\n", "<!-- optimizers:end -->\n"

// TestReadmeListsTheOptimizers: its table is what the code says. With -update it
// is written.
func TestReadmeListsTheOptimizers(t *testing.T) {
	text := readme(t)
	before, rest, ok := strings.Cut(text, tableBegin)
	table, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatal("the README has no marks around its table of optimizers")
	}
	want := optimizerTable()
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("go test ./cmd/train -run Readme -update writes the README's table, which should be\n%s", want)
	}
	if err := os.WriteFile("../../README.md", []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// optimizerTable is the table in Markdown.
func optimizerTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| name | keeps a parameter | when to use it |\n|---|---|---|\n")
	for _, list := range []struct {
		mark  string
		infos []optimizers.Info
	}{{"", optimizers.Methods()}, {"+", optimizers.Wrappers()}, {"+", optimizers.Schedules()}} {
		for _, info := range list.infos {
			memory := ""
			if info.Memory > 0 {
				memory = fmt.Sprint(info.Memory)
			}
			fmt.Fprintf(&b, "| `%s%s` | %s | %s |\n", list.mark, info.Name, memory, info.Use)
		}
	}
	return b.String()
}

// TestReadmeShowsTheExample: its program is the example that train tests.
func TestReadmeShowsTheExample(t *testing.T) {
	_, rest, _ := strings.Cut(readme(t), "```go\n")
	code, _, _ := strings.Cut(rest, "```")
	example, err := os.ReadFile("../../train/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if body := strings.ReplaceAll("\t"+strings.TrimSpace(strings.ReplaceAll(code, "\n", "\n\t")), "\n\t\n", "\n\n"); !strings.Contains(string(example), body) {
		t.Errorf("train's example does not hold the README's program:\n%s", body)
	}
	if lines := strings.Count(code, "\n"); lines > 21 {
		t.Errorf("it has %d lines", lines)
	}
}
