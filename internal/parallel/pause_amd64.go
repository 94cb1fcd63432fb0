package parallel

// pause tells the core that this is a polling loop (about 30 ns on Zen 4).
//
//go:noescape
func pause()
