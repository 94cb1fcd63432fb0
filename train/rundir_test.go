package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

// What is in the place of a directory stays there.
func TestADirectoryThatCannotBeMadeLeavesWhatIsThere(t *testing.T) {
	m, d := small[float32](t)
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Fit(context.Background(), m, d, Config{Dir: dir}); err == nil {
			t.Errorf("%s: no error", dir)
		}
		if readFile(t, file) != "mine" {
			t.Fatal("the file has changed")
		}
	}
	notes := filepath.Join(root, "notes")
	if err := errors.Join(os.Mkdir(notes, 0o777), os.WriteFile(filepath.Join(notes, "a"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	mustFit(t, m, d, Config{Dir: notes}) // a directory with other files can take a run
	if _, err := os.Stat(filepath.Join(notes, "a")); err != nil {
		t.Error(err)
	}
	for _, bad := range []Config{{Epochs: -1}, {Optimizer: &optimizers.SGD{Nesterov: true}}} {
		bad.Dir = filepath.Join(root, "bad")
		if _, err := Fit(context.Background(), m, d, bad); err == nil {
			t.Error("no error")
		}
		if _, err := os.Stat(bad.Dir); err == nil {
			t.Error("a run that did not begin leaves a directory")
		}
	}
}

// Characters that patterns give a meaning are characters of a name.
func TestAnyNameIsADirectory(t *testing.T) {
	for _, name := range []string{"a[b", "[x]", "q*", "ü ✓", "-n"} {
		m, d := small[float32](t)
		dir := filepath.Join(t.TempDir(), name)
		mustFit(t, m, d, Config{Epochs: 2, Dir: dir})
		old, err := states(dir)
		if err != nil || len(old) != 1 {
			t.Errorf("%s: optimizer states %v, want that of the last checkpoint (%v)", name, old, err)
		}
		mustFit(t, m, d, Config{Epochs: 2, Dir: dir, Resume: true})
	}
}

// A run is trained by one process at a time: another one waits for no one and
// changes nothing.
func TestARunHasOneWriter(t *testing.T) {
	m, d := small[float32](t)
	c := Config{Epochs: 2, Batch: 50, Dir: filepath.Join(t.TempDir(), "run")}
	tried := false
	first := c
	first.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); !ok || s.Step != 4 {
			return nil
		}
		tried = true
		before := contents(t, c.Dir)
		for _, resume := range []bool{true, false} {
			m, d := small[float32](t)
			again := c
			again.Resume = resume
			_, err := Fit(context.Background(), m, d, again)
			if !errors.Is(err, errLocked) || !strings.Contains(err.Error(), c.Dir) {
				t.Errorf("resume %v: error %v, want one that says who has the run", resume, err)
			}
		}
		if contents(t, c.Dir) != before {
			t.Error("the second process changed the directory")
		}
		return nil
	})}
	mustFit(t, m, d, first)
	if !tried {
		t.Fatal("there was no step 4")
	}
	c.Resume = true
	mustFit(t, m, d, c) // free again
}

// Many begin in one directory at once, and one of them has it.
func TestOneOfManyRunsGetsTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for i := range 8 {
		m, d := small[float32](t)
		wg.Go(func() {
			if _, err := Fit(context.Background(), m, d, Config{Dir: dir, Data: fmt.Sprint("data of ", i)}); err == nil {
				won <- fmt.Sprint("data of ", i)
			}
		})
	}
	wg.Wait()
	close(won)
	c, err := ReadConfig(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if winner := <-won; len(won) != 0 || winner != c.Data {
		t.Errorf("%q and %d more trained in the directory of %q", winner, len(won), c.Data)
	}
}

// contents are the names and bytes of all files.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s\n%s\n", e.Name(), readFile(t, filepath.Join(dir, e.Name())))
	}
	return b.String()
}

