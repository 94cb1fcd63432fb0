package data

import (
	"bytes"
	"os"
	"path/filepath"
)

// keep stores a checked file in the user's cache. A cache that cannot be written costs the next run a fetch and
// this one nothing, so failures are passed over: the data is in hand.
func (f *finder) keep(c corpus, file file, raw []byte) {
	dir, err := f.cacheDir()
	if err != nil {
		return
	}
	name := file.name
	if bytes.HasPrefix(raw, gzipMagic) {
		name += ".gz"
	}
	_ = writeFile(filepath.Join(dir, "saddle", c.name, name), raw)
}

// writeFile puts a file in place whole or not at all, whoever else is writing or reading it: it is written under
// a name of its own, synced and renamed.
func writeFile(path string, raw []byte) (err error) {
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
	_, err = tmp.Write(raw)
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
