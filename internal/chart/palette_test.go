package chart

import (
	"image/color"
	"math"
	"testing"
)

// How people without one kind of cones see linear RGB (Machado, Oliveira and
// Fernandes 2009, severity 1).
var sights = map[string][3][3]float64{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

func linear(c color.RGBA) (v [3]float64) {
	for i, b := range []uint8{c.R, c.G, c.B} {
		x := float64(b) / 255
		if x <= 0.04045 {
			v[i] = x / 12.92
		} else {
			v[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return v
}

func times(m [3][3]float64, v [3]float64) (w [3]float64) {
	for i := range m {
		for j := range v {
			w[i] += m[i][j] * v[j]
		}
	}
	return w
}

// lab is CIE L*a*b* for the white of sRGB.
func lab(rgb [3]float64) [3]float64 {
	for i := range rgb {
		rgb[i] = min(max(rgb[i], 0), 1)
	}
	xyz := times([3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}, rgb)
	var f [3]float64
	for i, white := range []float64{0.95047, 1, 1.08883} {
		t := xyz[i] / white
		if t > 216.0/24389 {
			f[i] = math.Cbrt(t)
		} else {
			f[i] = (24389.0/27*t + 16) / 116
		}
	}
	return [3]float64{116*f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])}
}

// TestColorsAreToldApart: a difference of 2.3 is just noticeable side by side;
// thin lines need several times that.
func TestColorsAreToldApart(t *testing.T) {
	const least = 15
	for name, m := range sights {
		for i := range Colors {
			for j := range i {
				a, b := lab(times(m, linear(Colors[i]))), lab(times(m, linear(Colors[j])))
				if d := math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2]); d < least {
					t.Errorf("%s: colours %d and %d differ by %.1f, want %d", name, i+1, j+1, d, least)
				}
			}
		}
	}
	for i, c := range Colors {
		v := linear(c)
		luminance := 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2]
		if contrast := 1.05 / (luminance + 0.05); contrast < 2 {
			t.Errorf("colour %d has contrast %.2f on white, want 2", i+1, contrast)
		}
	}
}

func TestStylesDoNotComeAgainTooSoon(t *testing.T) {
	seen := map[string]int{}
	for place := range len(Colors) * len(dashes) {
		st := styleOf(Series{}, place)
		key := string([]byte{st.line.Color.(color.RGBA).R, st.line.Color.(color.RGBA).G, st.line.Color.(color.RGBA).B, byte(len(st.line.Dashes))})
		for _, d := range st.line.Dashes {
			key += string(rune('a' + int(d)))
		}
		if before, ok := seen[key]; ok {
			t.Errorf("series %d looks like series %d", place+1, before+1)
		}
		seen[key] = place
	}
}
