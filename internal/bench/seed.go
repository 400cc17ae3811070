package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/usher-id/usher/internal/directory"
)

// Key is the administrator key of a seeded directory.
const Key = "bench-administrator-key"

// Who signs in to the doors that take no key: an administrator with a password,
// and an API user, whose name is the client's, that acts for the administrator.
const (
	Admin       = "bench.administrator"
	APIUser     = "bench-api-user"
	AdminSecret = "Granite-Window-7-Lamp"
)

// Company is the company whose subtree holds every seeded user: its child
// companies are numbered from Company+1.
const Company = 100

// children is how many companies the users are spread over.
const children = 20

// names makes n names of two syllables or three that differ from each other.
func names(n int, seed uint64) []string {
	syllables := []string{"ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
		"va", "we", "xi", "yo", "zu", "bran", "chel", "dorf", "fenn", "gorm", "holt", "lind", "mark", "sten", "wick"}
	random := rand.New(rand.NewPCG(seed, 7))
	seen := map[string]bool{}
	var list []string
	for len(list) < n {
		name := syllables[random.IntN(len(syllables))] + syllables[random.IntN(len(syllables))]
		if random.IntN(2) == 0 {
			name += syllables[random.IntN(len(syllables))]
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, string(name[0]-32)+name[1:])
		}
	}
	return list
}

// Given and family names: 180 × 180, so that a pair is about 30 people of a
// million.
var (
	givenNames  = names(180, 1)
	familyNames = names(180, 2)
)

// User is the i-th seeded user, from 1; its number is i.
func User(i int) directory.User {
	random := rand.New(rand.NewPCG(uint64(i), 11))
	given, family := givenNames[random.IntN(len(givenNames))], familyNames[random.IntN(len(familyNames))]
	login := fmt.Sprintf("%c%s%d", given[0]|32, family, i)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	return directory.User{
		Number: int64(i), ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(login)).String(), State: directory.StateActive,
		UserName: login + "@kentel.test", Email: login + "@mail.kentel.test", EmailClaimed: true, GivenName: given, FamilyName: family,
		Title: "Sales Clerk", Company: Company + 1 + int64(random.IntN(children)), ClientUserID: fmt.Sprint(i),
		Phones:    []directory.Phone{{Number: fmt.Sprintf("613555%04d", i%10000), Extension: "5532", Type: "Work"}},
		Address:   directory.Address{Set: true, Line1: "1432 Merry View Road", City: "Big Windy", Region: "ON", Country: "CA", Zip: "A1A2B2"},
		AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: at, UpdatedAt: at,
	}
}

// Seed fills an empty store with a tenant, its companies, the credentials,
// n users and the administrator. Users go in 500 to a transaction and without events: it is the
// reading side that is measured on them.
func Seed(ctx context.Context, store directory.Store, n int) error {
	service := directory.New(store, directory.Options{})
	tenant, err := service.CreateTenant(ctx, directory.System(0, "bench"), directory.Tenant{Name: "bench"}, directory.Company{})
	if err != nil {
		return err
	}
	call := func() *directory.Call { return directory.System(tenant.No, "bench") }
	for c := range children + 1 {
		company := directory.Company{Number: int64(Company + c), Name: fmt.Sprintf("Company %d", c)}
		if c > 0 {
			company.Parent = Company
		}
		if _, err := service.CreateCompany(ctx, call(), company); err != nil {
			return err
		}
	}
	key := directory.NewCredential{Name: "bench", Secret: Key, Rank: directory.RankAdministrator}
	if _, _, err := service.CreateKey(ctx, call(), key); err != nil {
		return err
	}
	api := directory.NewCredential{Name: "bench", ClientID: APIUser, Secret: AdminSecret, Rank: directory.RankAdministrator}
	if _, _, err := service.CreateAPIUser(ctx, call(), api); err != nil {
		return err
	}
	const batch = 500
	for first := 1; first <= n; first += batch {
		err := store.Update(ctx, func(tx directory.Tx) error { return insert(ctx, tx, tenant.No, first, min(first+batch-1, n)) })
		if err != nil {
			return err
		}
	}
	_, err = service.CreateUser(ctx, call(), directory.NewUser{Password: AdminSecret, Fields: directory.UserPatch{
		UserName: directory.Some(Admin), Administrator: directory.Some(true), Company: directory.Some[int64](Company)}})
	return err
}

// insert writes the users numbered from first to last.
func insert(ctx context.Context, tx directory.Tx, tenant directory.TenantNo, first, last int) error {
	for i := first; i <= last; i++ {
		u := User(i)
		u.Tenant = tenant
		for _, login := range []struct {
			text string
			kind directory.HandleKind
		}{{u.UserName, directory.HandleUserName}, {u.Email, directory.HandleEmail}} {
			key, err := directory.FoldKey(directory.SpaceLogin, login.text)
			if err != nil {
				return err
			}
			h := directory.Handle{Space: directory.SpaceLogin, Key: key, Kinds: login.kind, User: u.Number}
			if err := tx.InsertHandle(ctx, tenant, h); err != nil {
				return err
			}
		}
		if err := tx.InsertUser(ctx, u); err != nil {
			return errors.Join(fmt.Errorf("bench: user %d", i), err)
		}
	}
	return tx.RaiseNumber(ctx, tenant, directory.NumberUser, int64(last))
}
