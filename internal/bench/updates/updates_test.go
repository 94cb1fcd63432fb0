package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestRun takes steps of everything there is to time.
func TestRun(t *testing.T) {
	names := []string{"copy", "triad", "axpy"}
	for _, m := range methods {
		names = append(names, m.spec)
	}
	for _, name := range names {
		var out strings.Builder
		if err := run([]string{name, "2e4"}, strings.NewReader("1\n2\n"), &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if lines := strings.Fields(out.String()); len(lines) != 4 || lines[0] != "ready" {
			t.Errorf("%s prints %q", name, out.String())
		}
	}
	for _, args := range [][]string{{}, {"adam"}, {"adamm", "1e4"}, {"adam", "12345"}, {"adam", "0"}, {"adam", "x"}} {
		if err := run(args, strings.NewReader(""), &strings.Builder{}); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	if err := run([]string{"adam", "1e4"}, strings.NewReader("none\n"), &strings.Builder{}); err == nil {
		t.Error("a line that is no number was accepted")
	}
}

func BenchmarkMethod(b *testing.B) {
	for _, m := range methods {
		b.Run(m.spec, func(b *testing.B) { sizes(b, m.spec) })
	}
}

func BenchmarkBandwidth(b *testing.B) {
	for _, t := range transfers {
		b.Run(t.name, func(b *testing.B) { sizes(b, t.name) })
	}
}

// sizes goes from what fits into the cache of a large processor to what fits into none.
func sizes(b *testing.B, name string) {
	for _, n := range []int{1e6, 1e8} {
		b.Run(fmt.Sprintf("%.0e", float64(n)), func(b *testing.B) {
			step, streams, err := work(name, n)
			if err != nil {
				b.Fatal(err)
			}
			for range 2 {
				if err := step(); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if err := step(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4*float64(n*streams)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/step")
			b.ReportMetric(0, "ns/op")
		})
	}
}
