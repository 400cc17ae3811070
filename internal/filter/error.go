package filter

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// Kind says what is wrong with a filter or path.
type Kind uint8

// The kinds of errors.
const (
	KindSyntax    Kind = iota + 1 // the text is not of the grammar
	KindAttribute                 // no such attribute, or not with this operator
	KindValue                     // a value that the attribute cannot have
	KindLimit                     // longer, deeper or with more conditions than allowed
)

// Error is the only error of this package for input. The core's reading of it
// is an invalid filter (directory.AsError), so that a door may pass it on.
type Error struct {
	Kind Kind
	// Pos is the byte at which the text is wrong, from 0; of an attribute or
	// value the beginning of its condition.
	Pos     int
	Message string // for people: one sentence, without the position

	placed bool // Pos is set and Message names the attribute
}

// Error is the message with the position, counted from 1 as people count.
func (e *Error) Error() string {
	return e.Message + " (position " + strconv.Itoa(e.Pos+1) + ")"
}

// Unwrap is the error as the core's.
func (e *Error) Unwrap() error {
	return directory.Invalid("filter", directory.ReasonFilterSyntax, "%s", e.Error())
}

// BadValue is the error of an Attribute for a value that it cannot be compared
// with. The text follows the attribute's name: "must be ...".
func BadValue(format string, args ...any) error {
	return &Error{Kind: KindValue, Message: fmt.Sprintf(format, args...)}
}

// BadOperator is the error of an Attribute for an operator that it does not
// have.
func BadOperator(op Op) error {
	return &Error{Kind: KindAttribute, Message: "cannot be filtered with " + op.String() + "."}
}

// place completes an Attribute's error with name and position.
func (e *Error) place(path Path, pos int) *Error {
	if e.placed {
		return e
	}
	return &Error{Kind: e.Kind, Pos: pos, Message: path.String() + " " + e.Message, placed: true}
}

// wrong makes a complete error.
func wrong(kind Kind, pos int, format string, args ...any) *Error {
	return &Error{Kind: kind, Pos: pos, Message: fmt.Sprintf(format, args...), placed: true}
}

// maxQuoted bounds how much of a client's text an error repeats, in bytes.
const maxQuoted = 60

// quote is a client's text for a message.
func quote(text string) string {
	if len(text) > maxQuoted {
		end := maxQuoted
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return strconv.Quote(text)
}
