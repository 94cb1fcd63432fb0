package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"-data", "spirals", "-model", "2-8-3", "-epochs", "1", "-watch", "curvature:every=5,examples=100,layers", "-out", dir}, &stdout, &stderr)
	if code != 0 || !strings.Contains(stderr.String(), "curvature watched") {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	for name, want := range map[string]string{"metrics.csv": "hessian_max_dense2", "log.jsonl": `"event":"watch"`} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s has no %s (%v)", name, want, err)
		}
	}
	for spec, want := range map[string]string{
		"curvatur":               `did you mean "curvature"?`,
		"curvature:evry=3":       `did you mean "every"?`,
		"curvature:every=0":      "whole numbers from 1 on",
		"curvature:examples=1":   "whole numbers from 2 on",
		"curvature:tol=2":        "numbers between 0 and 1",
		"curvature:layers=maybe": "true and false",
		"symmetry:every=0":       "whole numbers from 1 on",
		"symmetry:examples=3":    "allowed are every",
		"symmetry+symmetry":      "given twice",
	} {
		stderr.Reset()
		if code := run(context.Background(), []string{"-watch", spec}, &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %s", spec, code, stderr.String())
		}
	}
}

func TestWatchSymmetry(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var stdout, stderr bytes.Buffer
	args := []string{"-data", "spirals", "-model", "2-8-3", "-epochs", "1", "-watch", "symmetry:every=2+curvature:every=5,examples=50", "-opt", "sgd:momentum=0.9,weight_decay=0.01", "-precision", "float64", "-out", dir}
	if code := run(context.Background(), args, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "symmetries watched") {
		t.Fatalf("status %d: %s", code, stderr.String())
	}
	b, err := os.ReadFile(filepath.Join(dir, "metrics.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")
	last := strings.Split(rows[len(rows)-1], ",")
	found := 0
	for i, name := range strings.Split(rows[0], ",") {
		if !strings.HasPrefix(name, "symmetry_") || !strings.HasSuffix(name, "_error") {
			continue
		}
		found++
		if v, err := strconv.ParseFloat(last[i], 64); err != nil || v > 1e-13 {
			t.Errorf("%s is %s", name, last[i])
		}
	}
	if found != 2 {
		t.Errorf("%d kinds of symmetry in %s", found, rows[0])
	}
	stderr.Reset()
	args = []string{"-data", "spirals", "-model", "2-8-3", "-watch", "symmetry", "-opt", "adam", "-out", filepath.Join(t.TempDir(), "other")}
	if code := run(context.Background(), args, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), "not for adam") {
		t.Errorf("status %d: %s", code, stderr.String())
	}
}
