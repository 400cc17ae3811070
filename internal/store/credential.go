package store

import (
	"context"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// The stored codes of kinds; never renumber them.
var (
	credentialKinds = [...]directory.CredentialKind{directory.CredentialKey, directory.CredentialClient,
		directory.CredentialAPIUser, directory.CredentialCustomer}
	tokenKinds = [...]directory.TokenKind{directory.TokenAccess, directory.TokenRefresh, directory.TokenSession,
		directory.TokenReset}
)

// code is the stored code of a kind: its place in the list.
func code[K comparable](list []K, kind K) (int64, error) {
	for i, k := range list {
		if k == kind {
			return int64(i), nil
		}
	}
	return 0, fmt.Errorf("store: unknown kind %v", kind)
}

// kindOf is the reverse of code; an unknown code is a mistake of the row.
func kindOf[K any](r *row, list []K) (kind K) {
	n := r.int()
	if n >= 0 && n < int64(len(list)) {
		return list[n]
	}
	r.wrong("a known kind", n)
	return kind
}

// The statements that every request runs: one each, with no column that does
// not decide whether the secret is valid now or what it may do.
const (
	authenticateColumns = "c.tenant, c.id, c.name, c.rank, c.scopes, c.doors, c.root, c.expires_at, t.version, t.doors, t.disabled"
	authenticateKeySQL  = "SELECT " + authenticateColumns +
		" FROM credentials c CROSS JOIN tenants t WHERE c.kind = 0 AND c.hash = $1 AND t.no = c.tenant"
	authenticateClientSQL = "SELECT " + authenticateColumns +
		", c.hash, c.kind FROM credentials c CROSS JOIN tenants t WHERE c.client_id = $1 AND c.client_id <> '' AND c.kind <> 0 AND t.no = c.tenant"
	authenticateTokenSQL = `SELECT k.rid, k.session, k.client, k.door, k.epoch, k.created_at, k.expires_at,
		u.id, u.state, u.locked, u.must_change_password, u.valid_from, u.expires_at, u.company, u.rank, u.auth_epoch,
		t.version, t.doors, t.disabled
		FROM tokens k CROSS JOIN users u CROSS JOIN tenants t
		WHERE k.hash = $1 AND k.kind = $2 AND u.rid = k.rid AND t.no = k.tenant
		AND (k.client = '' OR EXISTS (SELECT 1 FROM credentials c WHERE c.tenant = k.tenant AND c.id = k.client))`
)

func scanAuthentication(r *row, kind directory.CredentialKind) directory.Authentication {
	var a directory.Authentication
	a.Tenant = directory.TenantNo(r.int())
	a.Credential = directory.Credential{Tenant: a.Tenant, Kind: kind, ID: r.text(), Name: r.text(),
		Rank: directory.Rank(r.int()), Scopes: directory.ScopeSet(r.int()), Doors: directory.DoorSet(r.int()),
		Root: r.int(), ExpiresAt: r.time()}
	scanTenantSwitches(r, &a)
	return a
}

func scanTenantSwitches(r *row, a *directory.Authentication) {
	a.TenantVersion = r.int()
	a.TenantDoors = directory.DoorSet(r.int())
	a.TenantDisabled = r.flag()
}

// AuthenticateKey implements directory.CredentialReader. The credential is
// without ClientID, Hint and CreatedAt, which decide nothing.
func (r *reader) AuthenticateKey(ctx context.Context, hash []byte) (directory.Authentication, error) {
	var a directory.Authentication
	err := r.one(ctx, authenticateKeySQL, []any{hash}, func(row *row) {
		a = scanAuthentication(row, directory.CredentialKey)
		a.Credential.Hash = hash
	})
	return a, err
}

// keyAndUserSQL computes the user's rid as rowID does.
var keyAndUserSQL = "SELECT " + authenticateColumns + ", " + selectUser +
	" FROM credentials c CROSS JOIN tenants t CROSS JOIN users u" +
	" WHERE c.kind = 0 AND c.hash = $1 AND t.no = c.tenant AND u.rid = ((c.tenant << 40) | $2)"

// KeyAndUser implements directory.CredentialReader.
func (r *reader) KeyAndUser(ctx context.Context, hash []byte, number int64) (directory.Authentication, directory.User, error) {
	if number < 1 || number > directory.MaxNumber {
		return directory.Authentication{}, directory.User{}, directory.ErrNotFound
	}
	return r.keyAndUser(ctx, keyAndUserSQL, hash, number)
}

var keyAndUserByIDSQL = "SELECT " + authenticateColumns + ", " + selectUser +
	" FROM credentials c CROSS JOIN tenants t CROSS JOIN users u" +
	" WHERE c.kind = 0 AND c.hash = $1 AND t.no = c.tenant AND u.tenant = c.tenant AND u.id = $2"

// KeyAndUserByID implements directory.CredentialReader.
func (r *reader) KeyAndUserByID(ctx context.Context, hash []byte, id string) (directory.Authentication, directory.User, error) {
	return r.keyAndUser(ctx, keyAndUserByIDSQL, hash, id)
}

func (r *reader) keyAndUser(ctx context.Context, sql string, hash []byte, user any) (directory.Authentication, directory.User, error) {
	var a directory.Authentication
	var u directory.User
	err := r.one(ctx, sql, []any{hash, user}, func(row *row) {
		a = scanAuthentication(row, directory.CredentialKey)
		a.Credential.Hash = hash
		scanUser(row, &u)
	})
	return a, u, err
}

// AuthenticateClient implements directory.CredentialReader. The credential has
// the hash of the client's secret and is without Hint and CreatedAt.
func (r *reader) AuthenticateClient(ctx context.Context, clientID string) (directory.Authentication, error) {
	var a directory.Authentication
	err := r.one(ctx, authenticateClientSQL, []any{clientID}, func(row *row) {
		a = scanAuthentication(row, directory.CredentialClient)
		a.Credential.Hash = row.blob()
		a.Credential.Kind = kindOf(row, credentialKinds[:])
		a.Credential.ClientID = clientID
	})
	return a, err
}

// AuthenticateToken implements directory.CredentialReader. A token ends with
// the client that it was given through. Of the user it
// reads tenant, number, id, state, lock, dates, must-change-password, company,
// rank and epoch.
func (r *reader) AuthenticateToken(ctx context.Context, hash []byte, kind directory.TokenKind) (directory.Authentication, error) {
	n, err := code(tokenKinds[:], kind)
	if err != nil {
		return directory.Authentication{}, err
	}
	var a directory.Authentication
	err = r.one(ctx, authenticateTokenSQL, []any{hash, n}, func(row *row) {
		tenant, number := split(row.int())
		a.Tenant = tenant
		a.Token = directory.Token{Tenant: tenant, Hash: hash, Kind: kind, User: number, Session: row.text(),
			Client: row.text(), Door: directory.Door(row.int()), Epoch: row.int(), CreatedAt: row.time(), ExpiresAt: row.time()}
		a.User = directory.User{Tenant: tenant, Number: number, ID: row.text(), State: stateOf(row.int()),
			Locked: row.flag(), MustChangePassword: row.flag(), ValidFrom: row.time(), ExpiresAt: row.time(),
			Company: row.int(), Rank: directory.Rank(row.int()), AuthEpoch: row.int()}
		scanTenantSwitches(row, &a)
	})
	return a, err
}

const credentialColumns = "tenant, id, kind, name, client_id, hint, rank, scopes, doors, root, expires_at, created_at"

func scanCredential(r *row) directory.Credential {
	return directory.Credential{Tenant: directory.TenantNo(r.int()), ID: r.text(), Kind: kindOf(r, credentialKinds[:]),
		Name: r.text(), ClientID: r.text(), Hint: r.text(), Rank: directory.Rank(r.int()),
		Scopes: directory.ScopeSet(r.int()), Doors: directory.DoorSet(r.int()), Root: r.int(), ExpiresAt: r.time(),
		CreatedAt: r.time()}
}

// Credential implements directory.CredentialReader.
func (r *reader) Credential(ctx context.Context, t directory.TenantNo, id string) (directory.Credential, error) {
	var c directory.Credential
	err := r.one(ctx, "SELECT "+credentialColumns+", hash FROM credentials WHERE tenant = $1 AND id = $2",
		[]any{int64(t), id}, func(row *row) {
			c = scanCredential(row)
			c.Hash = row.blob()
		})
	return c, err
}

// Credentials implements directory.CredentialReader.
func (r *reader) Credentials(ctx context.Context, t directory.TenantNo) ([]directory.Credential, error) {
	var list []directory.Credential
	err := r.q.query(ctx, "SELECT "+credentialColumns+" FROM credentials WHERE tenant = $1 ORDER BY created_at, id",
		[]any{int64(t)}, func(row *row) { list = append(list, scanCredential(row)) })
	return list, err
}

// InsertCredential implements directory.CredentialWriter. The hash of an API
// key and the client id of a client are unique in the whole database.
func (t *tx) InsertCredential(ctx context.Context, c directory.Credential) error {
	if err := t.stays(ctx, "companies", c.Tenant, c.Root); err != nil {
		return err
	}
	kind, err := code(credentialKinds[:], c.Kind)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO credentials (tenant, id, kind, name, client_id, hash, hint, rank, scopes, doors, root,
		expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		int64(c.Tenant), c.ID, kind, c.Name, c.ClientID, bytesOf(c.Hash), c.Hint, int64(c.Rank), int64(c.Scopes),
		int64(c.Doors), c.Root, micros(c.ExpiresAt), micros(c.CreatedAt))
}

// bytesOf is never nil, which would be NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// DeleteCredential implements directory.CredentialWriter.
func (t *tx) DeleteCredential(ctx context.Context, tenant directory.TenantNo, id string) error {
	return t.change(ctx, "DELETE FROM credentials WHERE tenant = $1 AND id = $2", int64(tenant), id)
}

// InsertToken implements directory.CredentialWriter.
func (t *tx) InsertToken(ctx context.Context, tok directory.Token) error {
	kind, err := code(tokenKinds[:], tok.Kind)
	if err != nil {
		return err
	}
	return t.insert(ctx, `INSERT INTO tokens (hash, tenant, rid, kind, session, client, door, epoch, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		bytesOf(tok.Hash), int64(tok.Tenant), bearerID(tok.Tenant, tok.User), kind, tok.Session, tok.Client, int64(tok.Door),
		tok.Epoch, micros(tok.CreatedAt), micros(tok.ExpiresAt))
}

// bearerID is the rid of a token: its user's, or that of nobody in the tenant
// when a credential alone has signed in.
func bearerID(t directory.TenantNo, number int64) int64 {
	if number == 0 && t > 0 && t < maxTenant {
		return int64(t) << numberBits
	}
	return rowID(t, number)
}

// DeleteToken implements directory.CredentialWriter.
func (t *tx) DeleteToken(ctx context.Context, hash []byte) (bool, error) {
	n, err := t.q.exec(ctx, "DELETE FROM tokens WHERE hash = $1", hash)
	return n > 0, err
}

// DeleteSession implements directory.CredentialWriter. No such session is no
// error.
func (t *tx) DeleteSession(ctx context.Context, tenant directory.TenantNo, session string) error {
	_, err := t.q.exec(ctx, "DELETE FROM tokens WHERE tenant = $1 AND session = $2", int64(tenant), session)
	return err
}

// DeleteTokens implements directory.CredentialWriter. None is no error.
func (t *tx) DeleteTokens(ctx context.Context, tenant directory.TenantNo, number int64, kind directory.TokenKind) error {
	k, err := code(tokenKinds[:], kind)
	if err == nil {
		_, err = t.q.exec(ctx, "DELETE FROM tokens WHERE rid = $1 AND kind = $2", rowID(tenant, number), k)
	}
	return err
}

// DeleteExpiredTokens implements directory.CredentialWriter. Number 0 is the
// sessions of the tenant's credentials.
func (t *tx) DeleteExpiredTokens(ctx context.Context, tenant directory.TenantNo, number int64, nowMicros int64) error {
	_, err := t.q.exec(ctx, "DELETE FROM tokens WHERE rid = $1 AND expires_at < $2", bearerID(tenant, number), nowMicros)
	return err
}
