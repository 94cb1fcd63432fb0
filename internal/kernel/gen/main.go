// Gen writes the assembly of package kernel: run it in that package's folder by
// go generate.
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, part := range []struct {
		name string
		isa  isa
		gen  func(*file)
	}{
		{"gemm", avx2, gemm},
		{"gemm", avx512, gemm},
		{"pack", avx2, pack},
		{"pack", avx512, packWide},
		{"pool", avx2, pooling},
		{"pool", avx512, pooling},
		{"depthwise", avx2, depthwise},
		{"depthwise", avx512, depthwise},
		{"winograd", avx2, winograd},
		{"winograd", avx512, winograd},
		{"sparse", avx2, sparse},
		{"sparse", avx512, sparse},
		{"map", avx2, maps},
		{"map", avx512, maps},
		{"reduce", avx2, reductions},
		{"reduce", avx512, reductions},
		{"update", avx2, updates},
		{"update", avx512, updates},
		{"random", avx2, philox},
		{"random", avx512, philox},
		{"gather", avx2, gathers},
		{"gather", avx512, gathers},
	} {
		f := newFile(part.isa)
		part.gen(f)
		if err := f.write(part.name); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
	if err := writeUpdates(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
