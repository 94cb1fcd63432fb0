package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// world is a small corpus and everything that a finder may reach, each place counted.
type world struct {
	finder
	corpus
	gz, plain   map[string][]byte // by file name without .gz
	cache, env  string            // the cache directory of the corpus, and $SADDLE_DATA
	moduleCalls atomic.Int32
	moduleDone  atomic.Int32
	moduleDir   string // empty: the module cannot be had
	requests    atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{gz: map[string][]byte{}, plain: map[string][]byte{}}
	w.corpus = corpus{name: "tiny", classes: make([]string, 10), module: "example.com/tiny@v1"}
	for i, shape := range [][]int{{20, 2, 3}, {20}, {10, 2, 3}, {10}} {
		x := make([]uint8, product(shape))
		for k := range x {
			x[k] = uint8(k % 10)
		}
		f := file{name: mnist().files[i].name, shape: shape}
		w.plain[f.name] = idxBytes(t, &IDX{shape, x})
		w.gz[f.name] = gzipped(w.plain[f.name])
		f.plain, f.gz = sumOf(w.plain[f.name]), sumOf(w.gz[f.name])
		w.corpus.files[i] = f
	}
	home := t.TempDir()
	w.cache = filepath.Join(home, "saddle", "tiny")
	w.finder = finder{
		getenv: func(name string) string {
			if name != "SADDLE_DATA" {
				t.Errorf("$%s is looked at", name)
			}
			return w.env
		},
		cacheDir: func() (string, error) { return home, nil },
		module: func(context.Context, string) (string, func(), error) {
			w.moduleCalls.Add(1)
			if w.moduleDir == "" {
				return "", nil, errors.New("module not reachable")
			}
			return w.moduleDir, func() { w.moduleDone.Add(1) }, nil
		},
		client: newClient(),
		stall:  10 * time.Second,
	}
	return w
}

// put writes files of the corpus, compressed or not, to a directory.
func (w *world) put(t *testing.T, dir string, compressed bool, names ...string) string {
	t.Helper()
	if len(names) == 0 {
		for _, f := range w.files {
			names = append(names, f.name)
		}
	}
	for _, name := range names {
		path, content := filepath.Join(dir, name), w.plain[name]
		if compressed {
			path, content = path+".gz", w.gz[name]
		}
		write(t, path, content)
	}
	return dir
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// mirror serves the corpus, with change applied to every file, and returns its URL.
func (w *world) mirror(t *testing.T, change func([]byte) []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		content, ok := w.gz[strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".gz")]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		if change != nil {
			content = change(content)
		}
		_, _ = rw.Write(content)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// get loads the corpus and fails unless it comes whole.
func (w *world) get(t *testing.T, dir string) {
	t.Helper()
	p, err := w.load(t.Context(), w.corpus, dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "tiny" || p.Train.Len() != 20 || p.Test.Len() != 10 || !slices.Equal(p.Train.Shape(), []int{1, 2, 3}) || p.Train.Target().Classes != 10 {
		t.Fatalf("got %+v", p)
	}
	if x := inputs[float64](t, p.Train); x[13] != float64(3)/255 {
		t.Fatalf("pixel 13 is %v", x[13])
	}
}

// asked fails unless the module and the mirrors were asked this often.
func (w *world) asked(t *testing.T, module, mirrors int32) {
	t.Helper()
	if m, r := w.moduleCalls.Load(), w.requests.Load(); m != module || r != mirrors {
		t.Errorf("the module was asked for %d times and the mirrors %d, want %d and %d", m, r, module, mirrors)
	}
}

func (w *world) cached(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(w.cache)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestGivenDirectoryIsReadAndNothingElse(t *testing.T) {
	for name, compressed := range map[string]bool{"gzip": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.get(t, w.put(t, t.TempDir(), compressed))
			dir := t.TempDir()
			w.put(t, filepath.Join(dir, "tiny"), compressed)
			w.get(t, dir)
			w.asked(t, 0, 0)
			if len(w.cached(t)) != 0 {
				t.Errorf("the cache holds %q", w.cached(t))
			}
		})
	}
}

func TestGivenDirectoryTakesDottedNames(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	for name, content := range w.plain {
		write(t, filepath.Join(dir, strings.Replace(name, "-idx", ".idx", 1)), content)
	}
	w.get(t, dir)
}

func TestGivenDirectoryThatLacksFilesIsAnError(t *testing.T) {
	w := newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	w.moduleDir = t.TempDir()
	w.put(t, filepath.Join(w.moduleDir, "data"), true)
	dir := w.put(t, t.TempDir(), true, "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
	_, err := w.load(t.Context(), w.corpus, dir)
	wantError(t, err, "tiny", dir, "lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte", "plain or as .gz", "to have them fetched")
	_, err = w.load(t.Context(), w.corpus, filepath.Join(dir, "nowhere"))
	wantError(t, err, "nowhere", "lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte")
	w.asked(t, 0, 0)
}

func TestGivenDirectoryWithDamagedFilesIsAnError(t *testing.T) {
	w := newWorld(t)
	dir := w.put(t, t.TempDir(), false)
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), w.plain["train-labels-idx1-ubyte"])
	_, err := w.load(t.Context(), w.corpus, dir)
	wantError(t, err, "t10k-labels-idx1-ubyte: 28 bytes with the SHA-256 "+sumOf(w.plain["train-labels-idx1-ubyte"]), w.files[3].plain)
	dir = w.put(t, t.TempDir(), true)
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte.gz"), append(w.gz["t10k-labels-idx1-ubyte"], 0))
	_, err = w.load(t.Context(), w.corpus, dir)
	wantError(t, err, "t10k-labels-idx1-ubyte: ", "SHA-256", w.files[3].gz)
	dir = w.put(t, t.TempDir(), true)
	path := filepath.Join(dir, "t10k-labels-idx1-ubyte.gz")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err = w.load(t.Context(), w.corpus, dir)
	wantError(t, err, "no regular file")
}

