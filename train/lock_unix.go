//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package train

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file for this process alone, until it is closed or the process
// ends in any way. A file system that knows no locks gives none, and no error.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		}
		return nil
	}
}
