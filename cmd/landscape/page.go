package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
)

//go:embed surface.html
var surfaceTemplate string

// surfacePage is the surface as one page that needs no network: it can be turned,
// and says the loss under the pointer.
func surfacePage(r *surfaceResult) ([]byte, error) {
	t, err := template.New("surface").Parse(surfaceTemplate)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Title": "Training loss around the weights of " + r.Made.Run, "Data": template.JS(data)}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
