package chart_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/internal/chart"
)

func Example() {
	dir, err := os.MkdirTemp("", "chart")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	epochs := []float64{1, 2, 3}
	err = chart.Chart{
		Title: "training loss",
		X:     chart.Axis{Label: "epoch"},
		Y:     chart.Axis{Label: "loss", Log: true},
		Series: []chart.Series{
			{Name: "adam", X: epochs, Y: []float64{0.3, 0.1, 0.05}, Low: []float64{0.28, 0.09, 0.04}, High: []float64{0.32, 0.12, 0.07}},
			{Name: "sgd", X: epochs, Y: []float64{0.5, 0.3, 0.2}, Markers: true},
		},
		Lines: []chart.Line{{Name: "target", At: 0.06}},
	}.Save(filepath.Join(dir, "loss"))
	if err != nil {
		fmt.Println(err)
		return
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		fmt.Println(f.Name())
	}
	fmt.Println(err)
	// Output:
	// loss.png
	// loss.svg
	// <nil>
}
