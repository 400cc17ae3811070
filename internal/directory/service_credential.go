package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// NewCredential is the input of CreateKey, CreateClient, CreateAPIUser and
// CreateCustomer. An empty Secret is drawn: 256 random bits.
type NewCredential struct {
	Name      string
	ClientID  string // of all kinds but keys; "" is drawn
	Secret    Secret
	Rank      Rank      // of all kinds but clients
	Scopes    ScopeSet  // 0: the maker's
	Doors     DoorSet   // 0: the maker's, AllDoors for a person
	Root      int64     // company whose subtree is all it can see; 0: the maker's, or the tenant
	ExpiresAt time.Time // zero: the maker's, or never
}

// minSecret is the least length of a secret that somebody chose.
const minSecret = 12

// CreateKey makes an API key and returns its secret, which is shown only here.
// Nobody makes a key that may do more than itself.
func (s *Service) CreateKey(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, "", err
	}
	in.ClientID = ""
	return s.createCredential(ctx, call, CredentialKey, in)
}

// CreateClient makes an OAuth client and returns its secret, which is shown
// only here.
func (s *Service) CreateClient(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, "", err
	}
	if in.ClientID == "" {
		in.ClientID = s.opts.NewID()
	}
	in.Rank = RankSelf // a client acts only as the users who sign in through it
	return s.createCredential(ctx, call, CredentialClient, in)
}

// CreateAPIUser makes an API user, whose name and secret open sessions in which
// it acts for people (docs/dialects/edubrite.md 2.2), and returns its secret,
// which is shown only here. Its rank and scopes are as far as those people get
// through it. An empty ClientID is drawn in the vendor's form.
func (s *Service) CreateAPIUser(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, "", err
	}
	if in.ClientID == "" {
		in.ClientID = "api_" + s.opts.NewID()
	}
	return s.createCredential(ctx, call, CredentialAPIUser, in)
}

// CreateCustomer makes a customer id and code, which are sent with every call
// (docs/dialects/servicemobility.md 2.3), and returns the code, which is shown
// only here. Its rank and scopes apply as those of a key do.
func (s *Service) CreateCustomer(ctx context.Context, call *Call, in NewCredential) (Credential, string, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, "", err
	}
	if in.ClientID == "" {
		in.ClientID = s.opts.NewID()
	}
	return s.createCredential(ctx, call, CredentialCustomer, in)
}

// MadeCredential is what the use cases that make a credential give to
// Idempotency.Answer.
type MadeCredential struct {
	Credential Credential
	Secret     string
}

func (s *Service) createCredential(ctx context.Context, call *Call, kind CredentialKind, in NewCredential) (Credential, string, error) {
	if err := s.replayed(ctx, call); err != nil {
		return Credential{}, "", err
	}
	secret, err := s.checkCredential(call, &in)
	if err != nil {
		return Credential{}, "", err
	}
	sum := sha256.Sum256([]byte(secret))
	c := Credential{Tenant: call.Actor.Tenant, ID: s.opts.NewID(), Kind: kind, Name: in.Name, ClientID: in.ClientID,
		Hash: sum[:], Hint: hint(secret), Rank: in.Rank, Scopes: in.Scopes, Doors: in.Doors, Root: in.Root,
		ExpiresAt: in.ExpiresAt.UTC().Truncate(time.Microsecond), CreatedAt: s.now()}
	s.strangers.Recognise(in.ClientID, Secret(secret))
	made := MadeCredential{Credential: c, Secret: secret}
	made.Credential.Hash = nil
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		if c.Root != 0 {
			if err := checkCompanyField(ctx, tx, call, c.Root); err != nil {
				return nil, err
			}
		}
		if err := credentialFree(ctx, tx, &c); err != nil {
			return nil, err
		}
		if err := tx.InsertCredential(ctx, c); err != nil {
			return nil, err
		}
		var diff changes
		diff.named("name", "", c.Name)
		diff.named("rank", "", c.Rank.String())
		diff.named("doors", "", c.Doors.String())
		return made, s.record(ctx, tx, call, EventCredentialCreated, topic{}, "credential:"+c.ID, &diff)
	})
	if err != nil {
		return Credential{}, "", err
	}
	call.Changed = true
	return made.Credential, made.Secret, nil
}

