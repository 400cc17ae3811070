package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxPasswordInput bounds what is read as a password: far more than any
// password may have, so that the directory says what the limit is.
const maxPasswordInput = 64 << 10

// readPassword reads a new password from standard input: from a terminal twice
// and without an echo, else the whole input but for the line end behind it. An
// interrupt ends the wait and brings the echo back.
func (p *program) readPassword(ctx context.Context) (password string, err error) {
	read := func() (string, error) { return readWhole(p.stdin) }
	if restore, ok := echoOff(p.stdin); ok {
		defer func() { err = errors.Join(err, restore()) }()
		read = p.askPassword
	}
	type result struct {
		text string
		err  error
	}
	// A read of a terminal cannot be interrupted; the process ends soon after.
	got := make(chan result, 1)
	go func() {
		text, err := read()
		got <- result{text, err}
	}()
	select {
	case r := <-got:
		return r.text, r.err
	case <-ctx.Done():
		return "", errors.New("interrupted: the password is as it was")
	}
}

// readWhole reads a password that a program writes.
func readWhole(r io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxPasswordInput+1))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	switch {
	case text == "":
		return "", errors.New("standard input has no password")
	case len(raw) > maxPasswordInput, strings.ContainsAny(text, "\r\n"):
		return "", errors.New("standard input must have one line with the password and nothing else")
	}
	return text, nil
}

// askPassword asks a person twice. What is typed must not be seen: the caller
// has switched the echo off.
func (p *program) askPassword() (string, error) {
	lines := bufio.NewReader(p.stdin)
	ask := func(prompt string) (string, error) {
		fmt.Fprint(p.stderr, prompt)
		line, err := lines.ReadString('\n')
		fmt.Fprintln(p.stderr) // the line end that was typed is not shown either
		if err != nil {
			return "", errors.New("no password was given")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := ask("New password: ")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", errors.New("no password was given")
	}
	second, err := ask("The same again: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ: the password is as it was")
	}
	return first, err
}
