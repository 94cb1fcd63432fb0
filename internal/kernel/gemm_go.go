package kernel

import "unsafe"

func sizeof[T Float]() int { return int(unsafe.Sizeof(T(0))) }

// goTile are the tiles of the version in plain Go: four rows of four columns.
var goTile = tileShape{4, []int{4}}

// tileGo computes a tile of h x w elements, at most 4 x 4.
func tileGo[T Float](h, w, k int, a []T, am Mat, b []T, brow int, c []T, crow int, add bool) {
	var s [4][4]T
	if h == 4 && w == 4 {
		tile4x4(&s, k, a, am, b, brow)
	} else {
		for i := range h {
			for j := range w {
				var x T
				for p := range k {
					x += a[i*am.Row+p*am.Col] * b[p*brow+j]
				}
				s[i][j] = x
			}
		}
	}
	for i := range h {
		row := c[i*crow:][:w]
		for j := range row {
			if add {
				row[j] += s[i][j]
			} else {
				row[j] = s[i][j]
			}
		}
	}
}

func tile4x4[T Float](s *[4][4]T, k int, a []T, am Mat, b []T, brow int) {
	for p := range k {
		x := b[p*brow:][:4]
		b0, b1, b2, b3 := x[0], x[1], x[2], x[3]
		for i := range s {
			v := a[i*am.Row+p*am.Col]
			s[i][0] += v * b0
			s[i][1] += v * b1
			s[i][2] += v * b2
			s[i][3] += v * b3
		}
	}
}

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
