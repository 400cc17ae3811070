package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// Restored is what a restore has put back and verified.
type Restored struct {
	Manifest store.BackupManifest `json:"manifest"`
	Tenants  []RestoredTenant     `json:"tenants"`
	// Broken is what does not verify, a line each; Notes what the operator should
	// know besides.
	Broken []string `json:"broken"`
	Notes  []string `json:"notes"`
}

// RestoredTenant is one tenant with its history.
type RestoredTenant struct {
	Name   string `json:"name"`
	Users  int64  `json:"users"`
	Events int64  `json:"events"`
	// Position and Epoch are where its history goes on from.
	Position int64  `json:"position"`
	Epoch    int64  `json:"epoch"`
	Broken   string `json:"broken,omitempty"` // what is wrong with the history
}

// Restore loads a backup into the database of the settings, which must have nothing
// in it, verifies every history from end to end and restarts it. A backup cannot come
// from standard input, since it is read twice.
func Restore(ctx context.Context, cfg *config.Config, path string, log *slog.Logger, command string) (Restored, error) {
	if path == "-" {
		return Restored{}, errors.New("a backup is read twice, first to see that it is whole: name a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return Restored{}, err
	}
	defer file.Close() // only read
	options := storeOptions(cfg, log)
	loaded, err := store.Restore(ctx, databaseOf(cfg), file, options)
	if err != nil {
		return Restored{}, fmt.Errorf("%s: %w", path, err)
	}
	done := Restored{Manifest: loaded.BackupManifest, Broken: []string{}, Notes: []string{}}
	for _, w := range loaded.Warnings {
		done.Notes = append(done.Notes, "as it was when the backup was made: "+w)
	}
	admin, err := OpenAdmin(ctx, cfg, log, command)
	if err != nil {
		return done, err
	}
	key, err := restoreKey(cfg, &done)
	if err == nil {
		err = admin.restartAll(ctx, cfg, key, &done)
	}
	return done, errors.Join(err, admin.Close())
}

// restoreKey is the key that signs that histories were restarted; nil without one.
func restoreKey(cfg *config.Config, done *Restored) (ed25519.PrivateKey, error) {
	secret, made := cfg.SecretKeyPath()
	if _, err := os.Stat(secret); secret != "" && errors.Is(err, fs.ErrNotExist) {
		text := "the secret key is not here: put the file " + secret + " back, or nothing that is sealed can be opened"
		if made {
			text += "; `usher serve` would make another one, which opens nothing of before"
		}
		done.Notes = append(done.Notes, text)
	}
	path, _ := cfg.AuditKeyPath()
	if path == "" {
		done.Notes = append(done.Notes, "audit_key_file is not set: that histories were restarted is not signed")
		return nil, nil
	}
	key, err := readAuditKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		done.Notes = append(done.Notes, "the key that signs checkpoints is not here: that histories were restarted is not signed, and checkpoints of before will not verify; "+
			"put the file "+path+" and the checkpoints back, and run `usher audit restart` for each tenant")
		return nil, nil
	}
	return key, err
}

// restartAll verifies the history of every tenant and lets it go on from its end.
func (a *Admin) restartAll(ctx context.Context, cfg *config.Config, key ed25519.PrivateKey, done *Restored) error {
	for i := range done.Manifest.Tenants {
		t := &done.Manifest.Tenants[i]
		no := directory.TenantNo(t.No)
		// What waited for its position gets it.
		if err := a.db.Seal(ctx, no); err != nil {
			return err
		}
		report, err := a.service.VerifyChain(ctx, a.call(no), endOfBackup(t))
		if err != nil {
			return forPeople(err)
		}
		restored := RestoredTenant{Name: t.Name, Users: t.Users, Events: report.Events, Broken: report.Problem}
		if report.Broken != 0 {
			done.Broken = append(done.Broken, fmt.Sprintf("tenant %q is broken at position %d: %s", t.Name, report.Broken, report.Problem))
		} else {
			c, err := a.service.RestartChain(ctx, a.call(no), "restored the backup of "+done.Manifest.CreatedAt.Format(time.RFC3339))
			if err != nil {
				return forPeople(err)
			}
			if restored.Position, restored.Epoch = c.Position, c.Epoch; key != nil {
				c.Sign(key)
				if err := appendCheckpoints(cfg.CheckpointPath(), []directory.Checkpoint{c}); err != nil {
					return fmt.Errorf("checkpoint_file: everything is restored, but its restart cannot be signed; run `usher audit restart` once it can: %w", err)
				}
			}
		}
		done.Tenants = append(done.Tenants, restored)
	}
	return nil
}

// endOfBackup is the end of a tenant's chain as the backup notes it, as a checkpoint
// that the chain is verified against.
func endOfBackup(t *store.BackupTenant) []directory.Checkpoint {
	if t.Position == 0 {
		return nil
	}
	return []directory.Checkpoint{{Tenant: directory.TenantNo(t.No), TenantID: t.ID, Name: t.Name, Epoch: t.Epoch, Position: t.Position, Hash: t.Hash}}
}
