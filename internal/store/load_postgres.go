package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/stdlib"
)

// copyQuerier is a querier in a transaction that can COPY as well.
type copyQuerier struct {
	sqlQuerier
	conn *sql.Conn // of the transaction
}

// copyFrom sends rows in COPY's text format.
func (q copyQuerier) copyFrom(ctx context.Context, statement string, rows []byte) error {
	err := q.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, bytes.NewReader(rows), statement)
		return err
	})
	return answerOf(ctx, err)
}

// copyRows loads rows by COPY.
func copyRows(ctx context.Context, q querier, table *loadedTable, values []any) error {
	if len(values) == 0 {
		return nil
	}
	rows, err := copyText(nil, values, len(table.columns))
	if err != nil {
		return err
	}
	return q.(copyQuerier).copyFrom(ctx, table.copy, rows)
}

// loadedDocuments are the search documents of loaded users.
var loadedDocuments = newLoadedTable("user_search", 64, "rid", "tenant", "document")

// copyTrigrams loads search documents.
func copyTrigrams(ctx context.Context, q querier, rids []int64, documents func(rid int64) searchChange) error {
	values := make([]any, 0, 3*len(rids))
	for _, rid := range rids {
		change := documents(rid)
		values = append(values, rid, change.tenant, change.document)
	}
	return copyRows(ctx, q, loadedDocuments, values)
}

// copyText appends rows in the text format of COPY (PostgreSQL documentation,
// COPY, "Text Format").
func copyText(b []byte, values []any, columns int) ([]byte, error) {
	for i, value := range values {
		if i%columns > 0 {
			b = append(b, '\t')
		}
		switch v := value.(type) {
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case string:
			b = appendCopyText(b, v)
		case []byte:
			b = hex.AppendEncode(append(b, `\\x`...), v)
		case nil:
			b = append(b, `\N`...)
		default:
			return nil, fmt.Errorf("store: value %d to copy is %T", i%columns, v)
		}
		if i%columns == columns-1 {
			b = append(b, '\n')
		}
	}
	return b, nil
}

// appendCopyText escapes what means something to COPY.
func appendCopyText(b []byte, text string) []byte {
	from := 0
	for i := range len(text) {
		escape := byte(0)
		switch text[i] {
		case '\\':
			escape = '\\'
		case '\t':
			escape = 't'
		case '\n':
			escape = 'n'
		case '\r':
			escape = 'r'
		default:
			continue
		}
		b = append(append(b, text[from:i]...), '\\', escape)
		from = i + 1
	}
	return append(b, text[from:]...)
}
