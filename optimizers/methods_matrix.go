package optimizers

// commonWrappers makes one of each wrapper that is not a schedule.
func commonWrappers() []wrapper {
	return []wrapper{&Clip{}, &Decay{}, &Noise{}, &SAM{}, &Accumulate{}, &Lookahead{}, &EMA{}, &Polyak{}, &SWA{}, &NormTest{}, &GeometricBatch{}}
}

// matrixMethods makes one of each method that treats weights as matrices, or tensors as wholes.
func matrixMethods() []Method {
	return []Method{&Muon{}, &SOAP{}, &Shampoo{}, &LARS{}, &LAMB{}}
}
