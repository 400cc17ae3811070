package store

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// Look-ups of many keys at once are one statement with one argument, whatever the
// number of keys, so that it stays prepared.

// anyOfJSON is the condition that a column has one of the values of a JSON text.
func anyOfJSON[T int64 | string](a *args, column string, values []T) string {
	text, _ := json.Marshal(values) // numbers and texts have no way to fail
	return column + " IN (SELECT value FROM json_each(" + a.add(string(text)) + "))"
}

// numbersInArray is the same by an array of PostgreSQL, which is sent as a text:
// that works in every way to send arguments.
func numbersInArray(a *args, column string, values []int64) string {
	list := make([]byte, 0, 12*len(values))
	list = append(list, '{')
	for i, n := range values {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, n, 10)
	}
	return column + " = ANY(" + a.add(string(append(list, '}'))) + "::text::bigint[])"
}

var arrayEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func textsInArray(a *args, column string, values []string) string {
	var list strings.Builder
	list.WriteByte('{')
	for i, text := range values {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteByte('"')
		arrayEscaper.WriteString(&list, text)
		list.WriteByte('"')
	}
	list.WriteByte('}')
	return column + " = ANY(" + a.add(list.String()) + "::text::text[])"
}

// HandleHolders implements directory.BulkReader, with a statement for each space.
func (r *reader) HandleHolders(ctx context.Context, t directory.TenantNo, keys []directory.HandleKeyOf) ([]directory.Handle, error) {
	var spaces []directory.Space
	bySpace := map[directory.Space][]string{}
	for _, k := range keys {
		if bySpace[k.Space] == nil {
			spaces = append(spaces, k.Space)
		}
		bySpace[k.Space] = append(bySpace[k.Space], k.Key)
	}
	var list []directory.Handle
	for _, space := range spaces {
		a := args{list: []any{int64(t), string(space)}}
		sql := "SELECT key, rid, kinds FROM identifiers WHERE tenant = $1 AND space = $2 AND " + r.e.anyOfTexts(&a, "key", bySpace[space])
		err := r.q.query(ctx, sql, a.list, func(row *row) {
			h := directory.Handle{Space: space, Key: row.text()}
			_, h.User = split(row.int())
			h.Kinds = directory.HandleKind(row.int())
			list = append(list, h)
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// UsersByNumbers implements directory.BulkReader.
func (r *reader) UsersByNumbers(ctx context.Context, t directory.TenantNo, numbers []int64) ([]directory.User, error) {
	rids := make([]int64, len(numbers))
	for i, n := range numbers {
		rids[i] = rowID(t, n)
	}
	var a args
	return r.usersWhere(ctx, len(rids), &a, r.e.anyOfNumbers(&a, "u.rid", rids))
}

// UsersByIDs implements directory.BulkReader.
func (r *reader) UsersByIDs(ctx context.Context, t directory.TenantNo, ids []string) ([]directory.User, error) {
	a := args{list: []any{int64(t)}}
	return r.usersWhere(ctx, len(ids), &a, "u.tenant = $1 AND "+r.e.anyOfTexts(&a, "u.id", ids))
}

// UsersByClientIDs implements directory.BulkReader. An empty id is nobody's.
func (r *reader) UsersByClientIDs(ctx context.Context, t directory.TenantNo, ids []string) ([]directory.User, error) {
	a := args{list: []any{int64(t)}}
	return r.usersWhere(ctx, len(ids), &a, "u.tenant = $1 AND u.client_user_id <> '' AND "+r.e.anyOfTexts(&a, "u.client_user_id", ids))
}

// usersWhere reads the users of a condition on n keys.
func (r *reader) usersWhere(ctx context.Context, n int, a *args, where string) ([]directory.User, error) {
	if n == 0 {
		return nil, nil
	}
	users := make([]directory.User, 0, n)
	err := r.q.query(ctx, "SELECT "+selectUser+" FROM users u WHERE "+where, a.list, func(row *row) { users = appendUser(users, row) })
	return users, err
}

// PurgedAmong implements directory.BulkReader.
func (r *reader) PurgedAmong(ctx context.Context, t directory.TenantNo, numbers []int64, ids []string) ([]directory.PurgedUser, error) {
	var list []directory.PurgedUser
	find := func(a *args, condition string) error {
		return r.q.query(ctx, "SELECT number, id FROM purged WHERE tenant = $1 AND "+condition, a.list,
			func(row *row) { list = append(list, directory.PurgedUser{Number: row.int(), ID: row.text()}) })
	}
	if len(numbers) > 0 {
		a := args{list: []any{int64(t)}}
		if err := find(&a, r.e.anyOfNumbers(&a, "number", numbers)); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return list, nil
	}
	a := args{list: []any{int64(t)}}
	err := find(&a, r.e.anyOfTexts(&a, "id", ids))
	return list, err
}
