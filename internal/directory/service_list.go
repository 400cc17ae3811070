package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a search.
const (
	maxTerms     = 16
	maxTermRunes = 100
	// MaxSearch is the greatest length in bytes of all terms of a search, as
	// the client wrote them: folding more is dear and finds nothing.
	MaxSearch = maxTerms * (maxTermRunes + 1) * utf8.UTFMax
)

// Users lists one page in order of number. An unknown company, or one outside
// of the caller's subtree, is company.not_found; what takes longer to find than
// Options.QueryTime query.too_costly.
func (s *Service) Users(ctx context.Context, call *Call, q UserQuery) (UserPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return UserPage{}, err
	}
	if err := q.clean(call); err != nil {
		return UserPage{}, err
	}
	at, err := s.resume(call, &q)
	if err != nil {
		return UserPage{}, err
	}
	walk := s.walks.start(call, &q)
	var page UserPage
	err = s.searchUsers(ctx, call, &q, func(ctx context.Context, r Reader) error {
		var err error
		page, err = s.page(ctx, r, call, q, walk)
		return err
	})
	if err != nil {
		return UserPage{}, err
	}
	s.walks.remember(walk, &page)
	page.Next, err = s.nextPage(call, &q, at, &page)
	return page, err
}

// userList is the kind of the cursors of lists of users.
const userList = "users"

// resume puts the place of the query's cursor into the query.
func (s *Service) resume(call *Call, q *UserQuery) (at place, err error) {
	if q.Cursor == "" {
		return place{}, nil
	}
	if at, err = s.openCursor(call, userList, q.queryKey(call.Actor.Tenant), q.Cursor); err != nil {
		return place{}, err
	}
	q.After, q.AfterValue, q.Skip = at.Number, at.Value, 0
	return at, nil
}

// nextPage is the cursor of what follows a page.
func (s *Service) nextPage(call *Call, q *UserQuery, at place, page *UserPage) (string, error) {
	if !q.WantCursor || !page.More {
		return "", nil
	}
	last := &page.Users[len(page.Users)-1]
	return s.sealCursor(call, userList, q.queryKey(call.Actor.Tenant),
		place{Number: last.Number, Value: SortValue(last, q.Sort), Skipped: at.Skipped + len(page.Users)})
}

// clean folds the terms and fills in defaults.
func (q *UserQuery) clean(call *Call) error {
	if q.States == 0 {
		q.States = LivingStates
	}
	if q.Limit <= 0 || q.Limit > MaxLimit || q.Skip < 0 {
		return Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d and skip not negative.", MaxLimit)
	}
	if q.Company == 0 {
		q.Company = call.Actor.Root
	}
	if q.GroupNumbers = nil; len(q.Groups) > maxNamed {
		return Invalid(FieldGroups.String(), ReasonFieldLength, "A list takes at most %d groups.", maxNamed)
	}
	if !SortFields.Has(q.Sort) {
		return Invalid("sort", ReasonFieldValue, "Users cannot be sorted by %s.", q.Sort)
	}
	if q.Sort == FieldNumber {
		q.Sort = FieldNone
	}
	if len(q.Numbers) > MaxBulkUsers {
		return Invalid(FieldNumber.String(), ReasonFieldLength, "A list takes at most %d numbers.", MaxBulkUsers)
	}
	if err := checkFilter(q.Filter, 0, new(int)); err != nil {
		return err
	}
	q.Filter = ofCaller(q.Filter, call.Actor.Credential)
	size := 0
	for _, term := range q.Terms {
		if size += len(term); size > MaxSearch {
			return errSearchLength()
		}
	}
	var terms []string
	for _, term := range q.Terms {
		for _, word := range strings.Fields(FoldSearch(term)) {
			if utf8.RuneCountInString(word) > maxTermRunes || len(terms) == maxTerms {
				return errSearchLength()
			}
			terms = append(terms, word)
		}
	}
	q.Terms = terms
	return nil
}

