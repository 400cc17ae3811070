package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal: what is written to the keyboard is
// read from the terminal, and what the terminal shows is read from the
// keyboard's side.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetUint32(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// typed runs readPassword on a terminal at which somebody answers each prompt.
func typed(t *testing.T, answers ...string) (string, error) {
	t.Helper()
	keyboard, terminal := openTerminal(t)
	prompts, writer := io.Pipe()
	p := &program{stdin: terminal, stderr: writer}
	shown := make(chan string, 1)
	go func() {
		seen, reader := "", bufio.NewReader(prompts)
		for _, answer := range answers {
			prompt, err := reader.ReadString(':')
			if err != nil {
				break
			}
			if seen += prompt; echoes(t, terminal) {
				seen += "[the terminal echoes]"
			}
			_, _ = io.WriteString(keyboard, answer)
		}
		rest, _ := io.ReadAll(reader)
		shown <- seen + string(rest)
	}()
	password, err := p.readPassword(t.Context())
	writer.Close()
	if got := <-shown; !strings.HasPrefix(got, "New password:") || strings.Contains(got, "echoes") || password != "" && strings.Contains(got, password) {
		t.Errorf("the person saw %q", got)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal does not echo afterwards")
	}
	return password, err
}

// At a terminal the password is asked for twice and never shown.
func TestPasswordFromATerminal(t *testing.T) {
	if got, err := typed(t, goodPassword+"\n", goodPassword+"\r"); err != nil || got != goodPassword {
		t.Errorf("got %q, %v", got, err)
	}
	for want, answers := range map[string][]string{
		"the two passwords differ": {goodPassword + "\n", goodPassword + ".\n"},
		"no password was given":    {"\n"},
	} {
		if _, err := typed(t, answers...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("typed %q: error %v, want %s", answers, err, want)
		}
	}
	// Ctrl-D at the prompts.
	for _, answers := range [][]string{{"\x04"}, {goodPassword + "\n", "\x04"}} {
		if _, err := typed(t, answers...); err == nil || !strings.Contains(err.Error(), "no password was given") {
			t.Errorf("typed %q: error %v", answers, err)
		}
	}
}

// An interrupt at the prompt brings the echo back.
func TestPasswordInterrupted(t *testing.T) {
	_, terminal := openTerminal(t)
	prompts, writer := io.Pipe()
	ctx, interrupt := context.WithCancel(t.Context())
	p := &program{stdin: terminal, stderr: writer}
	ended := make(chan error, 1)
	go func() {
		_, err := p.readPassword(ctx)
		ended <- err
	}()
	if _, err := bufio.NewReader(prompts).ReadString(':'); err != nil {
		t.Fatal(err)
	}
	interrupt()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v, want interrupted", err)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal does not echo afterwards")
	}
}
