package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// openSealer makes the Sealer of the server. A server without a key would not
// sign anybody in who comes with a signed token, and could not send mail, so it
// says so at once. The file beside an SQLite database, which this process owns
// by now, is made when it is missing.
func (a *App) openSealer() (*directory.Sealer, error) {
	path, mayMake := a.cfg.SecretKeyPath()
	sealer, err := readSealer(&a.cfg)
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		if err := makeSecretKey(path); err != nil {
			return nil, fmt.Errorf("secret_key_file: cannot make a key: %w", err)
		}
		a.log.Info("made a secret key; keep a copy of it, apart from copies of the database", "file", path)
		sealer, err = readSealer(&a.cfg)
	}
	if err == nil && sealer == nil {
		err = fmt.Errorf("secret_key: is needed with PostgreSQL, the same for every process; make one with: %s", config.MakeSecretKey)
	}
	return sealer, err
}

// commandSealer is the Sealer of a command, which makes no key. Without one, or
// where the command may not read it, only what needs it fails.
func commandSealer(cfg *config.Config) (*directory.Sealer, error) {
	sealer, err := readSealer(cfg)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return sealer, err
}

// readSealer makes the Sealer of the keys that the settings name; nil without
// any.
func readSealer(cfg *config.Config) (*directory.Sealer, error) {
	setting, text := "secret_key", []byte(cfg.SecretKey)
	if path, _ := cfg.SecretKeyPath(); path != "" {
		setting = "secret_key_file"
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
	}
	if len(text) == 0 && setting == "secret_key" {
		return nil, nil
	}
	keys, err := config.ParseSecretKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	sealer, err := directory.NewSealer(keys[0], keys[1:]...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return sealer, nil
}

// makeSecretKey writes a new key into a file.
func makeSecretKey(path string) error {
	key := make([]byte, config.SecretKeyBytes)
	rand.Read(key) // never fails (crypto/rand)
	return writeKeyFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n"))
}

// writeKeyFile makes a file that only this user may read: all of it or nothing, and
// never over another.
func writeKeyFile(path string, text []byte) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft.Name())) }()
	_, err = draft.Write(text)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: %w", path, fs.ErrExist)
	}
	return os.Rename(draft.Name(), path)
}
