//go:build !amd64

package kernel

func reduceAsm[T Float, R float64 | int](kind reduceKind, out []R, x, y []T, shift []float64, rows, cols int) bool {
	return false
}

func addRowsAsm[T Float](dst, x []T, rows, row int) bool { return false }

func dotRowsAsm[T Float](out []float64, x []T, row int, y []T, n int) bool { return false }

func squaresAsm[T Float](x []T, row, rows, n int) (sum float64, ok bool) { return 0, false }
