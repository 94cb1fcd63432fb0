package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/saddle-ml/saddle/internal/study"
)

// compare trains one task with all methods.
func (b *bench) compare(ctx context.Context, methods []method) error {
	for _, m := range methods {
		if err := b.check(ctx, b.job(m, 0)); err != nil {
			return err
		}
	}
	t, err := b.runner.Load(ctx, b.Spec)
	if err != nil {
		return err
	}
	if err := b.open(b.name(t.Name), "opts", "seeds"); err != nil {
		return err
	}
	b.progress.total = len(methods) * b.Seeds
	list := make([]*study.Summary, len(methods))
	for i, m := range methods {
		list[i] = &study.Summary{Label: m.label}
	}
	// Seed by seed, so that what is interrupted compares all methods, and what
	// slows the machine for a while does not slow one of them.
	for seed := range b.Seeds {
		for i, m := range methods {
			o, err := b.run(ctx, m.label, "", b.job(m, seed))
			if err != nil {
				return err
			}
			list[i].Outcomes = append(list[i].Outcomes, o)
		}
	}
	r := newReport(&b.settings, t, list)
	if err := r.files(b.dir); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(b.stdout, "%s\n\n", r.title()); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if err := r.table(b.stdout); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if _, err := fmt.Fprintf(b.stdout, "\n%s\n", r.saved(b.dir)); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return failures(list)
}

// files writes all tables and pictures of a report.
func (r *report) files(dir string) error {
	if err := study.WriteCSV(filepath.Join(dir, "compare.csv"), r.methodsCSV()); err != nil {
		return err
	}
	if err := study.WriteCSV(filepath.Join(dir, "runs.csv"), r.runsCSV()); err != nil {
		return err
	}
	if err := study.WriteCSV(filepath.Join(dir, "points.csv"), r.pointsCSV()); err != nil {
		return err
	}
	return r.curves().Save(filepath.Join(dir, "curves"))
}

func (r *report) saved(dir string) string {
	return fmt.Sprintf("saved in %s: compare.csv, runs.csv, points.csv, curves.png, curves.svg", dir)
}

// best sorts summaries by a number, the least first and those without one last.
func best(list []*study.Summary, by func(*study.Summary) float64) []*study.Summary {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *study.Summary) int {
		x, y := by(a), by(b)
		switch {
		case x < y || x == x && y != y:
			return -1
		case y < x || y == y && x != x:
			return 1
		}
		return 0
	})
	return list
}