func TestEnvironmentDirectoryComesFirst(t *testing.T) {
	for _, sub := range []string{"", "tiny"} {
		w := newWorld(t)
		w.env = t.TempDir()
		w.put(t, filepath.Join(w.env, sub), true)
		w.get(t, "")
		w.asked(t, 0, 0)
		if len(w.cached(t)) != 0 {
			t.Errorf("the cache holds %q", w.cached(t))
		}
	}
}

func TestEnvironmentDirectoryWithoutTheFilesIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.env = t.TempDir()
	w.put(t, w.env, true, "train-images-idx3-ubyte")
	write(t, filepath.Join(w.env, "train-labels-idx1-ubyte"), []byte("of something else"))
	w.put(t, w.cache, false)
	w.get(t, "")
	w.asked(t, 0, 0)
}

func TestModuleFillsTheCache(t *testing.T) {
	w := newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	w.moduleDir = t.TempDir()
	w.put(t, filepath.Join(w.moduleDir, "data"), true)
	w.get(t, "")
	w.asked(t, 1, 0)
	if w.moduleDone.Load() != 1 {
		t.Error("the module's directory is not given back")
	}
	if got := w.cached(t); len(got) != 4 || got[0] != "t10k-images-idx3-ubyte" {
		t.Errorf("the cache holds %q", got)
	}
	for name, want := range w.plain {
		if got := must(os.ReadFile(filepath.Join(w.cache, name))); !bytes.Equal(got, want) {
			t.Errorf("%s in the cache is not the published content", name)
		}
	}
	w.get(t, "")
	w.asked(t, 1, 0)
}

// Unpacking is most of a start: it is done once.
func TestPackedFilesInTheCacheAreKeptUnpacked(t *testing.T) {
	w := newWorld(t)
	w.put(t, w.cache, true)
	w.get(t, "")
	if got := w.cached(t); len(got) != 8 {
		t.Errorf("the cache holds %q", got)
	}
	for name := range w.gz { // no longer needed
		if err := os.Remove(filepath.Join(w.cache, name+".gz")); err != nil {
			t.Fatal(err)
		}
	}
	w.get(t, "")
	w.asked(t, 0, 0)
	// Where the sum of the content is not published, the packed file is what can be checked.
	w = newWorld(t)
	for i := range w.files {
		w.files[i].plain = ""
	}
	w.mirrors = []string{w.mirror(t, nil)}
	w.get(t, "")
	if got := w.cached(t); len(got) != 4 || got[0] != "t10k-images-idx3-ubyte.gz" {
		t.Errorf("the cache holds %q", got)
	}
	w.get(t, "")
	w.asked(t, 1, 4)
}

func TestDamagedCacheIsFetchedAgain(t *testing.T) {
	w := newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	w.put(t, w.cache, false)
	name := "train-images-idx3-ubyte"
	for i, damage := range [][]byte{nil, w.gz[name][:50], w.plain[name][:50], []byte("<html>"), w.plain["t10k-labels-idx1-ubyte"], w.gz["t10k-labels-idx1-ubyte"]} {
		write(t, filepath.Join(w.cache, name), damage)
		w.get(t, "")
		w.asked(t, int32(i+1), int32(i+1)) // the one damaged file alone
		if got := must(os.ReadFile(filepath.Join(w.cache, name))); !bytes.Equal(got, w.plain[name]) {
			t.Error("the damaged file is still in the cache")
		}
	}
	// A packed one that is damaged stands behind the unpacked one that comes for it.
	w = newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	w.put(t, w.cache, true)
	write(t, filepath.Join(w.cache, name+".gz"), []byte("damaged"))
	w.get(t, "")
	w.get(t, "")
	w.asked(t, 1, 1)
}

