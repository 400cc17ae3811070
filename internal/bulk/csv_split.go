package bulk

import (
	"bytes"
	"strings"
)

// What is wrong with cells.
const (
	faultOpen  = "A quote is not closed."
	faultAfter = "Something follows the closing quote of a cell."
)

// splitter splits a record into its cells, as far as its lines have come.
type splitter struct {
	comma byte
	cells []span
	start int  // of the cell that is looked at
	at    int  // how far it is looked at
	open  bool // it is in quotes
	twice bool // it has doubled quotes
}

// span is where a cell stands.
type span struct {
	from, to int
	twice    bool
}

func (s *splitter) reset() { *s = splitter{comma: s.comma, cells: s.cells[:0]} }

// more looks at what has been appended to a record. The fault is faultOpen when its
// last cell is not closed yet: then it goes on with more of it.
func (s *splitter) more(buf []byte) (fault string) {
	for {
		if !s.open {
			if s.start == len(buf) || buf[s.start] != '"' { // a quote elsewhere is a letter, as spreadsheets have it
				end := bytes.IndexByte(buf[s.start:], s.comma)
				if end < 0 {
					s.cells = append(s.cells, span{s.start, len(buf), false})
					return ""
				}
				s.cells = append(s.cells, span{s.start, s.start + end, false})
				s.start += end + 1
				continue
			}
			s.start++
			s.at, s.open, s.twice = s.start, true, false
		}
		end := bytes.IndexByte(buf[s.at:], '"')
		if end < 0 {
			s.at = len(buf)
			return faultOpen
		}
		end += s.at
		if end+1 < len(buf) && buf[end+1] == '"' {
			s.at, s.twice = end+2, true
			continue
		}
		s.cells = append(s.cells, span{s.start, end, s.twice})
		s.open = false
		switch {
		case end+1 == len(buf):
			return ""
		case buf[end+1] != s.comma:
			return faultAfter
		}
		s.start = end + 2
	}
}

// texts are the cells of a record.
func (s *splitter) texts(buf []byte) []string {
	text := string(buf)
	cells := make([]string, len(s.cells))
	for i, c := range s.cells {
		cells[i] = text[c.from:c.to]
		if c.twice {
			cells[i] = strings.ReplaceAll(cells[i], `""`, `"`)
		}
	}
	return cells
}
