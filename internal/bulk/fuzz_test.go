package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// readWhole reads a file to its end: every record and every fault has its line, lines
// never fall, and what cannot be read says so as a *FileError.
func readWhole(t *testing.T, file []byte, o directory.ImportOptions) (list []directory.Record) {
	t.Helper()
	var broken *FileError
	in, err := NewReader(bytes.NewReader(file), o)
	if err != nil {
		if !errors.As(err, &broken) || broken.Message == "" {
			t.Fatalf("%v", err)
		}
		return nil
	}
	last := int64(0)
	for {
		r, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return list
		case err != nil && (!errors.As(err, &broken) || broken.Line == 0):
			t.Fatalf("%v", err)
		case err != nil:
			return list
		case r.Line <= last:
			t.Fatalf("line %d behind line %d", r.Line, last)
		}
		for _, f := range r.Faults {
			if f.Field == "" || f.Reason == "" || f.Message == "" {
				t.Fatalf("a fault without words: %+v", f)
			}
		}
		last = r.Line
		list = append(list, r)
	}
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{head + "ana,a@x.org,CEO\n", "\xef\xbb\xbfuser_name;email\r\nana;\"a\"\"\n;b\"\r\n", "user_name\n\"a\n\"b\nc\"\n", "sep=|\nemail|id\n|\n",
		"\xff\xfeu\x00s\x00e\x00r\x00\n\x00a\x00\n\x00", "user_name,email,phones.mobile\nana\n\x00,\x80,\n", "email\r\"\r\r", "a,a\n", "\"\"\"\"\n"} {
		f.Add([]byte(seed), "", "")
		f.Add([]byte(seed), "latin1", ";")
	}
	f.Fuzz(func(t *testing.T, file []byte, encoding, comma string) {
		readWhole(t, file, directory.ImportOptions{Format: directory.BulkCSV, Encoding: encoding, Comma: comma})
	})
}

// What is read without a fault is written as JSON that is read as the same.
func FuzzNDJSON(f *testing.F) {
	for _, seed := range []string{wholeLine, "{}\n\n{\"title\":\"a\\u0000\"}", `{"phones":[{"number":"1"}],"attributes":{"a":{"b":[1,2]}}}`, `{"a":1}`, "\xef\xbb\xbf{\"locked\":true}\r\n[", `{"title":"\ud800"}`,
		`{"valid_from":"2026-01-01T00:00:00+02:00","address":{"set":true},"extras":{"x":null}}`, `{"number":1e3}`, `{"attributes":{"a":"\n"},"picture": [ 1 ]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, r := range readWhole(t, file, directory.ImportOptions{Format: directory.BulkNDJSON}) {
			if len(r.Faults) > 0 {
				continue
			}
			line := AppendRecord(nil, &r)
			if !json.Valid(line) || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("written as %q", line)
			}
			again := decodeRecord(string(line), r.Line)
			if twice := AppendRecord(nil, &again); len(again.Faults) > 0 || !bytes.Equal(line, twice) {
				t.Fatalf("%q is read as %q, %+v", line, twice, again.Faults)
			}
		}
	})
}
