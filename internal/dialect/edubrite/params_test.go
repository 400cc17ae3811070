package edubrite

import (
	"strconv"
	"testing"
)

// A signup, which looks its parameters up in a table, reads them as the other
// calls do: of several of one name the first counts.
func TestSignupTable(t *testing.T) {
	var p params
	for n := range maxParameters / 2 {
		p = append(p, parameter{"username_" + strconv.Itoa(n), "user" + strconv.Itoa(n)}, parameter{"lastname_" + strconv.Itoa(n), "Doe"})
	}
	p = append(p, parameter{"username_0", "second"}, parameter{"lastname_0", "Second"}, parameter{"firstname_0", "First"}, parameter{"firstname_0", ""})
	users, numbers := p.newUsers()
	if len(users) != maxParameters/2 || len(numbers) != len(users) || numbers[7] != 7 {
		t.Fatalf("%d users with %d numbers", len(users), len(numbers))
	}
	first := users[0].Fields
	if first.UserName.Value != "user0" || first.FamilyName.Value != "Doe" || first.GivenName.Value != "First" || first.Email.Set {
		t.Errorf("the first user is %+v", first)
	}
	table := p.table()
	for _, q := range p {
		if table[q.name] != p.get(q.name) {
			t.Errorf("%s is %q in the table and %q by itself", q.name, table[q.name], p.get(q.name))
		}
	}
}
