//go:build !amd64

package kernel

func updateAsm[T Float](kind updateKind, n int, numbers [maxNumbers]T, slices [maxSlices][]T) bool {
	return false
}
