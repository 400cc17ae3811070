package store

import (
	"context"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// bearerColumns are what decides about somebody who is signed in, with the
// names by which the doors call people.
const bearerColumns = "id, state, locked, must_change_password, valid_from, expires_at, company, rank, auth_epoch, user_name, email, given_name, family_name, display_name"

func scanBearer(r *row, tenant directory.TenantNo, number int64) directory.User {
	return directory.User{Tenant: tenant, Number: number, ID: r.text(), State: stateOf(r.int()), Locked: r.flag(),
		MustChangePassword: r.flag(), ValidFrom: r.time(), ExpiresAt: r.time(), Company: r.int(),
		Rank: directory.Rank(r.int()), AuthEpoch: r.int(), UserName: r.text(), Email: r.text(), GivenName: r.text(),
		FamilyName: r.text(), DisplayName: r.text()}
}

// columnsOf are columns of a table that is called by an alias.
func columnsOf(alias, columns string) string {
	return alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".")
}

var authenticateSignedSQL = "SELECT k.tenant, k.sealed, k.created_at, " + columnsOf("u", bearerColumns) +
	", t.version, t.doors, t.disabled FROM signing_keys k CROSS JOIN tenants t CROSS JOIN users u" +
	" WHERE k.id = $1 AND t.no = k.tenant AND u.rid = ((k.tenant << 40) | $2)"

// AuthenticateSigned implements directory.CredentialReader.
func (r *reader) AuthenticateSigned(ctx context.Context, keyID string, number int64) (directory.Authentication, error) {
	var a directory.Authentication
	if number < 1 || number > directory.MaxNumber {
		return a, directory.ErrNotFound
	}
	err := r.one(ctx, authenticateSignedSQL, []any{keyID, number}, func(row *row) {
		a.Tenant = directory.TenantNo(row.int())
		a.Key = directory.SigningKey{Tenant: a.Tenant, ID: keyID, Sealed: row.blob(), CreatedAt: row.time()}
		a.User = scanBearer(row, a.Tenant, number)
		scanTenantSwitches(row, &a)
	})
	return a, err
}

// optional are columns of a table that may have no row for the result: then
// each is empty, so that no column is NULL.
func optional(alias, columns string) string {
	list := strings.Split(columns, ", ")
	for i, column := range list {
		none := "0"
		switch column {
		case "id", "name", "client_id", "user_name", "email", "given_name", "family_name", "display_name":
			none = "''"
		}
		list[i] = "coalesce(" + alias + "." + column + ", " + none + ")"
	}
	return strings.Join(list, ", ")
}

// authenticateSessionSQL finds a session whose user and credential, as far as
// it has them, are still there, and that has one of them.
var authenticateSessionSQL = "SELECT k.tenant, k.rid, k.session, k.client, k.door, k.epoch, k.created_at, k.expires_at, " +
	optional("u", bearerColumns) + ", " + optional("c", "kind, name, client_id, rank, scopes, doors, root, expires_at") +
	", t.version, t.doors, t.disabled FROM tokens k CROSS JOIN tenants t LEFT JOIN users u ON u.rid = k.rid" +
	" LEFT JOIN credentials c ON c.tenant = k.tenant AND c.id = k.client WHERE k.hash = $1 AND k.kind = $2 AND t.no = k.tenant" +
	" AND (k.client = '' OR c.id IS NOT NULL) AND (u.rid IS NOT NULL OR c.id IS NOT NULL AND k.rid = (k.tenant << 40))"