func errSearchLength() error {
	return Invalid("terms", ReasonFieldLength, "A search takes at most %d words of %d characters.", maxTerms, maxTermRunes)
}

// page reads a page and its total in one snapshot. The company is looked up
// only when nothing was found: its existence shows in its users otherwise.
func (s *Service) page(ctx context.Context, r Reader, call *Call, q UserQuery, w walk) (UserPage, error) {
	if call.Actor.Root != 0 {
		if _, err := companyInScope(ctx, r, call.Actor, q.Company); err != nil {
			return UserPage{}, err
		}
	}
	if len(q.Groups) > 0 {
		var err error
		if q.GroupNumbers, err = groupNumbers(ctx, r, call.Actor.Tenant, q.Groups); err != nil {
			return UserPage{}, err
		}
	}
	fetch := q
	fetch.Limit = q.Limit + 1
	if len(q.Groups) > 0 && len(q.GroupNumbers) == 0 {
		return nobody(ctx, r, call, q)
	}
	users, err := r.Users(ctx, call.Actor.Tenant, fetch)
	if err != nil {
		return UserPage{}, err
	}
	if len(users) == 0 && q.Company != 0 {
		if _, err := companyInScope(ctx, r, call.Actor, q.Company); err != nil {
			return UserPage{}, err
		}
	}
	page := UserPage{Users: users}
	if len(users) > q.Limit {
		page.Users, page.More = users[:q.Limit], true
	}
	if q.WantTotal {
		page.Total, err = s.total(ctx, r, call.Actor.Tenant, q, w, &page)
	}
	return page, err
}

// groupNumbers are the numbers of the groups that exist.
func groupNumbers(ctx context.Context, r Reader, t TenantNo, refs []GroupRef) ([]int64, error) {
	var numbers []int64
	for _, ref := range refs {
		g, err := groupOf(ctx, r, t, ref)
		if IsReason(err, ReasonGroupNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(numbers, g.Number) {
			numbers = append(numbers, g.Number)
		}
	}
	return numbers, nil
}

// nobody is the page of a list that has no users, if its company exists.
func nobody(ctx context.Context, r Reader, call *Call, q UserQuery) (UserPage, error) {
	if q.Company == 0 {
		return UserPage{}, nil
	}
	_, err := companyInScope(ctx, r, call.Actor, q.Company)
	return UserPage{}, err
}

// total is the number of all matches: from counters without terms, filter
// and groups, else from the page itself if it is the last one, else counted up to
// CountLimit (UserPage.Total says what it means beyond).
func (s *Service) total(ctx context.Context, r Reader, t TenantNo, q UserQuery, w walk, page *UserPage) (int64, error) {
	if q.Plain() {
		return r.UserTotal(ctx, t, q.Company, q.States)
	}
	byOffset := w.key.query != ""
	if byOffset && !page.More && (len(page.Users) > 0 || w.skip == 0) {
		return int64(w.skip + len(page.Users)), nil
	}
	all := q
	all.After, all.AfterValue = 0, ""
	counted, err := r.CountUsers(ctx, t, all, CountLimit)
	known := int64(w.skip + len(page.Users))
	if page.More {
		known++
	}
	if len(page.Users) == 0 {
		known = 0
	}
	return max(counted, known), err
}

// walk is one caller's way through the pages of a query by offset.
type walk struct {
	key  walkKey // its query is empty where the caller pages by key
	skip int
}

// walkKey names a place in a walk: what has been passed over so far.
type walkKey struct {
	actor string
	query string
	skip  int
}

// queryKey is the part of a query that stays the same from page to page.
func (q *UserQuery) queryKey(t TenantNo) string {
	return fmt.Sprintf("%d|%d|%d|%q|%#v|%t|%d|%#v|%d|%#v|%d", t, q.Company, q.States, q.Terms, q.Filter, q.Descending, q.Sort, q.Groups, q.Role, q.SignedIn, q.Numbers)
}
