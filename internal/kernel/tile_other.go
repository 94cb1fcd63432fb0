//go:build !amd64

package kernel

func tileOf[T Float]() tileShape { return goTile }

func tilesAsm[T Float](*block, rowsAhead, int, int, int, []T, []T, []T, bool) {}
