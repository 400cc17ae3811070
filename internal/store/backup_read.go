package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxBackupValue bounds a value of a backup in bytes: no column has more.
const maxBackupValue = 256 << 20

// backupReader reads records. Whoever uses it has compared the sum of the file
// before, or throws away what was read.
type backupReader struct {
	in   *bufio.Reader
	head backupHead
}

// newBackupReader reads the head of a file of so many bytes.
func newBackupReader(file io.ReadSeeker, size int64) (*backupReader, error) {
	if _, err := file.Seek(int64(len(backupMagic)), io.SeekStart); err != nil {
		return nil, err
	}
	body := io.LimitReader(file, size-int64(len(backupMagic))-sha256.Size)
	zip, err := gzip.NewReader(bufio.NewReaderSize(body, backupBuffer))
	if err != nil {
		return nil, damaged(err)
	}
	r := &backupReader{in: bufio.NewReaderSize(zip, backupBuffer)}
	if kind, err := r.kind(); err != nil || kind != 'h' {
		return nil, damaged(fmt.Errorf("it begins with %q: %w", kind, err))
	}
	return r, r.json(&r.head)
}

func damaged(cause error) error { return fmt.Errorf("%w: %w", ErrDamagedBackup, cause) }

// kind is the letter of the next record.
func (r *backupReader) kind() (byte, error) {
	kind, err := r.in.ReadByte()
	if err != nil {
		return 0, damaged(err)
	}
	return kind, nil
}

func (r *backupReader) json(into any) error {
	text, err := r.bytes()
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return damaged(err)
	}
	return nil
}

// bytes reads a length and so many bytes. A length that lies costs no memory.
func (r *backupReader) bytes() ([]byte, error) {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return nil, damaged(err)
	}
	if n > maxBackupValue {
		return nil, damaged(fmt.Errorf("a value of %d bytes", n))
	}
	if n <= backupBuffer {
		text := make([]byte, n)
		if _, err := io.ReadFull(r.in, text); err != nil {
			return nil, damaged(err)
		}
		return text, nil
	}
	var text bytes.Buffer
	if _, err := io.CopyN(&text, r.in, int64(n)); err != nil {
		return nil, damaged(err)
	}
	return text.Bytes(), nil
}

// row reads the values of a row: nil, int64, string or []byte.
func (r *backupReader) row(values []any) error {
	for i := range values {
		kind, err := r.kind()
		if err != nil {
			return err
		}
		switch kind {
		case 'n':
			values[i] = nil
		case 'i':
			n, err := binary.ReadVarint(r.in)
			if err != nil {
				return damaged(err)
			}
			values[i] = n
		case 's', 'b':
			text, err := r.bytes()
			if err != nil {
				return err
			}
			if values[i] = text; kind == 's' {
				values[i] = string(text)
			}
		default:
			return damaged(fmt.Errorf("a value of kind %q", kind))
		}
	}
	return nil
}

// tables calls each with every table and what reads its next row, which must be
// called until it answers false, and returns the manifest.
func (r *backupReader) tables(ctx context.Context, each func(t *backupTable, next func([]any) (bool, error)) error) (BackupManifest, error) {
	var m BackupManifest
	kind, err := r.kind()
	for err == nil && kind == 't' {
		var t backupTable
		if err = r.json(&t); err != nil {
			break
		}
		err = each(&t, func(values []any) (bool, error) {
			if kind, err = r.kind(); err != nil || kind != 'r' {
				return false, err
			}
			if err := ctx.Err(); err != nil {
				return false, err
			}
			return true, r.row(values)
		})
	}
	if err == nil && kind != 'm' {
		err = damaged(fmt.Errorf("a record of kind %q", kind))
	}
	if err == nil {
		err = r.json(&m)
	}
	return m, err
}

// CheckBackup reads a backup from end to end and says what it holds: its sum, the
// form of every record and the numbers of rows are as they were written. Errors:
// ErrDamagedBackup, or what the file says.
func CheckBackup(ctx context.Context, file io.ReadSeeker) (BackupManifest, error) {
	size, err := checkSum(file)
	if err != nil {
		return BackupManifest{}, err
	}
	r, err := newBackupReader(file, size)
	if err != nil {
		return BackupManifest{}, err
	}
	var counts []BackupCount
	m, err := r.tables(ctx, func(t *backupTable, next func([]any) (bool, error)) error {
		n, values := int64(0), make([]any, len(t.Columns))
		more, err := next(values)
		for ; err == nil && more; more, err = next(values) {
			n++
		}
		counts = append(counts, BackupCount{t.Name, n})
		return err
	})
	if err != nil {
		return m, err
	}
	switch _, err := r.in.ReadByte(); { // the sum of gzip is compared here
	case err == nil:
		return m, damaged(errors.New("it goes on behind its end"))
	case !errors.Is(err, io.EOF):
		return m, damaged(err)
	}
	return m, compareCounts(m.Tables, counts)
}

func compareCounts(want, have []BackupCount) error {
	rows := map[string]int64{}
	for _, t := range have {
		rows[t.Table] = t.Rows
	}
	if len(have) != len(want) {
		return damaged(fmt.Errorf("it has %d tables, not %d", len(have), len(want)))
	}
	for _, t := range want {
		if n, ok := rows[t.Table]; !ok || n != t.Rows {
			return damaged(fmt.Errorf("table %s has %d rows, not %d", t.Table, n, t.Rows))
		}
	}
	return nil
}

// checkSum compares the sum of a file with its end, and returns its size.
func checkSum(file io.ReadSeeker) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, err
	}
	magic := make([]byte, min(size, int64(len(backupMagic))))
	if _, err := io.ReadFull(file, magic); err != nil {
		return 0, err
	}
	switch {
	case string(magic) != backupMagic:
		return 0, damaged(fmt.Errorf("it does not begin as a backup of this program does"))
	case size < int64(len(backupMagic))+sha256.Size:
		return 0, damaged(io.ErrUnexpectedEOF)
	}
	sum, want := sha256.New(), make([]byte, sha256.Size)
	sum.Write(magic)
	if _, err := io.CopyN(sum, file, size-int64(len(backupMagic))-sha256.Size); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(file, want); err != nil {
		return 0, err
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return 0, damaged(fmt.Errorf("its SHA-256 is not the one it ends with: it was cut off or changed"))
	}
	return size, nil
}
