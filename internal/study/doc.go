// Package study runs optimizers on tasks, keeps every run in a directory and tells
// what they have come to: the machinery of comparisons, searches and experiments.
//
// A Job is one run: a task, an optimizer and a seed. Runner.Run trains it, goes on
// with it where it was interrupted, or reads what it came to; a method that
// diverges or fails is an Outcome too. Summaries over seeds, curves against work
// and time and the profile of time to target over tasks are made of Outcomes.
package study
