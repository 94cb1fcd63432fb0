package optimizers

// layer is a tensor as LARS and LAMB see it.
type layer struct {
	from, to int
	adapted  bool // its rate follows its norm, and it decays
}

// layersOf lists the tensors; biases and norms are adapted only where all are.
func layersOf(l Layout, all bool) (list []layer) {
	for _, t := range l {
		list = append(list, layer{t.Offset, t.Offset + t.Size(), all || t.Kind == Weight})
	}
	return list
}
