package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
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
	} {
		stderr.Reset()
		if code := run(context.Background(), []string{"-watch", spec}, &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %s", spec, code, stderr.String())
		}
	}
}
