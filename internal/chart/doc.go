// Package chart draws line charts as PNG and SVG: a thin layer over
// gonum.org/v1/plot that chooses distinguishable colours, puts the legend beside
// the data where it fits, and leaves out what an axis cannot show.
//
//	err := chart.Chart{
//		Title: "training loss", X: chart.Axis{Label: "epoch"}, Y: chart.Axis{Label: "loss", Log: true},
//		Series: []chart.Series{{Name: "adam", X: epochs, Y: losses, Low: lowest, High: highest}},
//	}.Save("loss") // loss.png and loss.svg
//
// Several charts in rows, with one legend for all, are a Grid.
package chart
