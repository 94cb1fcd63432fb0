// Package pages makes vectors in large pages of memory. Where vectors are larger than the caches, a pass over them
// spends a good part of its time on looking up pages of 4 KB.
package pages
