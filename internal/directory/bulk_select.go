package directory

// BulkSelect is a selection of users that can be kept: what a UserQuery says of
// which users are meant, and not in what order or how many. The zero value is all
// living users.
type BulkSelect struct {
	Company int64        `json:"company,omitempty"` // with all below it
	States  []State      `json:"status,omitempty"`  // none: all but deleted; for DeedRestore: deleted
	Terms   []string     `json:"terms,omitempty"`   // words that must all occur, as a person wrote them
	Groups  []GroupRef   `json:"groups,omitempty"`  // members of any of them
	Filter  StoredFilter `json:"filter,omitzero"`
	// Role and SignedIn are as in UserQuery.
	Role     int64      `json:"role,omitempty"`
	SignedIn SignInTime `json:"signed_in,omitzero"`
}

// SelectionOf is the selection of a query.
func SelectionOf(q *UserQuery) *BulkSelect {
	return &BulkSelect{Company: q.Company, States: q.States.list(), Terms: q.Terms, Groups: q.Groups, Filter: StoredFilter{q.Filter},
		Role: q.Role, SignedIn: q.SignedIn}
}

// query is the selection as a query of its users after one of them.
func (b *BulkSelect) query(after int64, limit int) UserQuery {
	return UserQuery{Company: b.Company, States: StatesOf(b.States...), Terms: b.Terms, Groups: b.Groups, Filter: b.Filter.Filter,
		Role: b.Role, SignedIn: b.SignedIn, After: after, Limit: limit}
}

// list is the states of a set, in their order.
func (s StateSet) list() []State {
	var list []State
	for _, state := range States {
		if s.Has(state) {
			list = append(list, state)
		}
	}
	return list
}
