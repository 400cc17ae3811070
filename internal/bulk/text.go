package bulk

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// FileError says that a file cannot be read, or not any further. Its text is for the
// person whose file it is.
type FileError struct {
	Line    int64 // of the file, from 1; 0 for the whole
	Message string
}

// Error names the line.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("Line %d: %s", e.Line, e.Message)
}

func unreadable(line int64, format string, args ...any) error {
	return &FileError{Line: line, Message: fmt.Sprintf(format, args...)}
}

// Encodings are the names that ImportOptions.Encoding can have.
func Encodings() []string { return []string{"utf-8", "latin1", "windows-1252"} }

// byteOrderMarks begin a file and say how it is encoded (Unicode 16.0, section
// 23.8). Those of UTF-32 come first, since that of UTF-16 is the beginning of one.
var byteOrderMarks = []struct {
	mark string
	as   encoding.Encoding // nil: UTF-8
	name string            // of one that is not read
}{
	{"\x00\x00\xfe\xff", nil, "UTF-32"},
	{"\xff\xfe\x00\x00", nil, "UTF-32"},
	{"\xef\xbb\xbf", nil, ""},
	{"\xff\xfe", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), ""},
	{"\xfe\xff", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), ""},
}

// named are the encodings of files without a byte order mark.
var named = map[string]encoding.Encoding{"": nil, "utf-8": nil, "latin1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252}

// readBuffer is how many bytes are read at a time.
const readBuffer = 256 << 10

// text is a file as UTF-8.
type text struct {
	*bufio.Reader
	// checked: what is not UTF-8 is a fault of the file. Otherwise it was decoded, and
	// what could not be is U+FFFD.
	checked bool
}

// newText decodes a file by its byte order mark, else as it is said to be encoded,
// else as UTF-8.
func newText(r io.Reader, name string) (*text, error) {
	told, known := named[name]
	if !known {
		return nil, unreadable(0, "There is no encoding %q: use utf-8, latin1 or windows-1252.", name)
	}
	in := bufio.NewReaderSize(r, readBuffer)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	as, marked := told, false
	for _, m := range byteOrderMarks {
		if !marked && bytes.HasPrefix(head, []byte(m.mark)) {
			if m.name != "" {
				return nil, unreadable(1, "The file is encoded as %s; save it as UTF-8.", m.name)
			}
			as, marked = m.as, true
			_, _ = in.Discard(len(m.mark)) // it was read
		}
	}
	if !marked {
		if wide := unmarked(head); wide != nil {
			as = wide
		}
	}
	if as == nil {
		return &text{Reader: in, checked: true}, nil
	}
	return &text{Reader: bufio.NewReaderSize(as.NewDecoder().Reader(in), readBuffer)}, nil
}

// unmarked recognises UTF-16 without a byte order mark by its first letter, which is
// one of ASCII in every file of users.
func unmarked(head []byte) encoding.Encoding {
	if len(head) < 4 {
		return nil
	}
	switch {
	case head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}

// lines reads a file line by line: LF, CR LF or, in a file that has no LF at its
// beginning, CR.
type lines struct {
	in   *text
	end  byte
	line int64 // number of the line that was read last
	long []byte
}

// maxLine is the greatest length of a line, and of a record of CSV, in bytes of
// UTF-8.
const maxLine = 1 << 20

func newLines(r io.Reader, encoding string) (*lines, error) {
	in, err := newText(r, encoding)
	if err != nil {
		return nil, err
	}
	l := &lines{in: in, end: '\n'}
	head, err := in.Peek(readBuffer / 2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		l.end = '\r'
	}
	return l, nil
}

// next returns the next line without its end, good until the next call; tooLong says
// that it is longer than maxLine, and that only its beginning is returned. The error
// is io.EOF, a *FileError, or one of the reader below.
func (l *lines) next() (line []byte, tooLong bool, err error) {
	l.long = l.long[:0]
	for {
		part, err := l.in.ReadSlice(l.end)
		switch {
		case err == bufio.ErrBufferFull:
			if len(l.long) <= maxLine {
				l.long = append(l.long, part...)
			}
			continue
		case err != nil && err != io.EOF:
			return nil, false, err
		case err == io.EOF && len(part) == 0 && len(l.long) == 0:
			return nil, false, io.EOF
		}
		l.line++
		if len(l.long) > 0 {
			l.long = append(l.long, part...)
			part = l.long
		}
		whole := trimEnd(part, l.end)
		if len(whole) > maxLine {
			whole, tooLong = truncated(whole[:maxLine]), true
		}
		if l.in.checked && !utf8.Valid(whole) {
			return nil, false, unreadable(l.line, "The byte %#02x is not UTF-8. Save the file as UTF-8, or name its encoding: latin1 or windows-1252.", firstBad(whole))
		}
		return whole, tooLong, nil
	}
}

// trimEnd takes the end of a line away.
func trimEnd(line []byte, end byte) []byte {
	n := len(line)
	if n > 0 && line[n-1] == end {
		n--
		if end == '\n' && n > 0 && line[n-1] == '\r' {
			n--
		}
	}
	return line[:n]
}

// truncated takes a letter away of which the end is missing.
func truncated(line []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(line); i++ {
		if c := line[len(line)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(line[len(line)-i:]) {
				return line[:len(line)-i]
			}
			break
		}
	}
	return line
}

// firstBad is the first byte that is not UTF-8.
func firstBad(line []byte) byte {
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n <= 1 {
			return line[i]
		}
		i += n
	}
	return 0
}
