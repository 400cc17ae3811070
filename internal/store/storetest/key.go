package storetest

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// keyChecks: the store compares keys byte by byte. What looks alike is one key
// only if the core has folded it, on both engines alike.
var keyChecks = []check{
	{"Keys that differ in a byte are different handles", keyHandles},
	{"Keys that differ in a byte are different client ids", keyClients},
	{"Keys that differ in a byte are different role keys", keyRoles},
	{"Keys that differ in a byte are different group keys", keyGroups},
	{"Keys that differ in a byte are different licence types", keyPools},
	{"Keys that differ in a byte are different sessions", keySessions},
	{"Keys that differ in a byte are different equal filters", keyFilters},
	{"Company names that fold differently are different", keyCompanies},
}

// lookAlikes are texts that a collation, a LIKE pattern, a trim or a
// normalisation would confuse. No two are the same bytes.
var lookAlikes = []string{
	"abc", "ABC", "Abc", "ａｂｃ", "ＡＢＣ", // case and width
	"é", "e\u0301", "É", "E\u0301", "e", // composed and decomposed
	"한", "\u1112\u1161\u11ab", "Å", "\u212b", "A\u030a",
	"abc ", " abc", "abc\t", "abc\n", "abc\u00a0", "  ", " ", // blanks
	"a\u200bbc", "abc\u200b", "\ufeffabc", "a\u00adbc", "abc\u200d", // zero width
	"\u202eabc", "abc\u202c", "\u200fabc", "\u2066abc\u2069", // bidi
	"ß", "ss", "ẞ", "SS", "ſs", "straße", "STRASSE", "strasse",
	"i", "I", "ı", "İ", "i\u0307", "ﬁ", "fi", "ς", "σ", "Σ",
	"1", "01", "1.0", "1e0", "٣", "3", "①", "true", "TRUE", "NULL", "null", "0x31",
	"%", "_", "a%c", "a_c", `a\c`, `a\\c`, "'", "''", `"`, "`", "a;b", "a--b", "$1", "?1", "*", "a*",
	"\U0001f600", "\U0001f601", "\ufffd", "\uffff", "\U0010ffff", "\u0001", "\u007f", "\u0080",
}

// eachKey runs fn for every look-alike with a number from 1.
func eachKey(fn func(number int64, key string) error) error {
	for i, key := range lookAlikes {
		if err := fn(int64(i)+1, key); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	return nil
}

// addOwners stores a user for each look-alike.
func (s *sample) addOwners(change func(u *directory.User, key string)) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error {
			u := s.user(number)
			if change != nil {
				change(&u, key)
			}
			return tx.InsertUser(s.ctx, u)
		})
	})
}

func keyHandles(t *testing.T, s *sample) {
	s.addOwners(nil)
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error {
			return tx.InsertHandle(s.ctx, s.tenant, s.handle(key, number))
		})
	})
	_ = eachKey(func(number int64, key string) error {
		s.wantHandle(s.handle(key, number))
		return nil
	})
	s.update(func(tx directory.Tx) error {
		return tx.DeleteHandle(s.ctx, s.tenant, directory.SpaceLogin, "abc", 1)
	})
	s.wantNoHandle(directory.SpaceLogin, "abc")
	s.wantHandle(s.handle("ABC", 2))
	s.wantNoHandle(directory.SpaceLogin, "ab")
}

func keyClients(t *testing.T, s *sample) {
	prefix := uuid.NewString()
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error {
			c := s.credential(key)
			c.Kind, c.ClientID, c.Name = directory.CredentialClient, prefix+key, fmt.Sprint(number)
			return tx.InsertCredential(s.ctx, c)
		})
	})
	s.view(func(r directory.Reader) error {
		return eachKey(func(number int64, key string) error {
			got, err := r.AuthenticateClient(s.ctx, prefix+key)
			if got.Credential.Name != fmt.Sprint(number) {
				t.Errorf("client id %q finds that of key %s, want %d", key, got.Credential.Name, number)
			}
			return err
		})
	})
}

func keyRoles(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error {
			return tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: number, Key: key, Company: 1})
		})
	})
	s.view(func(r directory.Reader) error {
		return eachKey(func(number int64, key string) error {
			got, err := r.RoleByKey(s.ctx, s.tenant, 1, key)
			if got.Number != number || got.Key != key {
				t.Errorf("key %q finds role %d with %q, want %d", key, got.Number, got.Key, number)
			}
			return err
		})
	})
}

