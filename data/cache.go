package data

import (
	"io"
	"os"
	"path/filepath"
)

// keep stores a checked file in the user's cache: unpacked where its content has a published sum, so that the next run
// does not spend most of its start on unpacking. A cache that cannot be written costs the next run a fetch and this one
// nothing, so failures are passed over: the data is in hand.
func (f *finder) keep(c corpus, file file, raw []byte, x *IDX) {
	dir, err := f.cacheDir()
	if err != nil {
		return
	}
	path := filepath.Join(dir, "saddle", c.name, file.name)
	if file.plain != "" {
		_ = writeFile(path, func(w io.Writer) error { return WriteIDX(w, x) })
		return
	}
	_ = writeFile(path+".gz", func(w io.Writer) error { _, err := w.Write(raw); return err })
}

// writeFile puts a file in place whole or not at all, whoever else is writing or reading it: it is written under
// a name of its own, synced and renamed.
func writeFile(path string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	err = write(tmp)
	if err == nil {
		err = tmp.Chmod(0o644) // CreateTemp gives 0600, and the file may be shared
	}
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
