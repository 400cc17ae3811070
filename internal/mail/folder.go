package mail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Folder writes messages into files instead of sending them, for a server that
// was given no mail server. Messages hold passwords and links: the folder is
// for its owner alone, and so are the files.
type Folder struct {
	dir string
}

// NewFolder makes a Folder over a directory, which the first message makes.
func NewFolder(dir string) *Folder { return &Folder{dir: dir} }

// Prepare makes the directory now, so that a path that cannot be is known
// before the first message.
func (f *Folder) Prepare() error { return os.MkdirAll(f.dir, 0o700) }

// Send writes the message into <time>-<id>.eml. The file appears whole or not
// at all, and a message that is sent twice is written over itself.
func (f *Folder) Send(_ context.Context, m *Message) error {
	if err := f.write(m); err != nil {
		return failed("writing the message into mail_dir", err)
	}
	return nil
}

func (f *Folder) write(m *Message) error {
	if err := f.Prepare(); err != nil {
		return err
	}
	part, err := os.CreateTemp(f.dir, ".*.part") // of mode 0600
	if err != nil {
		return err
	}
	_, err = part.Write(m.Raw)
	// The job forgets the message once this returns: the disk must have it.
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		name := fmt.Sprintf("%s-%s.eml", m.Date.UTC().Format("20060102T150405Z"), m.ID)
		err = os.Rename(part.Name(), filepath.Join(f.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}
