package optimizers

// finiteMethods makes one of each method for a mean over a finite training set.
func finiteMethods() []Method {
	return []Method{&SVRG{}, &SAGA{}, &SARAH{}, &STORM{}}
}
