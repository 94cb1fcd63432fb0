package study

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADirectoryIsOfOneStudy(t *testing.T) {
	type settings struct {
		Data  string   `json:"data"`
		Opts  []string `json:"opts"`
		Extra string   `json:"extra,omitempty"`
	}
	dir := filepath.Join(t.TempDir(), "a", "study")
	if err := Open(dir, "comparison", settings{Data: "mnist", Opts: []string{"adam"}}, "opts"); err != nil {
		t.Fatal(err)
	}
	for want, open := range map[string]func() error{
		"begun with data mnist, now it is blobs": func() error { return Open(dir, "comparison", settings{Data: "blobs"}, "opts") },
		"begun with extra none, now it is more": func() error {
			return Open(dir, "comparison", settings{Data: "mnist", Extra: "more"}, "opts")
		},
		"begun with opts [adam], now it is none": func() error { return Open(dir, "comparison", settings{Data: "mnist"}) },
		"of a comparison, not of a sweep":        func() error { return Open(dir, "sweep", settings{Data: "mnist"}) },
	} {
		if err := open(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := Open(dir, "comparison", settings{Data: "mnist", Opts: []string{"adam", "sgd"}}, "opts"); err != nil {
		t.Error(err)
	}
	var got settings
	if err := Settings(dir, "comparison", &got); err != nil || len(got.Opts) != 2 {
		t.Errorf("%+v (%v)", got, err)
	}
	if err := Settings(dir, "suite", &got); err == nil {
		t.Error("the settings of another kind")
	}
}

func TestForeignFilesStay(t *testing.T) {
	dir := t.TempDir()
	if _, err := Kind(dir); !errors.Is(err, errNoStudy) {
		t.Errorf("an empty directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Open(dir, "suite", struct{}{}); err == nil || !strings.Contains(err.Error(), "holds files") {
		t.Errorf("a directory with files: %v", err)
	}
	for text, want := range map[string]string{"{": "unexpected end", `{"format":9}`: "format 9"} {
		if err := os.WriteFile(filepath.Join(dir, studyFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Open(dir, "suite", struct{}{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
