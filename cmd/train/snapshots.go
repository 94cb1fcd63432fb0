package main

import (
	"strconv"

	"github.com/saddle-ml/saddle/train"
)

// parseSnapshots reads -snapshots: every=100, epoch, log=20, or some of them with
// commas between.
func parseSnapshots(list string) (s train.Snapshots, err error) {
	return s, readSettings("snapshots", list, []string{"every", "epoch", "log"}, func(key, value string, given bool) (allowed string, err error) {
		switch key {
		case "every":
			s.Every, err = whole(value, 1)
			return "whole numbers from 1 on", err
		case "log":
			s.Log, err = whole(value, 2)
			return "whole numbers from 2 on", err
		}
		if s.Epoch = true; given {
			s.Epoch, err = strconv.ParseBool(value)
		}
		return "true and false", err
	})
}
