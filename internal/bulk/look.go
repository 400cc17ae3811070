package bulk

import (
	"errors"
	"io"

	"github.com/usher-id/usher/internal/directory"
)

// Look is what the beginning of a CSV file shows to whoever says what its columns are.
type Look struct {
	Comma   string
	Header  []string
	Example []string // of each column: the first cell of the first rows that has anything
}

// exampleRows is how many rows are looked through for examples.
const exampleRows = 50

// LookAt reads the beginning of a CSV file. Errors: *FileError, or of the reader below.
func LookAt(r io.Reader, o directory.ImportOptions) (Look, error) {
	l, err := newLines(r, o.Encoding)
	if err != nil {
		return Look{}, err
	}
	c := &csvRows{lines: l}
	if err := c.readHeader(o.Comma); err != nil {
		return Look{}, err
	}
	look := Look{Comma: string(rune(c.split.comma)), Header: c.header, Example: make([]string, len(c.header))}
	for range exampleRows {
		row, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return look, err
		}
		for i, cell := range row.cells {
			if row.fault == "" && look.Example[i] == "" {
				look.Example[i] = plain(cell)
			}
		}
	}
	return look, nil
}
