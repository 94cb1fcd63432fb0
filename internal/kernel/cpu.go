package kernel

import (
	"fmt"
	"os"
)

// Level is a set of kernels for one kind of processor.
type Level uint8

// The levels, each including the ones before it.
const (
	Generic Level = iota // plain Go
	AVX2                 // with FMA
	AVX512               // F, DQ, BW and VL
)

var levelNames = [...]string{"generic", "avx2", "avx512"}

func (l Level) String() string { return levelNames[l] }

// levelVariable forces a level, for tests.
const levelVariable = "SADDLE_CPU"

// level is the one in use.
var level, levelErr = choose(os.Getenv(levelVariable), detect())

// choose gives the level that a name asks for, of those that the processor has.
func choose(name string, best Level) (Level, error) {
	if name == "" {
		return best, nil
	}
	for l, known := range levelNames {
		if name != known {
			continue
		}
		if Level(l) > best {
			return best, fmt.Errorf("kernel: %s is %q, which this processor does not have; its best is %s", levelVariable, name, best)
		}
		return Level(l), nil
	}
	return best, fmt.Errorf("kernel: %s is %q; allowed are generic, avx2 and avx512", levelVariable, name)
}

// CPU is the level of the kernels in use. It is the best that the processor has,
// or the one that the environment variable SADDLE_CPU names; the error says why
// that could not be.
func CPU() (Level, error) { return level, levelErr }
