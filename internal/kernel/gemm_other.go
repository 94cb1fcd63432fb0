//go:build !amd64

package kernel

func tileOf[T Float]() tileShape { return goTile }

func tileAsm[T Float](*Gemm[T], int, int, int, int, []T, []T, int, []T, bool) bool { return false }

func transposeAsm[T Float]([]T, int, []T, int, int) {}
