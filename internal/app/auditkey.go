package app

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// maxKeyFile is the most bytes of a file of keys that are read.
const maxKeyFile = 64 << 10

// openAuditKey reads the key that signs checkpoints. The file beside an SQLite
// database is made when it is missing; a database of PostgreSQL is signed for only
// by servers that are given a key.
func (a *App) openAuditKey() (ed25519.PrivateKey, error) {
	path, mayMake := a.cfg.AuditKeyPath()
	if path == "" {
		a.log.Info("audit_key_file is not set: checkpoints of the events are not signed, and `usher audit verify` can prove less")
		return nil, nil
	}
	key, err := readAuditKey(path)
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		if err := makeAuditKey(path); err != nil {
			return nil, fmt.Errorf("audit_key_file: cannot make a key: %w", err)
		}
		a.log.Info("made a key that signs checkpoints of the events; keep it and the checkpoints where nobody who can write the database can write them",
			"file", path, "checkpoints", a.cfg.CheckpointPath())
		key, err = readAuditKey(path)
	}
	return key, err
}

// readAuditKey reads the private key: PKCS #8 in PEM, as
// `openssl genpkey -algorithm ed25519` writes it.
func readAuditKey(path string) (ed25519.PrivateKey, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("audit_key_file: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("audit_key_file: %s holds no PEM block PRIVATE KEY; make a key with: %s", path, makeAuditKeyCommand)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("audit_key_file: %s holds no Ed25519 key; make one with: %s", path, makeAuditKeyCommand)
	}
	return key, nil
}

// makeAuditKeyCommand is the command that makes a key, for error texts.
const makeAuditKeyCommand = "openssl genpkey -algorithm ed25519"

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()                                          // only read
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1)) // a device has no size to look at first
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("%s is too long for a key", path)
	}
	return text, err
}

// makeAuditKey writes a new key into a file that only this user may read.
func makeAuditKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeKeyFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// publicKeyPEM is a public key as `openssl pkey -pubout` writes it.
func publicKeyPEM(public ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// readPublicKeys reads a file of public keys in PEM: several, where a key has been
// replaced.
func readPublicKeys(path string) ([]ed25519.PublicKey, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := parsed.(ed25519.PublicKey)
		if block.Type != "PUBLIC KEY" || err != nil || !ok {
			return nil, fmt.Errorf("%s holds something else than Ed25519 keys in PEM blocks PUBLIC KEY", path)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no PEM block PUBLIC KEY", path)
	}
	return keys, nil
}

// AuditPublicKey is the public key of the key that signs checkpoints, in PEM, and
// its id.
func AuditPublicKey(cfg *config.Config) (text []byte, id string, err error) {
	key, err := settingsAuditKey(cfg)
	if err != nil {
		return nil, "", err
	}
	public := key.Public().(ed25519.PublicKey) // documented to be of that type
	text, err = publicKeyPEM(public)
	return text, directory.KeyID(public), err
}

// settingsAuditKey reads the key that the settings of a command name.
func settingsAuditKey(cfg *config.Config) (ed25519.PrivateKey, error) {
	path, made := cfg.AuditKeyPath()
	if path == "" {
		return nil, errors.New("audit_key_file: is not set: there is no key")
	}
	key, err := readAuditKey(path)
	if errors.Is(err, fs.ErrNotExist) && made {
		return nil, fmt.Errorf("%w; `usher serve` makes it at its first start", err)
	}
	return key, err
}
