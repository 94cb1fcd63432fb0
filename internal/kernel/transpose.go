package kernel

// Transpose writes src, rows rows of cols elements at a stride, to dst as cols
// rows of rows elements: dst[j*dstRow+i] = src[i*srcRow+j].
func Transpose[T Float](dst []T, dstRow int, src []T, srcRow, rows, cols int) {
	// Some rows of dst at a time, which the first-level cache holds until they are whole.
	const most = 128
	for ; cols > most+most/2; cols -= most {
		transposeSome(dst, dstRow, src, srcRow, rows, most)
		dst, src = dst[most*dstRow:], src[most:]
	}
	transposeSome(dst, dstRow, src, srcRow, rows, cols)
}

func transposeSome[T Float](dst []T, dstRow int, src []T, srcRow, rows, cols int) {
	i := 0
	if size := sizeof[T](); level == AVX512 {
		wide, few := 64/size, 16/size
		whole := cols / few * few
		for ; whole > 0 && i+wide <= rows; i += wide {
			transposeWide(dst[i:], dstRow, src[i*srcRow:], srcRow, whole/few)
			if whole < cols {
				transposeGo(dst[whole*dstRow+i:], dstRow, src[i*srcRow+whole:], srcRow, wide, cols-whole)
			}
		}
	}
	step, asm := 32/sizeof[T](), level >= AVX2
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

// spread writes steps rows of src, srcRow elements apart, to dst cut into tiles as
// equal as can be, the wider ones first: those of a row go to a tile's next step
// elements, which are of 32 bytes or 64, and a tile is tile elements behind another.
func spread[T Float](dst []T, tile, step int, src []T, srcRow, width, tiles, steps int) {
	low := width / tiles
	wide := width - tiles*low
	if wide > 0 {
		spreadAsm(dst, tile, step, src, srcRow, low+1, wide, steps)
		dst, src = dst[wide*tile:], src[wide*(low+1):]
	}
	if wide < tiles {
		spreadAsm(dst, tile, step, src, srcRow, low, tiles-wide, steps)
	}
}

// copyRows copies rows of cols elements, row elements apart in src, to dst one behind the
// other.
func copyRows[T Float](dst, src []T, row, cols, rows int) {
	if copyRowsAsm(dst, src, row, cols, rows) {
		return
	}
	for r := range rows {
		copy(dst[r*cols:][:cols], src[r*row:])
	}
}
