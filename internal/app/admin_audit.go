package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// OpenAuditor opens the database of the settings for a command that only reads,
// also beside a running server. Close it afterwards.
func OpenAuditor(ctx context.Context, cfg *config.Config, log *slog.Logger, command string) (*Admin, error) {
	options := storeOptions(cfg, log)
	options.ReadOnly = true
	db, err := store.Open(ctx, databaseOf(cfg), options)
	if err != nil {
		return nil, explainStoreError(cfg, err)
	}
	return &Admin{db: db, service: directory.New(db, directory.Options{Logger: log, PublicURL: cfg.BaseURL()}), command: command}, nil
}

// Audit is what a verification came to: a report for each tenant, warnings that
// break nothing, and what is wrong beside the chains.
type Audit struct {
	Reports  []directory.AuditReport
	Warnings []string
	Problems []string
}

// Broken reports whether anything is wrong.
func (a *Audit) Broken() bool {
	for i := range a.Reports {
		if a.Reports[i].Broken != 0 {
			return true
		}
	}
	return len(a.Problems) > 0
}

// VerifyEvents verifies the chains of events of all tenants, or of one, against
// the file of checkpoints. publicKeys is a file of public keys; "" is the public
// part of the server's own key.
func (a *Admin) VerifyEvents(ctx context.Context, cfg *config.Config, tenant, publicKeys string) (Audit, error) {
	var audit Audit
	tenants, err := a.audited(ctx, tenant)
	if err != nil {
		return audit, err
	}
	// The file first: what is signed while the chains are read is ahead of nothing.
	points, err := audit.checkpoints(cfg, publicKeys)
	if err != nil {
		return audit, err
	}
	for _, t := range tenants {
		report, err := a.service.VerifyChain(ctx, a.call(t.No), points)
		if err != nil {
			return audit, forPeople(err)
		}
		if report.Broken == 0 && report.Checkpoints == 0 && len(points) > 0 {
			audit.Warnings = append(audit.Warnings, fmt.Sprintf("no checkpoint covers tenant %s: only its chain itself is verified", t.Name))
		}
		audit.Reports = append(audit.Reports, report)
	}
	if tenant != "" {
		points = ofName(tenant, points)
		if tenants, err = a.Tenants(ctx); err != nil {
			return audit, err
		}
	}
	audit.missing(tenants, points)
	return audit, nil
}

// audited are the tenants that are to be verified.
func (a *Admin) audited(ctx context.Context, tenant string) ([]directory.Tenant, error) {
	if tenant == "" {
		return a.Tenants(ctx)
	}
	t, err := a.findTenant(ctx, tenant)
	return []directory.Tenant{t}, err
}

// checkpoints reads the file of checkpoints. Without one that was asked for there
// are none.
func (audit *Audit) checkpoints(cfg *config.Config, publicKeys string) ([]directory.Checkpoint, error) {
	path := cfg.CheckpointPath()
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && cfg.CheckpointFile == "" && publicKeys == "" {
		audit.Warnings = append(audit.Warnings, noCheckpoints(path))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint_file: %w", err)
	}
	keys, err := verifyingKeys(cfg, publicKeys)
	if err != nil {
		return nil, err
	}
	read, err := readCheckpoints(path, keys)
	if err != nil {
		return nil, fmt.Errorf("checkpoint_file: %w", err)
	}
	if read.torn > 0 {
		audit.Warnings = append(audit.Warnings, fmt.Sprintf("%s: %d lines are no checkpoints, most likely torn by a crash: they are left aside", path, read.torn))
	}
	if len(read.list) == 0 {
		audit.Warnings = append(audit.Warnings, noCheckpoints(path))
	}
	return read.list, nil
}

func noCheckpoints(path string) string {
	return fmt.Sprintf("there are no checkpoints in %s: only the chains themselves are verified, which whoever can write the database can compute anew", path)
}

// verifyingKeys are the public keys that a command verifies with.
func verifyingKeys(cfg *config.Config, path string) ([]ed25519.PublicKey, error) {
	if path != "" {
		keys, err := readPublicKeys(path)
		if err != nil {
			return nil, fmt.Errorf("--public-key: %w", err)
		}
		return keys, nil
	}
	file, _ := cfg.AuditKeyPath()
	if file == "" {
		return nil, errors.New("audit_key_file: is not set, and there are checkpoints: name the file of their public keys with --public-key")
	}
	key, err := readAuditKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there are checkpoints, and no key to verify them with; name the file of their public keys with --public-key", err)
	}
	if err != nil {
		return nil, err
	}
	return []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, nil // documented to be of that type
}

// ofName are the checkpoints of tenants that had a name: where only one tenant is
// verified, its id may have been exchanged, so that none is held against it.
func ofName(tenant string, points []directory.Checkpoint) []directory.Checkpoint {
	return slices.DeleteFunc(slices.Clone(points), func(c directory.Checkpoint) bool { return c.Name != tenant })
}

// missing notes the tenants that checkpoints know and the database does not.
func (audit *Audit) missing(tenants []directory.Tenant, points []directory.Checkpoint) {
	here := map[string]bool{}
	for _, t := range tenants {
		here[t.ID] = true
	}
	for i := range points {
		if c := &points[i]; !here[c.TenantID] {
			here[c.TenantID] = true
			audit.Problems = append(audit.Problems, fmt.Sprintf("the checkpoint of %s knows a tenant %s (%s) that is not in the database",
				c.Time.Format(time.RFC3339), c.Name, c.TenantID))
		}
	}
}

// RestartEvents declares that the tenant's history goes on from here, and writes
// the signed checkpoint that says so. Without a key, which is not the case beside a
// SQLite file that was served, there is nothing that needs one: signed says so.
func (a *TenantAdmin) RestartEvents(ctx context.Context, cfg *config.Config, why string) (c directory.Checkpoint, signed bool, err error) {
	var key ed25519.PrivateKey
	if path, _ := cfg.AuditKeyPath(); path != "" {
		if key, err = settingsAuditKey(cfg); err != nil {
			return c, false, err
		}
	}
	if c, err = a.service.RestartChain(ctx, a.call(a.Tenant.No), why); err != nil || key == nil {
		return c, false, forPeople(err)
	}
	c.Sign(key)
	if err := appendCheckpoints(cfg.CheckpointPath(), []directory.Checkpoint{c}); err != nil {
		return c, false, fmt.Errorf("the history was restarted, but its checkpoint cannot be written (run the command again once it can): %w", err)
	}
	return c, true, nil
}
