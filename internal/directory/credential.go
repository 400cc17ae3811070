package directory

import "time"

// CredentialKind tells API keys, OAuth clients, API users and customers apart.
type CredentialKind string

// The kinds of credentials that are not people's passwords.
const (
	CredentialKey    CredentialKind = "key"    // a bearer or subscription key
	CredentialClient CredentialKind = "client" // an OAuth client id and secret
	// CredentialAPIUser is a name and a generated password that open API
	// sessions (docs/dialects/edubrite.md 2.2).
	CredentialAPIUser CredentialKind = "api_user"
	// CredentialCustomer is a tenant's id and code with full rights
	// (docs/dialects/servicemobility.md 2.3).
	CredentialCustomer CredentialKind = "customer"
)

// Credential is what a program presents. What it may do is the rank
// ceiling × scopes × doors × optional root company.
type Credential struct {
	Tenant    TenantNo
	ID        string // UUID
	Kind      CredentialKind
	Name      string // what an administrator calls it
	ClientID  string // of all kinds but keys, unique per installation
	Hash      []byte // SHA-256 of the secret; the secret itself is never kept
	Hint      string // last characters of the secret, so that people can tell keys apart
	Rank      Rank
	Scopes    ScopeSet
	Doors     DoorSet
	Root      int64     // company whose subtree is all it can see; 0: the tenant
	ExpiresAt time.Time // zero: never
	CreatedAt time.Time
}

// TokenKind tells the tokens of a session apart.
type TokenKind string

// The kinds of tokens.
const (
	TokenAccess  TokenKind = "access"
	TokenRefresh TokenKind = "refresh"
	TokenSession TokenKind = "session" // a cookie session
	TokenReset   TokenKind = "reset"   // sets a new password, once
)

// Token is an opaque secret that stands for a signed-in user. It is valid only
// while its epoch equals the user's.
type Token struct {
	Tenant    TenantNo
	Hash      []byte // SHA-256 of the token
	Session   string // UUID of the sign-in; a refresh keeps it
	Kind      TokenKind
	User      int64
	Client    string // id of the credential through which it was given; "" for none
	Door      Door
	Epoch     int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Authentication is what one look-up of a presented secret finds: everything
// that decides whether it is valid now, read in one statement on the primary.
type Authentication struct {
	Tenant         TenantNo
	TenantVersion  int64
	TenantDoors    DoorSet
	TenantDisabled bool
	Credential     Credential // of an API key or client
	Token          Token      // of an access token; Hash is empty for a key
	User           User       // of a token: only the fields that Usable, rank, epoch and names need
	Key            SigningKey // of a signed token
}

// Password is a user's stored password. Sign-in times and rehashes change it
// without raising any version.
type Password struct {
	User      int64
	Hash      string // encoded with its algorithm and parameters; User.MustChangePassword says whether it is temporary
	SetAt     time.Time
	Failures  int       // wrong passwords in a row
	LastLogin time.Time // zero: never
}