// checkCredential validates the input, fills in defaults and draws the secret.
func (s *Service) checkCredential(call *Call, in *NewCredential) (string, error) {
	var bad violations
	collect(&bad, checkName("name", in.Name))
	collect(&bad, CleanText("client_id", in.ClientID, maxTextRunes))
	secret := string(in.Secret)
	if secret != "" && len(secret) < minSecret {
		bad = append(bad, FieldError{Field: "secret", Reason: ReasonFieldLength, Message: fmt.Sprintf("secret must have at least %d characters.", minSecret)})
	}
	if !in.ExpiresAt.IsZero() && tooFar(in.ExpiresAt) {
		bad.add(FieldExpiresAt, ReasonFieldValue, tooFarText, FieldExpiresAt)
	}
	if err := bad.err(); err != nil {
		return "", err
	}
	if in.Scopes == 0 {
		in.Scopes = call.Actor.Scopes
	}
	mine := call.Actor.doors
	if mine == 0 {
		mine = AllDoors
	}
	if in.Doors == 0 {
		in.Doors = mine
	}
	if in.Root == 0 {
		in.Root = call.Actor.Root
	}
	if in.ExpiresAt.IsZero() {
		in.ExpiresAt = call.Actor.until
	}
	longer := !call.Actor.until.IsZero() && in.ExpiresAt.After(call.Actor.until)
	if in.Rank > call.Actor.Rank || in.Scopes&^call.Actor.Scopes != 0 || in.Doors&^mine != 0 || longer || in.Rank == RankOwner && !call.trusted {
		return "", Wrong(CodeForbidden, ReasonRankTooLow, "A credential cannot be given more than its maker has.")
	}
	if secret == "" {
		bits := make([]byte, 32)
		if _, err := rand.Read(bits); err != nil {
			return "", fmt.Errorf("directory: random secret: %w", err)
		}
		secret = "usher_" + base64.RawURLEncoding.EncodeToString(bits)
	}
	return secret, nil
}

// credentialFree refuses a secret or client id that is in use, anywhere in the
// installation: both find the tenant.
func credentialFree(ctx context.Context, tx Tx, c *Credential) error {
	_, err := tx.AuthenticateKey(ctx, c.Hash)
	if errors.Is(err, ErrNotFound) && c.ClientID != "" {
		_, err = tx.AuthenticateClient(ctx, c.ClientID)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return takenOr(err, FieldNone, ReasonCredentialTaken, "The credential cannot be used: choose another.")
}

// hint is the tail of a secret that is long enough to lose it.
func hint(secret string) string {
	if len(secret) < 24 {
		return ""
	}
	return secret[len(secret)-4:]
}

// Credentials lists the tenant's keys and clients, oldest first, without
// anything secret. A caller that is bound to a company sees those of its own
// company, which are also all that it may revoke.
func (s *Service) Credentials(ctx context.Context, call *Call) ([]Credential, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return nil, err
	}
	var list []Credential
	err := s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.Credentials(ctx, call.Actor.Tenant)
		return err
	})
	if root := call.Actor.Root; root != 0 {
		list = slices.DeleteFunc(list, func(c Credential) bool { return c.Root != root })
	}
	return list, err
}

// RevokeCredential ends a key or client at once, in every process, and with a
// client the tokens that were given through it. A key cannot end itself, since
// nobody could undo that with it. Errors: credential.not_found, rank.too_low,
// user.locks_itself.
func (s *Service) RevokeCredential(ctx context.Context, call *Call, id string) error {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return err
	}
	id, badID := presetID(id)
	if badID != nil {
		return Wrong(CodeNotFound, ReasonCredentialNotFound, "Credential not found.")
	}
	return s.store.Update(ctx, func(tx Tx) error {
		c, err := tx.Credential(ctx, call.Actor.Tenant, id)
		if err != nil {
			return notFound(err, ReasonCredentialNotFound, "Credential not found.")
		}
		if call.Actor.Root != 0 && c.Root != call.Actor.Root {
			return Wrong(CodeNotFound, ReasonCredentialNotFound, "Credential not found.") // as Credential answers
		}
		if c.Rank > call.Actor.Rank {
			return Wrong(CodeForbidden, ReasonRankTooLow, "The caller's rank is too low to revoke this credential.")
		}
		if call.Actor.User == 0 && call.Actor.Credential == c.ID {
			return Wrong(CodeConflict, ReasonSelfLock, "A credential cannot revoke itself: make another one and revoke this one with it.")
		}
		if err := call.If.check(unversioned); err != nil {
			return err
		}
		if err := tx.DeleteCredential(ctx, c.Tenant, c.ID); err != nil { // revoked meanwhile?
			return notFound(err, ReasonCredentialNotFound, "Credential not found.")
		}
		return s.record(ctx, tx, call, EventCredentialRevoked, topic{}, "credential:"+c.ID, &changes{})
	})
}
