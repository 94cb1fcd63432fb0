// Package spell finds what a misspelled name was likely meant to be.
package spell

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest is the allowed name with the fewest edits from name, or else one of the
// two of which begins the other, as batch and batchsize; "" where none is near.
// Upper and lower case are the same.
func Nearest(name string, allowed []string) string {
	name = strings.ToLower(name)
	// At least one letter has to stay.
	best, least := "", min(max(2, len(name)/3), len(name)-1)+1
	for _, a := range allowed {
		if d := edits(name, strings.ToLower(a)); d < least {
			best, least = a, d
		}
	}
	if best != "" {
		return best
	}
	most := shortestBeginning - 1
	for _, a := range allowed {
		lower := strings.ToLower(a)
		if n := min(len(name), len(a)); n > most && (strings.HasPrefix(name, lower) || strings.HasPrefix(lower, name)) {
			best, most = a, n
		}
	}
	return best
}

// shortestBeginning is how many letters of a name tell it from others.
const shortestBeginning = 3

// Hint ends an error about an unknown name: "; did you mean ...?", or nothing
// where no allowed name is near.
func Hint(name string, allowed []string) string {
	if near := Nearest(name, allowed); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// edits counts the insertions, deletions and replacements of bytes that turn a
// into b (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			replace := last[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, last[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
