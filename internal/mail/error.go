package mail

import (
	"errors"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
)

// Error is why a message did not leave. Its text is fit for a log.
type Error struct {
	// Code is the mail server's answer (RFC 5321, 4.2), or 0 when it gave none.
	Code      int
	text      string
	permanent bool
}

// Error is the text: what was tried and what came of it.
func (e *Error) Error() string { return e.text }

// Permanent reports whether trying again cannot help: the server has refused
// this recipient or this message for good, or there is no way to write it.
func (e *Error) Permanent() bool { return e.permanent }

// permanent makes an error that no repetition can mend.
func permanent(text string) *Error { return &Error{text: text, permanent: true} }

// enhancedCode is a status code of RFC 3463 at the beginning of an answer.
var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// failed makes an error of what went wrong while the client was doing
// something, without the words of the server.
func failed(doing string, err error) *Error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		text := doing + ": the mail server answered " + strconv.Itoa(answer.Code)
		if code := enhancedCode.FindString(answer.Msg); code != "" {
			text += " " + code
		}
		return &Error{Code: answer.Code, text: text}
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return &Error{text: doing + ": the mail server's answer is not SMTP"}
	}
	return &Error{text: doing + ": " + strings.ToValidUTF8(err.Error(), "\uFFFD")}
}

// refusedIf5 is failed for the steps at which the server decides about this
// recipient and this message: there a 5yz answer is final (RFC 5321, 4.2.1).
// At the steps before it is about the settings of one of the two sides, which
// a person can put right while the job waits.
func refusedIf5(doing string, err error) *Error {
	e := failed(doing, err)
	e.permanent = e.Code >= 500
	return e
}
