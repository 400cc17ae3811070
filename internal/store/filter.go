package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// The closed lists of columns that a filter may name.
var (
	textColumns = map[directory.Field]string{
		directory.FieldID: "u.id", directory.FieldUserName: "u.user_name_key", directory.FieldEmail: "u.email_key",
		directory.FieldGivenName: "u.given_name_key", directory.FieldFamilyName: "u.family_name_key",
		directory.FieldDisplayName: "u.display_name_key", directory.FieldTitle: "u.title",
		directory.FieldEmployeeNumber: "u.employee_number_key", directory.FieldOpenID: "u.open_id",
		directory.FieldWebMDN: "u.web_mdn", directory.FieldClientUserID: "u.client_user_id",
		directory.FieldLicenceType: "u.licence_type",
	}
	intColumns = map[directory.Field]string{
		directory.FieldNumber: "u.number", directory.FieldCompany: "u.company",
		directory.FieldLockReason: "u.lock_reason", directory.FieldVersion: "u.version",
		// A small integer in PostgreSQL, which would want the value to be one too.
		directory.FieldRank: "CAST(u.rank AS BIGINT)",
	}
	timeColumns = map[directory.Field]string{
		directory.FieldCreatedAt: "u.created_at", directory.FieldUpdatedAt: "u.updated_at",
		directory.FieldValidFrom: "u.valid_from", directory.FieldExpiresAt: "u.expires_at",
	}
	// searchedFields are part of the search document.
	searchedFields = directory.Fields(directory.FieldUserName, directory.FieldEmail, directory.FieldGivenName, directory.FieldFamilyName)

	orderSQL = [...]string{directory.Less: "<", directory.LessOrEqual: "<=", directory.Equal: "=",
		directory.GreaterOrEqual: ">=", directory.Greater: ">"}
)

const (
	always = "(1 = 1)"
	never  = "(1 = 0)"
)

// filterCompiler turns a directory.Filter into a condition over the columns of
// users u that holds exactly for the users that Filter.Match accepts. No column
// is ever NULL, so that NOT needs no care.
type filterCompiler struct {
	e      *engine
	args   *args
	tenant directory.TenantNo
	err    error
}

func (c *filterCompiler) compile(f directory.Filter) string {
	switch f := f.(type) {
	case directory.And:
		return c.list(f, " AND ", always)
	case directory.Or:
		return c.list(f, " OR ", never)
	case directory.Not:
		return "(NOT " + c.compile(f.Filter) + ")"
	case directory.Text:
		return c.text(f)
	case directory.Present:
		return c.present(f)
	case directory.Compare:
		return c.compare(f)
	case directory.When:
		return c.when(f)
	case directory.Is:
		if f.Field == directory.FieldLocked && f.Value {
			return "(u.locked <> 0)" // says what the partial index needs to know
		}
		column := "u.must_change_password"
		if f.Field == directory.FieldLocked {
			column = "u.locked"
		}
		return "(" + column + " = " + c.args.add(bit(f.Value)) + ")"
	case directory.Extra:
		return c.extra(f)
	case directory.AnyPhone:
		return c.anyPhone(f)
	case directory.External:
		return c.external(f)
	case directory.HasExtras:
		return c.e.hasExtras(c.args, f.Door.String())
	case directory.InState:
		return "(+u.state IN (" + stateList(f.States) + "))"
	}
	c.err = fmt.Errorf("store: a filter of type %T has no SQL", f)
	return never
}

func (c *filterCompiler) list(members []directory.Filter, operator, empty string) string {
	if len(members) == 0 {
		return empty
	}
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = c.compile(m)
	}
	return "(" + strings.Join(parts, operator) + ")"
}

// constant is a condition on a field that has no column: for each user the
// same as for none.
func constant(f directory.Filter) string {
	if f.Match(&directory.User{}) {
		return always
	}
	return never
}

func (c *filterCompiler) text(f directory.Text) string {
	column, ok := textColumns[f.Field]
	if !ok {
		return constant(f)
	}
	value := f.Value
	if directory.FoldedField(f.Field) {
		value = directory.FoldSearch(value)
	}
	if value == "" && f.Op != directory.OpEqual {
		return always // everything begins with, ends with and contains nothing
	}
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return never // no stored text has these, and PostgreSQL takes no such argument
	}
	sql := c.compareText(column, f.Op, value)
	if f.Op == directory.OpEqual && (f.Field == directory.FieldClientUserID || f.Field == directory.FieldLicenceType) && value != "" {
		// Says what the partial index needs to know.
		return "(" + sql + " AND " + column + " <> '')"
	}
	return sql
}

