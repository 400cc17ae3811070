package bulk

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/usher-id/usher/internal/directory"
)

// readRows is every row of a CSV file: "line: cells" or "line! fault".
func readRows(t *testing.T, file io.Reader, o directory.ImportOptions) ([]string, error) {
	t.Helper()
	o.Format = directory.BulkCSV
	in, err := newCSV(file, o)
	if err != nil {
		return nil, err
	}
	var list []string
	for {
		r, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return list, err
		case r.fault != "":
			list = append(list, fmt.Sprintf("%d! %s", r.line, r.fault))
		default:
			list = append(list, fmt.Sprintf("%d: %s", r.line, strings.Join(r.cells, "|")))
		}
	}
}

const head = "user_name,email,title\n"

func TestCSV(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"plain":                   {head + "ana,a@x.org,CEO\nbo,,\n", []string{"2: ana|a@x.org|CEO", "3: bo||"}},
		"no line end at the end":  {head + "ana,a,b", []string{"2: ana|a|b"}},
		"CR LF":                   {strings.ReplaceAll(head+"ana,a,b\nbo,c,d\n", "\n", "\r\n"), []string{"2: ana|a|b", "3: bo|c|d"}},
		"CR alone":                {strings.ReplaceAll(head+"ana,a,b\nbo,c,d\n", "\n", "\r"), []string{"2: ana|a|b", "3: bo|c|d"}},
		"byte order mark":         {"\xef\xbb\xbf" + head + "änä,a,b\n", []string{"2: änä|a|b"}},
		"semicolons":              {"user_name;email\nana;\"a;b\"\n", []string{"2: ana|a;b"}},
		"tabs":                    {"user_name\temail\nana\ta,b\n", []string{"2: ana|a,b"}},
		"bars":                    {"user_name|email\nana|x\n", []string{"2: ana|x"}},
		"what Excel says":         {"sep=;\nuser_name;email\nana;x\n", []string{"3: ana|x"}},
		"one column":              {"user_name\nana\n\nbo\n", []string{"2: ana", "4: bo"}},
		"quotes":                  {head + "\"ana\",\"say \"\"hi\"\"\",\"a,b\"\n", []string{`2: ana|say "hi"|a,b`}},
		"an empty quoted cell":    {head + "ana,\"\",\"\"\n", []string{"2: ana||"}},
		"only quotes":             {head + "ana,\"\"\"\",x\n", []string{`2: ana|"|x`}},
		"quotes inside":           {head + "ana,5\" nail,O\"Neil\n", []string{`2: ana|5" nail|O"Neil`}},
		"a cell of several lines": {head + "ana,\"one\ntwo\r\n\nthree\",x\nbo,,\n", []string{"2: ana|one\ntwo\n\nthree|x", "6: bo||"}},
		"blank lines":             {"\n \n" + head + "\n,,\nana,a,b\n\n", []string{"6: ana|a|b"}},
		"too few columns":         {head + "ana,a\nbo,b,c\n", []string{"2! The row has 2 columns, and the header 3.", "3: bo|b|c"}},
		"too many columns":        {head + "ana,a,b,c\nbo,b,c,,\n", []string{"2! The row has 4 columns, and the header 3.", "3: bo|b|c"}},
		"NUL":                     {head + "ana,a\x00,b\nbo,b,c\n", []string{"2! The row has a NUL character.", "3: bo|b|c"}},
		"a quote that is not closed": {head + "ana,\"a,b\nbo,b,c\ncy,d,e\n",
			[]string{"2! " + faultOpen, "3: bo|b|c", "4: cy|d|e"}},
		"a quote that the next one closes": {head + "ana,\"a,b\nbo,b,c\ncy,\"d\",e\ndi,f,g\n",
			[]string{"2! " + faultAfter, "3: bo|b|c", "4: cy|d|e", "5: di|f|g"}},
		"two that are not closed": {head + "ana,\"a,b\nbo,\"b,c\ncy,d,e\n",
			[]string{"2! " + faultAfter, "3! " + faultOpen, "4: cy|d|e"}},
		"something behind a quote": {head + "ana,\"a\"x,b\nbo,b,c\n", []string{"2! " + faultAfter, "3: bo|b|c"}},
		"a long row":               {head + "ana," + strings.Repeat("x", maxLine) + ",b\nbo,b,c\n", []string{"2! " + tooLong, "3: bo|b|c"}},
		"a long row in quotes": {head + "ana,\"" + strings.Repeat("x\n", maxLine/2) + "\nbo,b,c\n",
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.file), iotest.OneByteReader(strings.NewReader(c.file))} {
				got, err := readRows(t, in, directory.ImportOptions{})
				if name == "a long row in quotes" {
					last := got[len(got)-1]
					if err != nil || got[0] != "2! "+faultOpen || !strings.HasSuffix(last, ": bo|b|c") {
						t.Errorf("%v, %v ... %s", err, got[0], last)
					}
					continue
				}
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
			}
		})
	}
}

