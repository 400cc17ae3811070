package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
)

// Request is what is sent, once it is written.
type Request struct {
	Method, Path string
	Header       string // whole lines, each with its CRLF: credentials, cookies, Content-Type
	Body         string
}

// Append writes the request to buf, with its length, for a host.
func (r *Request) Append(buf []byte, host string) []byte {
	buf = append(buf, r.Method...)
	buf = append(buf, ' ')
	buf = append(buf, r.Path...)
	buf = append(buf, " HTTP/1.1\r\nHost: "...)
	buf = append(buf, host...)
	buf = append(buf, "\r\nAccept: */*\r\n"...)
	buf = append(buf, r.Header...)
	buf = append(buf, "Content-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(r.Body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, r.Body...)
}

// line is one line of a head.
func line(name, value string) string { return name + ": " + value + "\r\n" }

// answer is one answer as far as a load looks at it.
type answer struct {
	status int
	body   string // of a status over 299, at most maxShown bytes
	closes bool   // the server closes the connection
}

// maxShown is how much of an unexpected answer is kept for the reader.
const maxShown = 500

var (
	lengthHeader     = []byte("content-length")
	transferHeader   = []byte("transfer-encoding")
	connectionHeader = []byte("connection")
)

// readAnswer reads one answer to its end.
func readAnswer(in *bufio.Reader) (a answer, err error) {
	first, err := in.ReadSlice('\n')
	if err != nil || len(first) < 12 {
		return a, orTruncated(err)
	}
	if a.status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return a, fmt.Errorf("status line %.40q: %w", first, err)
	}
	length, chunked := int64(0), false
	for {
		header, err := in.ReadSlice('\n')
		if err != nil {
			return a, orTruncated(err)
		}
		if len(header) <= 2 {
			break
		}
		colon := bytes.IndexByte(header, ':')
		if colon < 0 {
			return a, fmt.Errorf("head has the line %.40q", header)
		}
		switch name, value := header[:colon], bytes.TrimSpace(header[colon+1:]); {
		case bytes.EqualFold(name, lengthHeader):
			size, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil {
				return a, fmt.Errorf("head: %w", err)
			}
			if length = int64(size); length > maxAnswer {
				return a, errLarge
			}
		case bytes.EqualFold(name, transferHeader):
			chunked = true // the only coding that servers use
		case bytes.EqualFold(name, connectionHeader):
			a.closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	if chunked {
		return a, a.readChunks(in)
	}
	return a, a.readBody(in, length)
}

func (a *answer) readBody(in *bufio.Reader, length int64) error {
	if a.status <= 299 {
		_, err := in.Discard(int(length))
		return err
	}
	shown := make([]byte, min(length, maxShown))
	if _, err := io.ReadFull(in, shown); err != nil {
		return err
	}
	a.body = string(shown)
	_, err := in.Discard(int(length) - len(shown))
	return err
}

// readChunks reads a body in chunks, and the empty line behind the last one.
func (a *answer) readChunks(in *bufio.Reader) error {
	body, err := readBounded(httputil.NewChunkedReader(in))
	if err == nil {
		_, err = in.ReadSlice('\n')
	}
	if a.status > 299 {
		a.body = string(body[:min(len(body), maxShown)])
	}
	return err
}

func orTruncated(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