func keyGroups(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error {
			return tx.InsertGroup(s.ctx, directory.Group{Tenant: s.tenant, Number: number, ID: uuid.NewString(),
				Kind: directory.GroupPlain, Key: key, CreatedAt: noon})
		})
	})
	s.view(func(r directory.Reader) error {
		return eachKey(func(number int64, key string) error {
			got, err := r.GroupByKey(s.ctx, s.tenant, directory.GroupPlain, key)
			if got.Number != number || got.Key != key {
				t.Errorf("key %q finds group %d with %q, want %d", key, got.Number, got.Key, number)
			}
			return err
		})
	})
}

func keyPools(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		return eachKey(func(number int64, key string) error { return tx.SetPool(s.ctx, s.tenant, key, number) })
	})
	_ = eachKey(func(number int64, key string) error {
		wantSame(t, "pool", s.pool(key), directory.Pool{Type: key, Total: number, Version: 1})
		return nil
	})
	pools := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Pool, error) { return r.Pools(ctx, s.tenant) })
	if len(pools) != len(lookAlikes) {
		t.Errorf("%d pools, want %d", len(pools), len(lookAlikes))
	}
	if !sort.SliceIsSorted(pools, func(i, j int) bool { return pools[i].Type < pools[j].Type }) {
		t.Error("pools are not in the byte order of their types")
	}
}

func keySessions(t *testing.T, s *sample) {
	s.addUser(1)
	s.update(func(tx directory.Tx) error {
		return eachKey(func(_ int64, key string) error {
			token := s.token(key, directory.TokenAccess, 1)
			token.Session = key
			return tx.InsertToken(s.ctx, token)
		})
	})
	s.update(func(tx directory.Tx) error { return tx.DeleteSession(s.ctx, s.tenant, "abc") })
	s.view(func(r directory.Reader) error {
		return eachKey(func(_ int64, key string) error {
			_, err := r.AuthenticateToken(s.ctx, sum(key+s.session()), directory.TokenAccess)
			if isNotFound(err) != (key == "abc") {
				t.Errorf("after session abc ended, that of %q answers %v", key, err)
			}
			return nil
		})
	})
}

// keyFilters: the fields that do not fold are compared by their bytes, in every
// operator.
func keyFilters(t *testing.T, s *sample) {
	s.addOwners(func(u *directory.User, key string) { u.Title, u.ClientUserID = key, key })
	ops := map[directory.Operator]func(have, want string) bool{
		directory.OpEqual:    func(have, want string) bool { return have == want },
		directory.OpPrefix:   strings.HasPrefix,
		directory.OpSuffix:   strings.HasSuffix,
		directory.OpContains: strings.Contains,
	}
	for op, match := range ops {
		for _, field := range []directory.Field{directory.FieldTitle, directory.FieldClientUserID} {
			s.view(func(r directory.Reader) error {
				return eachKey(func(_ int64, key string) error {
					list, err := r.Users(s.ctx, s.tenant, directory.UserQuery{Limit: directory.MaxLimit,
						Filter: directory.Text{Field: field, Op: op, Value: key}})
					var want []int64
					_ = eachKey(func(number int64, have string) error {
						if match(have, key) {
							want = append(want, number)
						}
						return nil
					})
					wantSame(t, fmt.Sprintf("%s operator %d %q", field, op, key), numbersOf(list), want)
					return err
				})
			})
		}
	}
}

func keyCompanies(t *testing.T, s *sample) {
	first := map[string]int64{directory.NameKey("Root"): 1}
	for i, name := range lookAlikes {
		number := int64(i) + 2
		folded := directory.NameKey(name)
		err := s.try(func(tx directory.Tx) error { return tx.InsertCompany(s.ctx, s.company(number, 1, name)) })
		if folded == "" {
			// A name that shows nothing has no key; the core refuses it.
			continue
		}
		if first[folded] != 0 {
			wantConflict(t, fmt.Sprintf("company %q", name), err)
			continue
		}
		if err != nil {
			t.Errorf("company %q: %v", name, err)
		}
		first[folded] = number
	}
	s.view(func(r directory.Reader) error {
		var all error
		for folded, number := range first {
			c, err := r.CompanyByName(s.ctx, s.tenant, folded)
			if c.Number != number {
				t.Errorf("name %q finds company %d, want %d", folded, c.Number, number)
			}
			all = errors.Join(all, err)
		}
		return all
	})
}

// numbersOf are the numbers of users in their order.
func numbersOf(users []directory.User) []int64 {
	var numbers []int64
	for _, u := range users {
		numbers = append(numbers, u.Number)
	}
	return numbers
}
