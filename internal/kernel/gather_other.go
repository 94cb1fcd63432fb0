//go:build !amd64

package kernel

func gatherAsm[T Float](dst []T, src, ahead []byte, t *ByteTable[T]) int { return 0 }

func prefetchRow[T Float](row []T) {}

func prefetchColumns[T Float](x []T, row, rows int) {}
