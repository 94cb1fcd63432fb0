//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/saddle-ml/saddle/internal/cli"
)

// terminal is a pseudo terminal of so many columns: what a program writes to the
// file, the controller reads, and what that writes are keys.
func terminal(t *testing.T, columns uint16) (controller, file *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { controller.Close() })
	ioctl := func(request uintptr, value unsafe.Pointer) {
		t.Helper()
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, controller.Fd(), request, uintptr(value)); e != 0 {
			t.Fatal(e)
		}
	}
	var unlocked, number int32
	ioctl(syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(syscall.TIOCGPTN, unsafe.Pointer(&number))
	ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&[4]uint16{40, columns}))
	if file, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return controller, file
}

// onTerminal runs the command on a terminal and presses keys when the screen
// shows a text for the first time.
func onTerminal(t *testing.T, dir string, columns uint16, when, keys string, args ...string) (code int, screen string) {
	t.Helper()
	controller, file := terminal(t, columns)
	c := exec.Command(binary, args...)
	c.Dir = dir
	c.Stdin, c.Stdout, c.Stderr = file, file, file
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	var shown strings.Builder
	read := make(chan error, 1)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := controller.Read(b) // EIO when the last writer has gone
			shown.Write(b[:n])
			if keys != "" && strings.Contains(shown.String(), when) {
				if _, err := io.WriteString(controller, keys); err != nil {
					read <- err
					return
				}
				keys = ""
			}
			if err != nil {
				read <- nil
				return
			}
		}
	}()
	select {
	case err := <-read:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		_ = c.Process.Kill()
		t.Fatal("the command does not end")
	}
	_ = c.Wait() // the status tells
	return c.ProcessState.ExitCode(), shown.String()
}

// final is what the screen shows when all is drawn.
func final(t *testing.T, text string) []string {
	t.Helper()
	var rows []string
	var row []rune
	at := 0
	for _, c := range text {
		switch {
		case c == '\r':
			at = 0
		case c == '\n':
			rows, row, at = append(rows, strings.TrimRight(string(row), " ")), nil, 0
		case c < ' ':
			t.Fatalf("control character %q", c)
		default:
			if at == len(row) {
				row = append(row, 0)
			}
			row[at] = c
			at++
		}
	}
	return append(rows, strings.TrimRight(string(row), " "))
}

func TestTerminalShowsABarAndKeepsTheLines(t *testing.T) {
	code, text := onTerminal(t, t.TempDir(), 80, "", "", "-data", "blobs", "-epochs", "2", "-out", "run")
	if code != cli.ExitDone {
		t.Fatalf("status %d:\n%s", code, text)
	}
	for _, want := range []string{"\repoch 1/2   0% │", "epoch 2/2  loss ", "accuracy ", "/s  ", " left ", "100% │━"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	rows := final(t, text)
	for i, want := range []string{"epoch 1/2  train loss ", "epoch 2/2  train loss ", "test accuracy ", "saved in run", ""} {
		if row := rows[len(rows)-5+i]; !strings.HasPrefix(row, want) || strings.Contains(row, "│") {
			t.Errorf("row %d from the end is %q, want it to begin with %q", 5-i, row, want)
		}
	}
	if _, text := onTerminal(t, t.TempDir(), 80, "", "", "-data", "blobs", "-epochs", "1", "-quiet"); strings.Contains(text, "epoch 1/") {
		t.Errorf("-quiet shows %q", text)
	}
}

// Ctrl-C is a key of a terminal.
func TestCtrlCOnATerminal(t *testing.T) {
	dir := t.TempDir()
	code, text := onTerminal(t, dir, 100, "epoch 2/", "\x03", "-data", "blobs", "-epochs", "1000", "-out", "run")
	rows := final(t, strings.ReplaceAll(text, "^C", ""))
	if code != cli.ExitInterrupted || !strings.Contains(text, "interrupt again to stop at once") || rows[len(rows)-2] != "train: interrupted" || !strings.HasPrefix(rows[len(rows)-3], "saved; resume with: ") {
		t.Errorf("status %d:\n%q", code, rows)
	}
}
