package kernel

import "unsafe"

func sizeof[T Float]() int { return int(unsafe.Sizeof(T(0))) }
