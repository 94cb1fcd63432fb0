package pages

import "syscall"

const hugepage = 14 // MADV_HUGEPAGE, which package syscall has no name for

// advise asks for large pages, which nothing depends on: a system without them says no.
func advise(b []byte) { _ = syscall.Madvise(b, hugepage) }
