package data

import (
	"fmt"
	"testing"
)

func TestNearestName(t *testing.T) {
	for _, c := range []struct {
		name    string
		allowed []string
		want    string
	}{
		{"mnst", []string{"fashion", "mnist"}, "mnist"}, {"MNIST", []string{"fashion", "mnist"}, "mnist"},
		{"spiral", []string{"blobs", "spirals"}, "spirals"}, {"imagenet", []string{"mnist", "blobs"}, ""}, {"", []string{"mnist"}, ""}, {"x", nil, ""},
	} {
		want := ""
		if c.want != "" {
			want = fmt.Sprintf("; did you mean %q?", c.want)
		}
		if got := didYouMean(c.name, c.allowed); got != want {
			t.Errorf("%q among %q: %q, want %q", c.name, c.allowed, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("distance from %q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
