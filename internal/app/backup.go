package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/store"
)

// BackupMade is what a backup came to.
type BackupMade struct {
	Manifest store.BackupManifest `json:"manifest"`
	Bytes    int64                `json:"bytes"` // of the file
	// Missing says what a restored directory needs besides, and where it is now.
	Missing []string `json:"missing"`
}

// Backup writes the database of the settings into a file that only this user may
// read: all of it, read again and found whole, or none. "-" writes to out, where
// nothing can be read again.
func Backup(ctx context.Context, cfg *config.Config, path string, out io.Writer) (BackupMade, error) {
	made := BackupMade{Missing: notInBackup(cfg)}
	if path == "-" {
		counted := &countingWriter{to: out}
		m, err := store.Backup(ctx, databaseOf(cfg), counted, "usher "+Version(), time.Now())
		made.Manifest, made.Bytes = m, counted.n
		return made, explainBackupError(cfg, err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return made, err
	}
	m, err := fillBackup(ctx, cfg, draft)
	if err = errors.Join(err, draft.Close()); err != nil {
		return made, errors.Join(explainBackupError(cfg, err), os.Remove(draft.Name()))
	}
	made.Manifest = m
	info, err := os.Stat(draft.Name())
	if err == nil {
		made.Bytes, err = info.Size(), os.Rename(draft.Name(), path)
	}
	if err != nil {
		return made, errors.Join(err, os.Remove(draft.Name()))
	}
	return made, syncFolder(filepath.Dir(path))
}

// fillBackup writes a backup, makes it durable and reads it again.
func fillBackup(ctx context.Context, cfg *config.Config, file *os.File) (store.BackupManifest, error) {
	out := bufio.NewWriterSize(file, 1<<20)
	m, err := store.Backup(ctx, databaseOf(cfg), out, "usher "+Version(), time.Now())
	if err != nil {
		return m, err
	}
	if err := errors.Join(out.Flush(), file.Sync()); err != nil {
		return m, err
	}
	read, err := store.CheckBackup(ctx, file)
	if err == nil && read.Rows() != m.Rows() {
		err = fmt.Errorf("the backup has %d rows, not %d", read.Rows(), m.Rows())
	}
	return m, err
}

func explainBackupError(cfg *config.Config, err error) error {
	if errors.Is(err, store.ErrNeedsMigration) {
		return explainStoreError(cfg, err)
	}
	return err
}

// notInBackup names the keys that a backup never holds.
func notInBackup(cfg *config.Config) []string {
	secret, _ := cfg.SecretKeyPath()
	where := "the secret key, which opens what the database has sealed; it is in the file " + secret
	if secret == "" {
		where = "the secret key, which opens what the database has sealed; it is in the setting secret_key"
	}
	list := []string{where}
	if key, _ := cfg.AuditKeyPath(); key != "" {
		list = append(list, "the key that signs checkpoints, and the checkpoints; they are in the files "+key+" and "+cfg.CheckpointPath())
	}
	return list
}

// countingWriter counts what goes through it.
type countingWriter struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// CheckBackup reads a backup from end to end and says what it holds.
func CheckBackup(ctx context.Context, path string) (store.BackupManifest, error) {
	file, err := os.Open(path)
	if err != nil {
		return store.BackupManifest{}, err
	}
	defer file.Close() // only read
	m, err := store.CheckBackup(ctx, file)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return m, err
}
