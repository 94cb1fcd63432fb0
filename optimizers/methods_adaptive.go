package optimizers

// adaptive are the methods that treat every parameter alike, beside SGD and Adam.
func adaptive() []Method {
	return []Method{
		&AdaGrad{}, &RMSProp{}, &AdaDelta{}, &AdaMax{}, &NAdam{}, &RAdam{}, &AdaBelief{}, &Adan{}, &Lion{},
		&AggMo{}, &ASGD{}, &Rprop{}, &Prodigy{}, &ScheduleFreeSGD{}, &ScheduleFreeAdamW{}, &Adafactor{},
	}
}
