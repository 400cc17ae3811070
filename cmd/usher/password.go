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
	read := func() (string, error) { return readWhole(p.stdin, "password") }
	if restore, ok := echoOff(p.stdin); ok {
		defer func() { err = errors.Join(err, restore()) }()
		read = p.askPassword
	}
	return untilDone(ctx, read, "interrupted: the password is as it was")
}

// readKey reads an API key from standard input: from a terminal without an echo, else
// the whole input.
func (p *program) readKey(ctx context.Context) (key string, err error) {
	read := func() (string, error) { return readWhole(p.stdin, "key") }
	if restore, ok := echoOff(p.stdin); ok {
		defer func() { err = errors.Join(err, restore()) }()
		read = func() (string, error) {
			fmt.Fprint(p.stderr, "Key: ")
			line, err := bufio.NewReader(p.stdin).ReadString('\n')
			fmt.Fprintln(p.stderr) // the line end that was typed is not shown either
			if key := strings.TrimSpace(line); err == nil && key != "" {
				return key, nil
			}
			return "", errors.New("no key was given")
		}
	}
	return untilDone(ctx, read, "interrupted: nothing was kept")
}

// untilDone is what read answers, unless ctx ends before. A read of a terminal cannot
// be interrupted; the process ends soon after.
func untilDone(ctx context.Context, read func() (string, error), interrupted string) (string, error) {
	type result struct {
		text string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		text, err := read()
		got <- result{text, err}
	}()
	select {
	case r := <-got:
		return r.text, r.err
	case <-ctx.Done():
		return "", errors.New(interrupted)
	}
}

// readWhole reads a password, or what else, that a program writes.
func readWhole(r io.Reader, what string) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxPasswordInput+1))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	switch {
	case text == "":
		return "", errors.New("standard input has no " + what)
	case len(raw) > maxPasswordInput, strings.ContainsAny(text, "\r\n"):
		return "", errors.New("standard input must have one line with the " + what + " and nothing else")
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
