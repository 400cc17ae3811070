package pull

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
)

// checkpoint is how far a file is. It is written after each page, once the page is on
// disk.
type checkpoint struct {
	Name  string           `json:"name"` // Options.Name
	Next  string           `json:"next"` // where the next page is
	Bytes int64            `json:"bytes"`
	Users int64            `json:"users"`
	Total int64            `json:"total,omitempty"`
	Pages int64            `json:"pages"`
	First int64            `json:"first,omitempty"` // pages that there were when all had been read once
	Again bool             `json:"again,omitempty"` // all are read a second time
	Left  map[string]int64 `json:"left,omitempty"`
	Done  bool             `json:"done"`
}

// spool is a file of records that grows by whole pages.
type spool struct {
	file *os.File
	path string
	at   checkpoint
	seen map[[16]byte]struct{} // who is in the file: 16 bytes each
	// counted says that Total are all users there are, so that fewer are too few.
	counted bool
}

// checkpointOf is the name of the note beside a file.
func checkpointOf(path string) string { return path + ".checkpoint" }

// Remove removes a file and what is beside it.
func Remove(path string) error {
	err := os.Remove(path)
	if gone := os.Remove(checkpointOf(path)); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// State is how far an earlier reading into a file came: nothing where there is none.
func State(path string) (users int64, done bool) {
	var at checkpoint
	note, err := os.ReadFile(checkpointOf(path))
	if err != nil || json.Unmarshal(note, &at) != nil {
		return 0, false
	}
	return at.Users, at.Done
}

// RemoveNote removes what is beside a file that is whole.
func RemoveNote(path string) error { return os.Remove(checkpointOf(path)) }

// errInUse is a file that another process reads into.
var errInUse = errors.New("another process reads into this file")

// openSpool opens a file, or makes it: only its owner can read it, since it is full of
// people. What was written after the last whole page is cut off.
func openSpool(path, name string) (_ *spool, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
		}
	}()
	ok, err := lock(file)
	if err == nil && !ok {
		err = errInUse
	}
	if err != nil {
		return nil, err
	}
	s := &spool{file: file, path: path, seen: map[[16]byte]struct{}{}}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	note, err := os.ReadFile(checkpointOf(path))
	switch {
	case errors.Is(err, fs.ErrNotExist) && info.Size() == 0:
		s.at.Name = name
		return s, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is a file of this name already, which was not begun by this command; remove it, or name another one")
	case err != nil:
		return nil, err
	}
	if err = json.Unmarshal(note, &s.at); err != nil {
		return nil, fmt.Errorf("the note beside it, %s: %w", checkpointOf(path), err)
	}
	switch {
	case s.at.Name != name:
		return nil, fmt.Errorf("it was begun for something else (%s); name another file, or remove it and %s", s.at.Name, filepath.Base(checkpointOf(path)))
	case s.at.Bytes > info.Size():
		return nil, fmt.Errorf("it is shorter than what was written to it; remove it and %s to begin again", filepath.Base(checkpointOf(path)))
	}
	if err = file.Truncate(s.at.Bytes); err == nil {
		err = s.index()
	}
	return s, err
}

// index reads who is in the file, and stands at its end.
func (s *spool) index() error {
	if s.at.Done {
		return nil
	}
	lines := bufio.NewScanner(s.file)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		var r directory.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a line is no record: %w", err)
		}
		s.seen[keyOf(&r)] = struct{}{}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	_, err := s.file.Seek(0, io.SeekEnd)
	return err
}

// maxLine bounds a record in bytes: an answer that it comes from is no larger.
const maxLine = DefaultMaxBody

// keyOf is by what a user is known again: the first of id, number, user name and
// address that the record has.
func keyOf(r *directory.Record) [16]byte {
	key := ""
	switch {
	case r.ID != nil:
		key = "id:" + *r.ID
	case r.Number != nil:
		key = "number:" + strconv.FormatInt(*r.Number, 10)
	case r.UserName != nil:
		key = "name:" + *r.UserName
	case r.Email != nil:
		key = "email:" + *r.Email
	}
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}

// missing is how many users are said to be there beyond those in the file.
func (s *spool) missing() int64 {
	if !s.counted {
		return 0
	}
	return max(0, s.at.Total-s.at.Users)
}

// add adds a page and its note, both on disk when it returns, and says how many of
// its users were new.
func (s *spool) add(page *directory.RecordPage, without []string) (fresh int64, err error) {
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	out.SetEscapeHTML(false)
	for i := range page.Records {
		r := &page.Records[i]
		key := keyOf(r)
		if _, known := s.seen[key]; known {
			continue
		}
		s.seen[key] = struct{}{}
		if err := encode(out, r, without); err != nil {
			return 0, err
		}
		fresh++
	}
	if lines.Len() > 0 {
		if _, err := s.file.Write(lines.Bytes()); err != nil {
			return 0, err
		}
		if err := s.file.Sync(); err != nil {
			return 0, err
		}
	}
	at := s.at
	at.Bytes += int64(lines.Len())
	at.Users += fresh
	at.Pages++
	at.Next, at.Total = page.Next, max(page.Total, 0)
	if !at.Again { // the second time all is there already
		at.Left = sum(at.Left, page.Left)
	}
	if at.Next == "" {
		s.at = at
		at.Done = at.Again || s.missing() == 0
		at.Again, at.First = true, at.Pages
	}
	s.at = at
	return fresh, s.note()
}

// maxLeft bounds what is told of what was left out.
const maxLeft = 100

func sum(all, more map[string]int64) map[string]int64 {
	out := make(map[string]int64, len(all)+len(more))
	for _, counts := range []map[string]int64{all, more} {
		for what, n := range counts {
			if _, known := out[what]; known || len(out) < maxLeft {
				out[what] += n
			}
		}
	}
	return out
}

// encode writes a record without some of its members.
func encode(out *json.Encoder, r *directory.Record, without []string) error {
	if len(without) == 0 {
		return out.Encode(r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	for _, name := range without {
		delete(members, name)
	}
	return out.Encode(members)
}

// note writes the checkpoint: a new file in the place of the old one, so that there is
// a whole one at any time.
func (s *spool) note() error {
	text, err := json.Marshal(&s.at)
	if err != nil {
		return err
	}
	path := checkpointOf(s.path)
	next, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = next.Write(append(text, '\n'))
	if err == nil {
		err = next.Sync()
	}
	if err = errors.Join(err, next.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (s *spool) close() error { return s.file.Close() }
