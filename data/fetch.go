package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// finder looks for the files of a corpus. Its fields are the outside world, so that tests bring their own.
type finder struct {
	getenv   func(string) string
	cacheDir func() (string, error)
	module   func(ctx context.Context, module string) (dir string, done func(), err error)
	client   *http.Client
	stall    time.Duration // a download that brings nothing for so long has failed
}

func newFinder() *finder {
	return &finder{getenv: os.Getenv, cacheDir: os.UserCacheDir, module: goModule, client: newClient(), stall: 30 * time.Second}
}

// place is one place to look for files in.
type place struct {
	name string
	// read returns the raw bytes of a file, plain or compressed.
	read func(ctx context.Context, f file) (raw []byte, err error)
	// remote places are left after the first failure, and what they give is kept in the cache.
	remote bool
	// cache is the place where files are kept; one that is packed there is kept unpacked as well.
	cache bool
}

// load tries one place after another until it has all four files.
func (f *finder) load(ctx context.Context, c corpus, dir string) (*Pair, error) {
	var got [4]*IDX
	if dir != "" {
		if missing, err := f.try(ctx, c, local(dir, c.name), &got); len(missing) > 0 {
			return nil, fmt.Errorf("data: %s: %w; it must hold %s, each plain or as .gz (give no directory to have them fetched)",
				c.name, err, strings.Join(missing, ", "))
		}
		return c.pair(got)
	}
	defer f.client.CloseIdleConnections()
	places, cache := f.places(c)
	var missing []string
	var tried []error
	for _, p := range places {
		var err error
		if missing, err = f.try(ctx, c, p, &got); len(missing) == 0 {
			return c.pair(got)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("data: %s: %w", c.name, ctx.Err())
		}
		tried = append(tried, err)
	}
	where := "a directory that you pass or set SADDLE_DATA to"
	if cache != "" {
		where = cache + ", or into " + where
	}
	return nil, fmt.Errorf("data: %s: %s not found:\n%w\nto do it by hand, put them, plain or as .gz, into %s",
		c.name, strings.Join(missing, ", "), errors.Join(tried...), where)
}

// try takes what got lacks from one place, and returns the names still missing with the reason.
func (f *finder) try(ctx context.Context, c corpus, p place, got *[4]*IDX) (missing []string, err error) {
	var absent []string
	var failed []error
	for i, file := range c.files {
		if got[i] != nil {
			continue
		}
		missing = append(missing, file.name)
		if p.remote && failed != nil {
			continue
		}
		raw, err := p.read(ctx, file)
		if err == nil {
			if got[i], err = file.check(raw); err == nil {
				missing = missing[:len(missing)-1]
				if p.remote || p.cache && file.plain != "" && bytes.HasPrefix(raw, gzipMagic) {
					f.keep(c, file, raw, got[i])
				}
				continue
			}
			err = fmt.Errorf("%s: %w", file.name, err)
		}
		if errors.Is(err, fs.ErrNotExist) && !p.remote {
			absent = append(absent, file.name)
			continue
		}
		failed = append(failed, err)
	}
	if absent != nil {
		failed = append(failed, fmt.Errorf("lacks %s", strings.Join(absent, ", ")))
	}
	if failed != nil {
		err = fmt.Errorf("%s: %w", p.name, errors.Join(failed...))
	}
	return missing, err
}

// places lists where to look without a directory given, and the cache directory.
func (f *finder) places(c corpus) (places []place, cache string) {
	if root := f.getenv("SADDLE_DATA"); root != "" {
		p := local(root, c.name)
		p.name = "$SADDLE_DATA: " + p.name
		places = append(places, p)
	}
	if dir, err := f.cacheDir(); err == nil {
		cache = filepath.Join(dir, "saddle", c.name)
		p := local(cache, "")
		p.cache = true
		places = append(places, p)
	}
	if c.module != "" {
		places = append(places, f.fromModule(c))
	}
	for _, m := range c.mirrors {
		places = append(places, f.fromMirror(m))
	}
	return places, cache
}

// maxFile bounds what is read of one file: the largest published one has 47 MB.
const maxFile = 64 << 20

// local is a directory, or its subfolder of that name if there is one.
func local(dir, sub string) place {
	if sub != "" {
		if s, err := os.Stat(filepath.Join(dir, sub)); err == nil && s.IsDir() {
			dir = filepath.Join(dir, sub)
		}
	}
	return place{name: dir, read: func(_ context.Context, f file) ([]byte, error) {
		dotted := strings.Replace(f.name, "-idx", ".idx", 1) // the spelling of some archives
		for _, name := range []string{f.name, f.name + ".gz", dotted, dotted + ".gz"} {
			raw, err := readFile(filepath.Join(dir, name))
			if !errors.Is(err, fs.ErrNotExist) {
				return raw, err
			}
		}
		return nil, fmt.Errorf("%s: %w", f.name, fs.ErrNotExist)
	}}
}

// readFile reads a file that is not much larger than it may be.
func readFile(path string) ([]byte, error) {
	s, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !s.Mode().IsRegular() || s.Size() > maxFile {
		return nil, fmt.Errorf("%s is no regular file of at most %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}
