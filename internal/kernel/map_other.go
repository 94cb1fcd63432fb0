//go:build !amd64

package kernel

func mapAsm[T Float](f Fn, dst, a, b, c []T, p, q float64) bool { return false }

func mapRowsAsm[T Float](f Fn, dst, a, b, c Rows[T], rows, cols int, p, q float64) bool {
	return false
}