// What cannot be read at all says where, and in words of which a person can make use.
func TestUnreadableFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		o    directory.ImportOptions
		want string
	}{
		"nothing":              {"", directory.ImportOptions{}, "The file is empty"},
		"only blank lines":     {"\n\n", directory.ImportOptions{}, "The file is empty"},
		"a column twice":       {"email,title,E-mail,EMAIL\n", directory.ImportOptions{}, `Line 1: The columns 1 and 4 are both named "EMAIL".`},
		"no names":             {",,\nana,b,c\n", directory.ImportOptions{}, "Line 1: No column has a name."},
		"a header that breaks": {"\"user_name,email\nana,b\n", directory.ImportOptions{}, "Line 1: The names of the columns cannot be read: " + faultOpen},
		"Latin-1":              {head + "ana,a,b\nbj\xf6rn,a,b\n", directory.ImportOptions{}, "Line 3: The byte 0xf6 is not UTF-8. Save the file as UTF-8, or name its encoding: latin1 or windows-1252."},
		"half a letter":        {head + "ana,a,\xc3", directory.ImportOptions{}, "Line 2: The byte 0xc3 is not UTF-8."},
		"UTF-32":               {"\xff\xfe\x00\x00u\x00\x00\x00", directory.ImportOptions{}, "Line 1: The file is encoded as UTF-32; save it as UTF-8."},
		"no such encoding":     {head, directory.ImportOptions{Encoding: "ebcdic"}, `There is no encoding "ebcdic"`},
		"no such separator":    {head, directory.ImportOptions{Comma: "x"}, `Columns cannot be separated by "x"`},
		"a column that is not there": {head + "ana,a,b\n", directory.ImportOptions{Columns: []directory.ImportColumn{{Header: "Login", Field: "user_name"}}},
			`The file has no column "Login".`},
		"a long header": {strings.Repeat("x", maxLine+1), directory.ImportOptions{}, "Line 1: The line with the names of the columns is longer than"},
		"quotes without end": {head + strings.Repeat("\"\n", 2) + strings.Repeat("a,\"b\n\"x\n", 40_000),
			directory.ImportOptions{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readRows(t, strings.NewReader(c.file), c.o)
			if c.want == "" {
				return // it ends, whatever it says
			}
			var broken *FileError
			if !errors.As(err, &broken) || !strings.HasPrefix(broken.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Lines that go on where the one before is not closed, and leave a quote open too, are
// read again and again; that ends.
func TestQuotesThatAreNeverClosedEnd(t *testing.T) {
	file := head + strings.Repeat("a\",\"b\n", 300_000)
	got, err := readRows(t, strings.NewReader(file), directory.ImportOptions{})
	var broken *FileError
	if !errors.As(err, &broken) || broken.Message != "Too many quotes are not closed." || broken.Line < 2 {
		t.Errorf("%v behind %d rows", err, len(got))
	}
}

// The file may be in any encoding that says what it is, or that somebody names.
func TestEncodings(t *testing.T) {
	const file = "user_name,email,title\r\nbjörn,a,„Chef“ €\r\n"
	encode := func(e interface{ String(string) (string, error) }, text string) string {
		out, err := e.String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	little := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()
	big := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder()
	bare := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder()
	bareBig := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder()
	for name, c := range map[string]struct{ file, encoding string }{
		"UTF-16, little end first":                {encode(little, file), ""},
		"UTF-16, big end first":                   {encode(big, file), ""},
		"UTF-16 without a mark":                   {encode(bare, file), ""},
		"UTF-16 without a mark, big end first":    {encode(bareBig, file), ""},
		"windows-1252":                            {encode(charmap.Windows1252.NewEncoder(), file), "windows-1252"},
		"a mark is right, whatever is said of it": {"\xef\xbb\xbf" + file, "latin1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readRows(t, iotest.HalfReader(strings.NewReader(c.file)), directory.ImportOptions{Encoding: c.encoding})
			if diff := cmp.Diff([]string{"2: björn|a|„Chef“ €"}, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	got, err := readRows(t, strings.NewReader("user_name,email\nbj\xf6rn,a\n"), directory.ImportOptions{Encoding: "latin1"})
	if diff := cmp.Diff([]string{"2: björn|a"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = readRows(t, strings.NewReader("user_name,email\na\x81,b\nbo,c\n"), directory.ImportOptions{Encoding: "windows-1252"})
	if diff := cmp.Diff([]string{"2! The row has a character that its encoding does not have.", "3: bo|c"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestGuessFormat(t *testing.T) {
	for head, want := range map[string]directory.BulkFormat{
		"": directory.BulkCSV, "user_name,email\n": directory.BulkCSV, `{"id":1}`: directory.BulkNDJSON, "\xef\xbb\xbf\n {": directory.BulkNDJSON,
		"\xff\xfe{\x00\"\x00": directory.BulkNDJSON, "\xff\xfe\x00\x00": directory.BulkCSV, " \t": directory.BulkCSV,
	} {
		if got := GuessFormat([]byte(head)); got != want {
			t.Errorf("%q: %s, want %s", head, got, want)
		}
	}
}
