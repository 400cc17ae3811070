package app

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/usher-id/usher/internal/directory"
)

// appendCheckpoints writes signed checkpoints to the end of their file, a line
// each, and answers when they are on the disk. A last line that a crash has torn is
// ended first, so that it spoils no other.
func appendCheckpoints(path string, list []directory.Checkpoint) (err error) {
	var text bytes.Buffer
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		if len(line) > directory.MaxCheckpointLine {
			return fmt.Errorf("a checkpoint of tenant %s is too long", list[i].Name)
		}
		text.Write(append(line, '\n'))
	}
	_, statErr := os.Stat(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	torn, err := endsTorn(f)
	if err != nil {
		return err
	}
	out := text.Bytes()
	if torn {
		out = append([]byte{'\n'}, out...)
	}
	if _, err := f.Write(out); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		return syncFolder(filepath.Dir(path))
	}
	return nil
}

// endsTorn reports whether a file's last line has no end.
func endsTorn(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return last[0] != '\n', err
}

// syncFolder makes a new name in a folder durable, where the system can.
func syncFolder(path string) error {
	if os.PathSeparator != '/' {
		return nil // Windows keeps names without being asked, and refuses to be
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// checkpointTail is how much of the end of its file a server reads when it starts.
// A tenant that is not in it is signed for once more, which does no harm.
const checkpointTail = 1 << 20

// lastCheckpoints reads the last checkpoint of each tenant, by its id, that a key
// has signed, as far as the end of the file has it.
func lastCheckpoints(path string, key ed25519.PublicKey) (map[string]directory.Checkpoint, error) {
	last := map[string]directory.Checkpoint{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(max(0, info.Size()-checkpointTail), io.SeekStart); err != nil {
		return nil, err
	}
	err = eachLine(f, func(_ int, line []byte) error {
		if c, err := directory.ParseCheckpoint(line); err == nil && c.Verify(key) == nil {
			last[c.TenantID] = c
		}
		return nil
	})
	return last, err
}

// eachLine calls fn with every line that is not empty, without its end. Of a line
// that is longer than a checkpoint can be it gets the beginning.
func eachLine(r io.Reader, fn func(number int, line []byte) error) error {
	in := bufio.NewReaderSize(r, 2*directory.MaxCheckpointLine)
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		kept := bytes.TrimRight(bytes.Clone(line), "\r\n")
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if len(kept) > 0 {
			if err := fn(number, kept); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// checkpointsRead is what the file of checkpoints holds.
type checkpointsRead struct {
	list []directory.Checkpoint // signed by one of the keys
	torn int                    // lines that are none
}

// readCheckpoints reads all checkpoints and verifies their signatures. What is no
// checkpoint a crash may have torn; what is one that no key has signed is an error.
func readCheckpoints(path string, keys []ed25519.PublicKey) (checkpointsRead, error) {
	var read checkpointsRead
	f, err := os.Open(path)
	if err != nil {
		return read, err
	}
	defer f.Close() // only read
	err = eachLine(f, func(number int, line []byte) error {
		c, err := directory.ParseCheckpoint(line)
		if err != nil {
			read.torn++
			return nil
		}
		if err := c.Verify(keys...); err != nil {
			return fmt.Errorf("%s, line %d: the checkpoint of tenant %s at position %d is not to be trusted: %w", path, number, c.Name, c.Position, err)
		}
		read.list = append(read.list, c)
		return nil
	})
	return read, err
}