// A process may die before its first checkpoint is whole; the run begins again.
func TestARunThatDiedBeforeItsFirstCheckpointBeginsAgain(t *testing.T) {
	root := t.TempDir()
	m, d := small[float32](t)
	c := Config{Epochs: 2, Batch: 50, Dir: filepath.Join(root, "whole")}
	first := c
	started := filepath.Join(root, "started")
	first.Observers = []Observer{ObserverFunc(func(e Event) error {
		switch e := e.(type) {
		case *Started:
			copyDir(t, c.Dir, started)
		case *Saved:
			if e.Step == 0 {
				copyDir(t, c.Dir, filepath.Join(root, "saved"))
			}
		}
		return nil
	})}
	mustFit(t, m, d, first)
	want := readFile(t, filepath.Join(c.Dir, lastFile))
	state := fmt.Sprintf(stateFormat, 0)
	for name, die := range map[string]func(dir string) error{
		"before the log": func(dir string) error { return os.Remove(filepath.Join(dir, logFile)) },
		"after the log":  func(string) error { return nil },
		"in the state":   func(dir string) error { return os.WriteFile(filepath.Join(dir, temporary+state), []byte("ha"), 0o666) },
		"after the state": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, state), []byte(readFile(t, filepath.Join(root, "saved", state))), 0o666)
		},
		"in a line of log": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, logFile), []byte(`{"event":"st`), 0o666)
		},
	} {
		dir := filepath.Join(root, name)
		copyDir(t, started, dir)
		if err := die(dir); err != nil {
			t.Fatal(err)
		}
		m, d := small[float32](t)
		r := c
		r.Dir, r.Resume = dir, true
		if _, err := Fit(context.Background(), m, d, r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if readFile(t, filepath.Join(dir, lastFile)) != want {
			t.Errorf("%s: the run ends with other bits", name)
		}
		for line := range strings.Lines(readFile(t, filepath.Join(dir, logFile))) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: the log has the line %q", name, line)
			}
		}
	}
}

