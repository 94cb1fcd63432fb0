package optimizers

// commonWrappers makes one of each wrapper that is not a schedule.
func commonWrappers() []wrapper {
	return []wrapper{&Clip{}, &Decay{}, &Noise{}, &SAM{}, &Accumulate{}, &Lookahead{}, &EMA{}, &Polyak{}, &SWA{}}
}