func TestMirrorsAreTriedInTurn(t *testing.T) {
	w := newWorld(t)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close() // its address refuses connections
	w.mirrors = []string{
		down.URL + "/",
		w.mirror(t, func(b []byte) []byte { return b[:len(b)-1] }),
		w.mirror(t, func([]byte) []byte { return []byte("<html>sign in to continue</html>") }),
		w.mirror(t, nil),
	}
	w.get(t, "")
	w.asked(t, 1, 6) // one bad file is enough to leave a mirror
	w.get(t, "")
	w.asked(t, 1, 6)
}

func TestAFailureNamesEveryPlaceAndTheWayByHand(t *testing.T) {
	w := newWorld(t)
	w.env = t.TempDir()
	write(t, filepath.Join(w.cache, "train-labels-idx1-ubyte.gz"), w.gz["train-labels-idx1-ubyte"])
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	w.mirrors = []string{missing.URL + "/", w.mirror(t, func([]byte) []byte { return nil })}
	_, err := w.load(t.Context(), w.corpus, "")
	wantError(t, err, "tiny: train-images-idx3-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte not found",
		"$SADDLE_DATA: "+w.env+": lacks train-images-idx3-ubyte, train-labels-idx1-ubyte",
		w.cache+": lacks train-images-idx3-ubyte, t10k-images-idx3-ubyte",
		"go mod download example.com/tiny@v1: module not reachable",
		w.mirrors[0]+": train-images-idx3-ubyte.gz: status 404 Not Found",
		w.mirrors[1]+": train-images-idx3-ubyte: 0 bytes with the SHA-256",
		"by hand, put them, plain or as .gz, into "+w.cache+", or into a directory that you pass or set SADDLE_DATA to",
	)
}

func TestFilesOfOneSetMayComeFromManyPlaces(t *testing.T) {
	w := newWorld(t)
	w.env = w.put(t, t.TempDir(), false, "train-images-idx3-ubyte")
	w.put(t, w.cache, true, "train-labels-idx1-ubyte")
	w.moduleDir = t.TempDir()
	w.put(t, filepath.Join(w.moduleDir, "data"), true, "t10k-images-idx3-ubyte")
	w.mirrors = []string{w.mirror(t, nil)}
	w.get(t, "")
	w.asked(t, 1, 1)
}

func TestACacheThatCannotBeUsedIsNoError(t *testing.T) {
	w := newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	w.cacheDir = func() (string, error) { return "", errors.New("no home") }
	w.get(t, "")
	occupied := filepath.Join(t.TempDir(), "occupied")
	write(t, occupied, nil)
	w.cacheDir = func() (string, error) { return occupied, nil }
	w.get(t, "")
	w.asked(t, 2, 8)
	w.cacheDir = func() (string, error) { return "", errors.New("no home") }
	w.mirrors = nil
	_, err := w.load(t.Context(), w.corpus, "")
	wantError(t, err, ".gz, into a directory that you pass")
}

func TestCancelledLoadSaysSo(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.finder.module = func(context.Context, string) (string, func(), error) { cancel(); return "", nil, ctx.Err() }
	w.mirrors = []string{w.mirror(t, nil)}
	_, err := w.load(ctx, w.corpus, "")
	wantError(t, err, "tiny")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.asked(t, 0, 0)
}

func TestLoadsAtOnceShareOneCache(t *testing.T) {
	w := newWorld(t)
	w.mirrors = []string{w.mirror(t, nil)}
	write(t, filepath.Join(w.cache, "train-images-idx3-ubyte.gz"), []byte("damaged"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := w.load(t.Context(), w.corpus, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := w.cached(t); len(got) != 5 { // with the damaged one, which is no longer looked at
		t.Errorf("the cache holds %q", got)
	}
	w.mirrors = nil
	w.get(t, "")
}

func TestPlainFilesWithoutAPublishedSumAreHeldToTheirForm(t *testing.T) {
	w := newWorld(t)
	for i := range w.files {
		w.files[i].plain = ""
	}
	w.get(t, w.put(t, t.TempDir(), false))
	for name, c := range map[string]struct {
		x    *IDX
		says string
	}{
		"shape":   {&IDX{[]int{10, 1}, make([]uint8, 10)}, "shape [10 1], the published file has [10]"},
		"balance": {&IDX{[]int{10}, []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 8}}, "2 labels of class 8, the published file has 1 of each"},
		"type":    {&IDX{[]int{10}, make([]int8, 10)}, "labels []int8"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := w.put(t, t.TempDir(), false)
			write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), idxBytes(t, c.x))
			_, err := w.load(t.Context(), w.corpus, dir)
			wantError(t, err, c.says)
		})
	}
}
