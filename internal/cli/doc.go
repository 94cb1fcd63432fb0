// Package cli is what the commands of this module have in common: exit statuses,
// mistakes of usage told apart from failures, flags whose errors say what is
// allowed, and an end on Ctrl-C that saves.
package cli
