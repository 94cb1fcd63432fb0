package kernel

// Transpose writes src, rows rows of cols elements at a stride, to dst as cols
// rows of rows elements: dst[j*dstRow+i] = src[i*srcRow+j].
func Transpose[T Float](dst []T, dstRow int, src []T, srcRow, rows, cols int) {
	i, step, asm := 0, 32/sizeof[T](), level >= AVX2
	whole := cols / step * step
	for ; asm && whole > 0 && i+step <= rows; i += step {
		transposeAsm(dst[i:], dstRow, src[i*srcRow:], srcRow, whole/step)
		if whole < cols {
			transposeGo(dst[whole*dstRow+i:], dstRow, src[i*srcRow+whole:], srcRow, step, cols-whole)
		}
	}
	if i < rows {
		transposeGo(dst[i:], dstRow, src[i*srcRow:], srcRow, rows-i, cols)
	}
}

func transposeGo[T Float](dst []T, dstRow int, src []T, srcRow, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*srcRow:][:cols] {
			dst[j*dstRow+i] = v
		}
	}
}

// copyColumns writes rows of width elements, of at most 64 bytes, to dst, whose rows
// are dstRow elements apart and have room for 32 or 64 bytes.
func copyColumns[T Float](dst []T, dstRow int, src []T, srcRow, width, rows int) {
	if level >= AVX2 {
		columnsAsm(dst, dstRow, src, srcRow, width, rows)
		return
	}
	for i := range rows {
		copy(dst[i*dstRow:][:width], src[i*srcRow:])
	}
}
