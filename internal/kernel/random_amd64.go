package kernel

// philoxGroup is how many numbers a group of the assembly has; 0 without any.
func philoxGroup() int {
	switch level {
	case AVX512:
		return 32
	case AVX2:
		return 16
	}
	return 0
}

// callPhilox is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callPhilox(args *philoxArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		philoxAVX51232(args)
	case level == AVX512:
		philoxAVX51264(args)
	case size == 4:
		philoxAVX232(args)
	default:
		philoxAVX264(args)
	}
}