// AuthenticateSession implements directory.CredentialReader. The credential is
// without Hash, Hint and CreatedAt.
func (r *reader) AuthenticateSession(ctx context.Context, hash []byte) (directory.Authentication, error) {
	var a directory.Authentication
	kind, err := code(tokenKinds[:], directory.TokenSession)
	if err != nil {
		return a, err
	}
	err = r.one(ctx, authenticateSessionSQL, []any{hash, kind}, func(row *row) {
		a.Tenant = directory.TenantNo(row.int())
		_, number := split(row.int())
		a.Token = directory.Token{Tenant: a.Tenant, Hash: hash, Kind: directory.TokenSession, User: number, Session: row.text(),
			Client: row.text(), Door: directory.Door(row.int()), Epoch: row.int(), CreatedAt: row.time(), ExpiresAt: row.time()}
		a.User = scanBearer(row, a.Tenant, number)
		a.Credential = directory.Credential{Tenant: a.Tenant, ID: a.Token.Client, Kind: kindOf(row, credentialKinds[:]),
			Name: row.text(), ClientID: row.text(), Rank: directory.Rank(row.int()), Scopes: directory.ScopeSet(row.int()),
			Doors: directory.DoorSet(row.int()), Root: row.int(), ExpiresAt: row.time()}
		scanTenantSwitches(row, &a)
	})
	if a.Token.User == 0 {
		a.User = directory.User{}
	}
	if a.Token.Client == "" {
		a.Credential = directory.Credential{}
	}
	return a, err
}

// UserTokens implements directory.SessionReader. The kinds are named by their
// stored codes.
func (r *reader) UserTokens(ctx context.Context, t directory.TenantNo, number int64, now time.Time) ([]directory.Token, error) {
	var list []directory.Token
	err := r.q.query(ctx, `SELECT kind, session, client, door, epoch, created_at, expires_at FROM tokens
		WHERE rid = $1 AND kind IN (0, 1, 2) AND expires_at > $2 ORDER BY created_at DESC, hash`, []any{rowID(t, number), micros(now)}, func(row *row) {
		list = append(list, directory.Token{Tenant: t, User: number, Kind: kindOf(row, tokenKinds[:]), Session: row.text(), Client: row.text(),
			Door: directory.Door(row.int()), Epoch: row.int(), CreatedAt: row.time(), ExpiresAt: row.time()})
	})
	return list, err
}

// ExtendToken implements directory.CredentialWriter. A token that is not there
// is ErrNotFound.
func (t *tx) ExtendToken(ctx context.Context, hash []byte, expiresAt time.Time) error {
	return t.change(ctx, "UPDATE tokens SET expires_at = $2 WHERE hash = $1", hash, micros(expiresAt))
}

// SigningKeys implements directory.TenantReader.
func (r *reader) SigningKeys(ctx context.Context, t directory.TenantNo, limit int) ([]directory.SigningKey, error) {
	var list []directory.SigningKey
	err := r.q.query(ctx, "SELECT id, sealed, created_at FROM signing_keys WHERE tenant = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
		[]any{int64(t), int64(max(limit, 0))}, func(row *row) {
			list = append(list, directory.SigningKey{Tenant: t, ID: row.text(), Sealed: row.blob(), CreatedAt: row.time()})
		})
	return list, err
}

// InsertSigningKey implements directory.TenantWriter. Ids are unique in the
// whole database.
func (t *tx) InsertSigningKey(ctx context.Context, k directory.SigningKey) error {
	return t.insert(ctx, "INSERT INTO signing_keys (id, tenant, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		k.ID, int64(k.Tenant), bytesOf(k.Sealed), micros(k.CreatedAt))
}

// Impersonation implements directory.TenantReader.
func (r *reader) Impersonation(ctx context.Context, id string) (directory.Impersonation, error) {
	i := directory.Impersonation{ID: id}
	err := r.one(ctx, "SELECT tenant, admin, target, created_at, expires_at FROM impersonations WHERE id = $1", []any{id}, func(row *row) {
		i.Tenant = directory.TenantNo(row.int())
		i.Admin = row.int()
		i.Target = row.int()
		i.CreatedAt = row.time()
		i.ExpiresAt = row.time()
	})
	return i, err
}

// InsertImpersonation implements directory.TenantWriter. Ids are unique in the
// whole database.
func (t *tx) InsertImpersonation(ctx context.Context, i directory.Impersonation) error {
	return t.insert(ctx, `INSERT INTO impersonations (id, tenant, admin, target, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		i.ID, int64(i.Tenant), i.Admin, i.Target, micros(i.CreatedAt), micros(i.ExpiresAt))
}
