//go:build !race

package kernel

// raceEnabled makes long tests shorter.
const raceEnabled = false