// Data that has changed between stop and resume is an error, whichever set it is.
func TestResumingOnChangedDataIsAnError(t *testing.T) {
	m, d := small[float64](t, plain()...)
	changed := func(example int, target bool) data.Dataset {
		c, err := data.Func(d.Len(), d.Shape(), d.Target(), func(i int, x, y []float64) error {
			if err := d.Read64(x, y, []int{i}); err != nil || i != example {
				return err
			}
			if target {
				y[0] = float64((int(y[0]) + 1) % 3)
			} else {
				x[3] += 1e-12
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	base := Config{Epochs: 1, Val: d, Test: d, Dir: t.TempDir()}
	mustFit(t, m, d, base)
	base.Resume = true
	mustFit(t, m, changed(-1, false), base) // the same numbers from elsewhere
	for _, example := range []int{0, 70, 149} {
		for _, target := range []bool{false, true} {
			bad := changed(example, target)
			for role, try := range map[string]func(c Config) error{
				"training":   func(c Config) error { _, err := Fit(context.Background(), m, bad, c); return err },
				"validation": func(c Config) error { c.Val = bad; _, err := Fit(context.Background(), m, d, c); return err },
				"test":       func(c Config) error { c.Test = bad; _, err := Fit(context.Background(), m, d, c); return err },
			} {
				if err := try(base); err == nil || !strings.Contains(err.Error(), "the "+role+" data is not what it was") {
					t.Errorf("example %d of the %s data changed: error %v", example, role, err)
				}
			}
		}
	}
	without := base
	without.Val = nil
	if _, err := Fit(context.Background(), m, d, without); err == nil || !strings.Contains(err.Error(), "validation") {
		t.Errorf("the validation set is gone: error %v", err)
	}
}

// A large set is known by some of its examples.
func TestFingerprintOfALargeSetIsCheap(t *testing.T) {
	read := 0
	const n = 1 << 20
	d, err := data.Func(n, []int{1000}, data.Target{}, func(i int, x, y []float64) error { read++; x[0] = float64(i); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fingerprint[float32](d); err != nil || read > fingerprintNumbers/1000 || read < fingerprintNumbers/1100 {
		t.Errorf("%d examples of 1000 numbers were read (%v), want about %d", read, err, fingerprintNumbers/1000)
	}
}

// Whatever is changed in the files of a checkpoint, resuming is an error or
// gives the bits that it should, and never a panic.
func TestCorruptCheckpointsAreErrorsOrHarmless(t *testing.T) {
	m, d := small[float32](t)
	c := Config{Epochs: 2, Batch: 75, Val: d, Test: d, Dir: t.TempDir(), Optimizer: parse(t, "adam")}
	ctx, cancel := context.WithCancel(context.Background())
	c.Observers = []Observer{ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok && s.Step == 3 {
			cancel()
		}
		return nil
	})}
	if _, err := Fit(ctx, m, d, c); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c.Observers = nil
	whole := t.TempDir()
	copyDir(t, c.Dir, whole)
	resume := func(dir string) error {
		m, d := small[float32](t)
		r := c
		r.Dir, r.Resume = dir, true
		_, err := Fit(context.Background(), m, d, r)
		return err
	}
	if err := resume(whole); err != nil {
		t.Fatal(err)
	}
	want := readFile(t, filepath.Join(whole, lastFile))
	state := fmt.Sprintf(stateFormat, 3)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 120 {
		name := []string{lastFile, state, configFile, logFile}[i%4]
		dir := t.TempDir()
		copyDir(t, c.Dir, dir)
		b := []byte(readFile(t, filepath.Join(dir, name)))
		switch at := r.IntN(len(b)); i / 4 % 3 {
		case 0:
			b[at] ^= 1 << r.IntN(8)
		case 1:
			b = b[:at]
		case 2:
			b = bytes.Join([][]byte{b[:at], []byte("-9"), b[at:]}, nil)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := resume(dir); err == nil && readFile(t, filepath.Join(dir, lastFile)) != want {
			t.Errorf("%s, change %d: no error, and other bits", name, i)
		}
	}
}

// The state of the run is JSON that a checksum guards; one that is well-formed
// and impossible is an error all the same.
func TestImpossibleStatesAreErrors(t *testing.T) {
	m, d := small[float32](t, plain()...)
	c := Config{Epochs: 3, Batch: 50, Test: d, Dir: t.TempDir()}
	mustFit(t, m, d, c)
	r, err := newRun(m, d, c)
	if err != nil {
		t.Fatal(err)
	}
	good := func() *progress {
		return &progress{Epoch: 1, Batch: 2, Step: 5, Metrics: []float64{0}, Rows: []Row{{Epoch: 1, Train: &Scores{}, Test: &Scores{}}}}
	}
	if err := r.possible(good()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*progress){
		"a negative epoch":  func(p *progress) { p.Epoch, p.Step, p.Rows = -1, -1, nil },
		"a late epoch":      func(p *progress) { p.Epoch, p.Step = 4, 14 },
		"after the end":     func(p *progress) { p.Epoch, p.Step, p.Rows = 3, 11, []Row{p.Rows[0], p.Rows[0], p.Rows[0]} },
		"a negative batch":  func(p *progress) { p.Batch, p.Step = -1, 2 },
		"a late batch":      func(p *progress) { p.Batch, p.Step = 4, 7 },
		"another step":      func(p *progress) { p.Step = 6 },
		"a negative count":  func(p *progress) { p.Examples = -1 },
		"a negative log":    func(p *progress) { p.LogBytes = -1 },
		"another metric":    func(p *progress) { p.Metrics = make([]float64, 2) },
		"a row too few":     func(p *progress) { p.Rows = nil },
		"a row of nothing":  func(p *progress) { p.Rows[0].Train = nil },
		"a row without":     func(p *progress) { p.Rows[0].Test = nil },
		"a row with more":   func(p *progress) { p.Rows[0].Val = &Scores{} },
		"a row out of line": func(p *progress) { p.Rows[0].Epoch = 2 },
	} {
		p := good()
		change(p)
		if r.possible(p) == nil {
			t.Errorf("%s is possible", name)
		}
	}
}
