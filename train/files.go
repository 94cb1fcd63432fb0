package train

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// NewDir makes the next free directory root/name-1, root/name-2, ... for a run.
func NewDir(root, name string) (string, error) {
	if err := os.MkdirAll(root, 0o777); err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	for n := 1; ; n++ {
		dir := filepath.Join(root, fmt.Sprintf("%s-%d", name, n))
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("train: %w", err)
		}
	}
}

// temporary is how the names of files begin that are still being written.
const temporary = ".partial-"

// writeFile writes a file so that its name holds either what it held or all of
// the new content, whatever happens.
func writeFile(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	// The name is its own: a run's directory has one writer.
	f, err := os.OpenFile(filepath.Join(dir, temporary+filepath.Base(path)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close() // twice does no harm
			os.Remove(f.Name())
			err = fmt.Errorf("train: writing %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes renames in the directory last. Not every system can; then they
// last when it sees fit.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// removePartial removes what a process that was killed left half-written in a
// folder, if there is one.
func removePartial(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporary) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("train: %w", err)
			}
		}
	}
	return nil
}
