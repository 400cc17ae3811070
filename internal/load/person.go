package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// Person is a user as requests name it.
type Person struct {
	Number     int64
	ID         string
	UserName   string
	Email      string
	ExternalID string // what the key's client calls the user; "" for none
	GivenName  string
	FamilyName string
	Phone      string
	Company    int64 // number
	Active     bool  // active and not locked
}

// personOf is what requests need of a user of the core.
func personOf(u *directory.User, external string) Person {
	p := Person{Number: u.Number, ID: u.ID, UserName: u.UserName, Email: u.Email, ExternalID: external, GivenName: u.GivenName,
		FamilyName: u.FamilyName, Company: u.Company, Active: u.State == directory.StateActive && !u.Locked}
	if len(u.Phones) > 0 {
		p.Phone = u.Phones[0].Number
	}
	return p
}

// PersonAt is the i-th seeded user as requests name it.
func PersonAt(i int) Person {
	u := User(i)
	return personOf(&u, ExternalID(i))
}

// People are the users of a directory that requests are about.
type People struct {
	Count   int
	At      func(i int) Person // from 1 to Count
	Company int64              // the company whose subtree holds them
	Changed *People            // whom requests change that leave nobody as found; nil: the same people
}

// Seeded are the users of a seeded directory.
func Seeded(n int) People { return People{Count: n, At: PersonAt, Company: Company} }

// spread is at most most of the people who meet a condition, evenly from the
// first to the last.
func (p *People) spread(most int, meets func(*Person) bool) (list []Person) {
	step := max(1, p.Count/most)
	for first := 1; first <= p.Count && len(list) < most; first += step {
		for i := first; i < min(first+step, p.Count+1); i++ {
			if person := p.At(i); meets(&person) {
				list = append(list, person)
				break
			}
		}
	}
	return list
}

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
	GivenNames  = names(180, 1)
	FamilyNames = names(180, 2)
)

// Of the seeded users every twenty-fifth is inactive, every ninety-seventh is
// locked and every third has a licence, with a seat while active.
const (
	inactiveOf = 25
	lockedOf   = 97
	licensedOf = 3
)

// User is the i-th seeded user, from 1; its number is i.
func User(i int) directory.User {
	random := rand.New(rand.NewPCG(uint64(i), 11))
	given, family := GivenNames[random.IntN(len(GivenNames))], FamilyNames[random.IntN(len(FamilyNames))]
	login := fmt.Sprintf("%c%s%d", given[0]|32, family, i)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	u := directory.User{
		Number: int64(i), ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(login)).String(), State: directory.StateActive,
		UserName: login + "@kentel.test", Email: login + "@mail.kentel.test", EmailClaimed: true, GivenName: given, FamilyName: family,
		Title: "Sales Clerk", Company: Company + 1 + int64(random.IntN(children)), ClientUserID: fmt.Sprint(i),
		Phones:    []directory.Phone{{Number: fmt.Sprintf("613555%04d", i%10000), Extension: "5532", Type: "Work"}},
		Address:   directory.Address{Set: true, Line1: "1432 Merry View Road", City: "Big Windy", Region: "ON", Country: "CA", Zip: "A1A2B2"},
		AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: at, UpdatedAt: at,
	}
	if i%inactiveOf == 0 {
		u.State = directory.StateInactive
	}
	u.Locked = i%lockedOf == 0
	if i%licensedOf == 0 {
		u.LicenceType = licence
	}
	return u
}

// ExternalID is what the key's client calls the i-th user.
func ExternalID(i int) string { return fmt.Sprintf("00u%08d", i) }