// compareText compares a text in SQL with a value that a column can hold.
func (c *filterCompiler) compareText(column string, op directory.Operator, value string) string {
	p := c.args.add(value)
	switch op {
	case directory.OpEqual:
		return "(" + column + " = " + p + ")"
	case directory.OpPrefix:
		return "(substr(" + column + ", 1, " + c.length(value) + ") = " + p + ")"
	case directory.OpSuffix:
		n := c.length(value)
		return "(length(" + column + ") >= " + n + " AND substr(" + column + ", length(" + column + ") - " + n + " + 1) = " + p + ")"
	default:
		return "(" + c.e.instr + "(" + column + ", " + p + ") > 0)"
	}
}

// external asks the handles of a credential's space. A key belongs to one user,
// whose row is then read by its own key; several are a set that is made once. A
// user that is deleted has no handles.
func (c *filterCompiler) external(f directory.External) string {
	if f.Op == directory.OpEqual && f.Value == "" || !utf8.ValidString(f.Value) || strings.ContainsRune(f.Value, 0) {
		return never
	}
	from := "(SELECT x.rid FROM identifiers x WHERE x.tenant = " + c.args.add(int64(c.tenant)) + " AND x.space = " +
		c.args.add(string(directory.ExternalSpace(f.Credential)))
	if f.Op == directory.OpEqual {
		return "(u.rid = coalesce(" + from + " AND x.key = " + c.args.add(f.Value) + "), 0))"
	}
	if f.Value != "" {
		from += " AND " + c.compareText("x.key", f.Op, f.Value)
	}
	return "(u.rid IN " + from + "))"
}

// length is the number of characters of a value as an argument that
// PostgreSQL takes for the type that substr wants in every mode of pgx.
func (c *filterCompiler) length(value string) string {
	return "CAST(" + c.args.add(int64(utf8.RuneCountInString(value))) + " AS INTEGER)"
}

func (c *filterCompiler) present(f directory.Present) string {
	if column, ok := timeColumns[f.Field]; ok {
		return "(" + column + " <> " + c.args.add(noTime) + ")"
	}
	if column, ok := textColumns[f.Field]; ok {
		// A folded text may be empty where the text is not.
		return "(" + strings.TrimSuffix(column, "_key") + " <> '')"
	}
	return constant(f)
}

func (c *filterCompiler) compare(f directory.Compare) string {
	column, ok := intColumns[f.Field]
	if !ok {
		return constant(f)
	}
	return "(" + column + " " + orderSQL[min(f.Order, directory.Greater)] + " " + c.args.add(f.Value) + ")"
}

// when compares microseconds. A value between two microseconds equals none and
// is greater than the lower and less than the upper.
func (c *filterCompiler) when(f directory.When) string {
	column, ok := timeColumns[f.Field]
	if !ok {
		return never
	}
	operator := orderSQL[min(f.Order, directory.Greater)]
	if f.Value.Nanosecond()%1000 != 0 {
		switch f.Order {
		case directory.Less, directory.LessOrEqual:
			operator = "<="
		case directory.Equal:
			return never
		default:
			operator = ">"
		}
	}
	return "(" + column + " <> " + c.args.add(noTime) + " AND " + column + " " + operator + " " + c.args.add(f.Value.UnixMicro()) + ")"
}

// filterPhrases are texts that the search document of every user must contain
// that a filter accepts: they let the search index answer a filter on a name
// or an address, which would be a scan. The filter itself is tested too.
func filterPhrases(f directory.Filter) []string {
	switch f := f.(type) {
	case directory.And:
		var phrases []string
		for _, m := range f {
			phrases = append(phrases, filterPhrases(m)...)
		}
		return phrases
	case directory.Text:
		value := directory.FoldSearch(f.Value)
		if searchedFields.Has(f.Field) && utf8.RuneCountInString(value) > 2 && utf8.ValidString(value) &&
			!strings.ContainsFunc(value, unicode.IsControl) {
			return []string{value}
		}
	}
	return nil
}

// indexOrder is the column in whose order an index on tenant and a field has
// the users of one value: SQLite's end with the row id by themselves.
var indexOrder = map[directory.Field]string{
	directory.FieldID: "u.rid", directory.FieldClientUserID: "u.rid",
	directory.FieldUserName: "u.number", directory.FieldEmail: "u.number", directory.FieldFamilyName: "u.number",
	directory.FieldLicenceType: "u.number",
}

// filterIndex tells whether an index on tenant and a field answers the filter,
// by the column in whose order it does. Without one ("") the tenant must not be
// named in the condition: SQLite would read an index that begins with it, and
// sort, where a range of row ids is the tenant in order.
func filterIndex(f directory.Filter) (order string) {
	switch f := f.(type) {
	case directory.And:
		for _, m := range f {
			if order := filterIndex(m); order != "" {
				return order
			}
		}
	case directory.Text:
		if f.Op == directory.OpEqual && f.Value != "" {
			return indexOrder[f.Field]
		}
	case directory.Is:
		if f.Field == directory.FieldLocked && f.Value {
			return "u.number"
		}
	}
	return ""
}
