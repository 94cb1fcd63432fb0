package experiments

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
)

// settings are what the directory of an experiment is of.
type settings struct {
	Name string `json:"name"`
	Full bool   `json:"full"`
	Seed uint64 `json:"seed"`
}

// Run runs an experiment in a directory, or goes on with it there, writes what it
// found to w and result.csv, and returns it.
func Run(ctx context.Context, x *Experiment, e *Env, w io.Writer) (*Result, error) {
	if e.Full && x.Full == "" {
		return nil, cli.Usagef("%s has no longer form", x.Name)
	}
	if err := study.Open(e.Dir, "reproduction", settings{x.Name, e.Full, e.Seed}); err != nil {
		return nil, err
	}
	r, err := x.Run(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name, err)
	}
	rows := [][]any{{"what", "paper", "ours", "wanted", "met"}}
	for _, row := range r.Rows {
		rows = append(rows, []any{row.What, row.Paper, row.Ours, row.Want.String(), row.Want.Met(row.Ours)})
	}
	if err := e.CSV("result.csv", rows); err != nil {
		return nil, err
	}
	if err := r.write(w, x); err != nil {
		return nil, fmt.Errorf("writing the result: %w", err)
	}
	return r, nil
}

// write writes the paper's numbers beside ours.
func (r *Result) write(w io.Writer, x *Experiment) error {
	if _, err := fmt.Fprintf(w, "%s\n\npaper:   %s\nclaim:   %s\ndiffers: %s\n\n", x.About, wrap(x.Paper), wrap(x.Claim), wrap(x.Differs)); err != nil {
		return err
	}
	t := cli.Table{Header: []string{"what", "paper", "here", "wanted", ""}, Left: map[int]bool{3: true, 4: true}}
	for _, row := range r.Rows {
		verdict := ""
		switch {
		case row.Want.ok == nil:
		case row.Want.Met(row.Ours):
			verdict = "met"
		default:
			verdict = "MISSED"
		}
		paper := row.Paper
		if paper == "" {
			paper = "-"
		}
		t.Rows = append(t.Rows, []string{row.What, paper, row.Want.Number(row.Ours), row.Want.String(), verdict})
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	for _, more := range r.Table {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if _, err := more.WriteTo(w); err != nil {
			return err
		}
	}
	if len(r.Notes) > 0 {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	for _, note := range r.Notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

// wrap breaks a text into lines behind the heads of the result.
func wrap(text string) string {
	const indent, width = "\n         ", 100
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString(indent)
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
