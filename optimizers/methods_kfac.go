package optimizers

// kroneckerMethods makes one of each method with Kronecker factors.
func kroneckerMethods() []Method { return []Method{&KFAC{}} }
