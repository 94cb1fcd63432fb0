// Package task makes tasks of the words that the command lines share: data and a
// network by name, and an optimizer spelled by flags.
package task
