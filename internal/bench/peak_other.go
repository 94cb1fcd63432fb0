//go:build !amd64

package bench

func fmas() (count int) { return 0 }
