package chart

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func bowl(n int) Surface {
	s := Surface{Title: "A bowl", X: Axis{Label: "first direction"}, Y: Axis{Label: "second direction"}, Label: "loss"}
	for i := range n {
		s.XS = append(s.XS, 2*float64(i)/float64(n-1)-1)
	}
	s.YS = s.XS
	for _, x := range s.XS {
		for _, y := range s.YS {
			s.Z = append(s.Z, 0.01+x*x+3*y*y)
		}
	}
	return s
}

func TestSurfacesAreDrawn(t *testing.T) {
	dir := t.TempDir()
	for name, change := range map[string]func(*Surface){
		"plain": func(*Surface) {},
		"log":   func(s *Surface) { s.Log = true },
		"holes": func(s *Surface) { s.Z[5], s.Z[17], s.Z[40] = math.NaN(), math.Inf(1), -1; s.Log = true },
		"constant": func(s *Surface) {
			for i := range s.Z {
				s.Z[i] = 2
			}
		},
		"path": func(s *Surface) {
			s.Series = []Series{{Name: "training", X: []float64{-0.5, 0, 0.5}, Y: []float64{-0.2, 0.1, 0.4}, Markers: true}}
		},
	} {
		s := bowl(9)
		change(&s)
		if err := s.SaveMap(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Save3D(filepath.Join(dir, name+"-3d")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, file := range []string{name, name + "-3d"} {
			b, err := os.ReadFile(filepath.Join(dir, file+".png"))
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			colors := map[[3]uint32]bool{}
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					r, g, b, _ := img.At(x, y).RGBA()
					colors[[3]uint32{r, g, b}] = true
				}
			}
			if len(colors) < 50 {
				t.Errorf("%s has %d colours", file, len(colors))
			}
		}
	}
	wrong := bowl(4)
	wrong.Z = wrong.Z[1:]
	if err := wrong.SaveMap(filepath.Join(dir, "wrong")); err == nil {
		t.Error("a value too few is accepted")
	}
	none := bowl(3)
	for i := range none.Z {
		none.Z[i] = math.NaN()
	}
	if err := none.Save3D(filepath.Join(dir, "none")); err == nil {
		t.Error("a surface without values is drawn")
	}
}

// A slope is turned so that its low side is the nearest, which the corner at 1, -1 is;
// a bowl stays.
func TestSurfacesTurnTheirLowSideToTheReader(t *testing.T) {
	for want, rise := range [][2]float64{{-1, 1}, {1, 1}, {1, -1}, {-1, -1}} { // the lowest corner is where they are -1
		s := bowl(5)
		for i, x := range s.XS {
			for j, y := range s.YS {
				s.Z[i*len(s.YS)+j] = rise[0]*x + rise[1]*y
			}
		}
		if got := s.quarters(); got != want {
			t.Errorf("rising by %v: %d quarter turns, want %d", rise, got, want)
		}
		x, y := turned(-rise[0], -rise[1], s.quarters())
		if x != 1 || y != -1 {
			t.Errorf("rising by %v: the low corner is at %v, %v", rise, x, y)
		}
	}
	b := bowl(5)
	if got := b.quarters(); got != 0 {
		t.Errorf("a bowl is turned by %d quarters", got)
	}
}
