//go:build unix

package exec

import (
	"syscall"
	"testing"
	"time"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// TestIdleProgramUsesNoProcessor: the helpers of a program that has run sleep, and
// do so again after each run.
func TestIdleProgramUsesNoProcessor(t *testing.T) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	p := products(t, 1, parallel.New(3))
	for range 3 {
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		const window = 100 * time.Millisecond
		least := time.Hour
		for range 20 { // whatever else the process does, such as to collect garbage, ends
			before := used()
			time.Sleep(window)
			if least = min(least, used()-before); least < window/20 {
				break
			}
		}
		if least >= window/20 {
			t.Fatalf("an idle program uses %v of processor time in %v", least, window)
		}
	}
}
