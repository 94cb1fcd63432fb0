package spell

import "testing"

func TestNearest(t *testing.T) {
	allowed := []string{"sgd", "adam", "adamw", "hf"}
	for name, want := range map[string]string{
		"adm": "adam", "ADAM": "adam", "adamw": "adamw", "sdg": "sgd", "": "", "x": "", "h": "", "sg": "sgd", "xy": "", "lbfgs": "", "something else": "",
	} {
		if got := Nearest(name, allowed); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	flags := []string{"batch", "opt", "log", "landscape-every", "lr"}
	for name, want := range map[string]string{
		"batchsize": "batch", "Batch_size": "batch", "optimizer": "opt", "logfile": "log", "landscape": "landscape-every", "lrate": "", "ba": "", "bat": "batch",
	} {
		if got := Nearest(name, flags); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if Hint("adm", allowed) != `; did you mean "adam"?` || Hint("something else", allowed) != "" {
		t.Error("Hint does not say what Nearest finds")
	}
}

func TestEditsIsADistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"kitten", "sitting", 3}, {"abc", "", 3}, {"flaw", "lawn", 2}} {
		if edits(c.a, c.b) != c.want || edits(c.b, c.a) != c.want {
			t.Errorf("edits(%q, %q) = %d and %d, want %d", c.a, c.b, edits(c.a, c.b), edits(c.b, c.a), c.want)
		}
	}
}
