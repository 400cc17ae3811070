package scim

import (
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
)

// userFilters are the attributes that users can be filtered by: those that the
// core has columns for, and the texts that the door keeps by itself. Of
// addresses it is the core's own that is meant (dossier 5.15).
var userFilters = filter.Table{
	Schema: urnUser,
	Attributes: merged(map[string]filter.Attribute{
		"id":                 filter.Text(directory.FieldID),
		"externalid":         externalID,
		"username":           filter.Text(directory.FieldUserName),
		"name.givenname":     filter.Text(directory.FieldGivenName),
		"name.familyname":    filter.Text(directory.FieldFamilyName),
		"name.middlename":    own("name", "middleName"),
		"displayname":        filter.Text(directory.FieldDisplayName),
		"nickname":           own("nickName"),
		"profileurl":         own("profileUrl"),
		"title":              filter.Text(directory.FieldTitle),
		"usertype":           own("userType"),
		"locale":             own("locale"),
		"active":             filter.Active(directory.StatesOf(directory.StateActive)),
		"emails":             filter.Text(directory.FieldEmail),
		"emails.value":       filter.Text(directory.FieldEmail),
		"emails.type":        emailLabel("type", "work"),
		"emails.primary":     emailPrimary,
		"phonenumbers":       phoneNumber,
		"phonenumbers.value": phoneNumber,
		"phonenumbers.type":  phoneType,
		"schemas":            constant(urnUser),
		"meta.resourcetype":  constant("User"),
		"meta.created":       filter.Time(directory.FieldCreatedAt),
		"meta.lastmodified":  filter.Time(directory.FieldUpdatedAt),
	}, below(urnEnterprise, map[string]filter.Attribute{
		"employeenumber": filter.Text(directory.FieldEmployeeNumber),
		"costcenter":     own("costCenter"),
		"organization":   own("organization"),
		"division":       own("division"),
		"department":     own("department"),
		"manager":        own("manager"),
		"manager.value":  own("manager"),
	}), below(urnDirectory, map[string]filter.Attribute{
		"number": filter.Integer(directory.FieldNumber),
		"status": filter.States(map[string]directory.StateSet{"staged": directory.StatesOf(directory.StateStaged),
			"active": directory.StatesOf(directory.StateActive), "inactive": directory.StatesOf(directory.StateInactive)}),
		"company":            filter.Integer(directory.FieldCompany),
		"licencetype":        filter.Text(directory.FieldLicenceType),
		"locked":             filter.Flag(directory.FieldLocked),
		"lockreason":         filter.Integer(directory.FieldLockReason),
		"mustchangepassword": filter.Flag(directory.FieldMustChangePassword),
		"validfrom":          filter.Time(directory.FieldValidFrom),
		"expiresat":          filter.Time(directory.FieldExpiresAt),
	})),
	Elements: map[string]filter.Elements{
		"emails": filter.OneElement(directory.Present{Field: directory.FieldEmail}, map[string]filter.Attribute{
			"value": filter.Text(directory.FieldEmail), "type": emailLabel("type", "work"), "primary": emailPrimary}),
		"phonenumbers": phoneElements,
	},
}

// merged is several tables as one.
func merged(tables ...map[string]filter.Attribute) map[string]filter.Attribute {
	all := map[string]filter.Attribute{}
	for _, table := range tables {
		for name, attribute := range table {
			all[name] = attribute
		}
	}
	return all
}

// below is the attributes of an extension under their whole names.
func below(urn string, table map[string]filter.Attribute) map[string]filter.Attribute {
	whole := map[string]filter.Attribute{}
	for name, attribute := range table {
		whole[strings.ToLower(urn)+":"+name] = attribute
	}
	return whole
}

// textOperators are the operators that the core has for texts.
var textOperators = map[filter.Op]directory.Operator{filter.OpEqual: directory.OpEqual, filter.OpContains: directory.OpContains,
	filter.OpStartsWith: directory.OpPrefix, filter.OpEndsWith: directory.OpSuffix}

// textual is an attribute that is a text which the core compares by compare;
// everything that is there contains the empty text.
func textual(compare func(op directory.Operator, value string) directory.Filter) filter.Attribute {
	return func(op filter.Op, value filter.Value) (directory.Filter, error) {
		if op == filter.OpPresent {
			return compare(directory.OpContains, ""), nil
		}
		how, ok := textOperators[op]
		switch {
		case !ok:
			return nil, filter.BadOperator(op)
		case value.Kind != filter.String:
			return nil, filter.BadValue("must be compared with a text in double quotes.")
		case value.Text == "" && op == filter.OpEqual:
			return directory.Or{}, nil // no text is empty
		}
		return compare(how, value.Text), nil
	}
}

// own is a text that the door keeps by itself.
func own(path ...string) filter.Attribute {
	whole := append([]string{doorName}, path...)
	return textual(func(op directory.Operator, value string) directory.Filter {
		return directory.Extra{Path: whole, Op: op, Value: value}
	})
}

// externalID is the id that the caller has given.
var externalID = textual(func(op directory.Operator, value string) directory.Filter {
	return directory.External{Op: op, Value: value}
})

var phoneNumber = textual(func(op directory.Operator, value string) directory.Filter {
	return directory.AnyPhone{AnyType: true, Op: op, Value: value}
})

// phoneType is the type of some telephone number.
func phoneType(op filter.Op, value filter.Value) (directory.Filter, error) {
	if op != filter.OpEqual {
		return nil, filter.BadOperator(op)
	}
	if value.Kind != filter.String || value.Text == "" {
		return nil, filter.BadValue("must be compared with a text in double quotes.")
	}
	return directory.AnyPhone{Type: value.Text, Op: directory.OpContains}, nil
}

// phoneElements is a telephone number of a type, of a value, or both.
func phoneElements(inner filter.Expr) (directory.Filter, error) {
	number := directory.AnyPhone{AnyType: true, Op: directory.OpContains}
	conditions, ok := inner.(filter.And)
	if !ok {
		conditions = filter.And{inner}
	}
	typed, valued := false, false
	for _, e := range conditions {
		c, ok := e.(filter.Compare)
		how, known := textOperators[c.Op]
		switch name := c.Path.Key(""); {
		case !ok || c.Value.Kind != filter.String || c.Value.Text == "":
			return nil, filter.BadValue("takes conditions on type and value, joined by and.")
		case name == "type" && c.Op == filter.OpEqual && !typed:
			typed, number.AnyType, number.Type = true, false, c.Value.Text
		case name == "value" && known && !valued:
			valued, number.Op, number.Value = true, how, c.Value.Text
		default:
			return nil, filter.BadValue("takes one condition on type and one on value, joined by and.")
		}
	}
	return number, nil
}

// emailLabel is a text about the core's address, which has a default where
// another door has set the address (dossier 5.8).
func emailLabel(name, fallback string) filter.Attribute {
	path := []string{doorName, "email", name}
	kept := directory.Extra{Path: path, Op: directory.OpContains}
	address := directory.Present{Field: directory.FieldEmail}
	bare := directory.Not{Filter: kept}
	return func(op filter.Op, value filter.Value) (directory.Filter, error) {
		if op == filter.OpPresent {
			none := directory.Extra{Path: path, Op: directory.OpEqual}
			return directory.And{address, directory.Not{Filter: none}}, nil
		}
		how, ok := textOperators[op]
		if !ok {
			return nil, filter.BadOperator(op)
		}
		if value.Kind != filter.String || value.Text == "" {
			return nil, filter.BadValue("must be compared with a text in double quotes.")
		}
		match := directory.Filter(directory.Extra{Path: path, Op: how, Value: value.Text})
		if holds(how, fallback, value.Text) {
			match = directory.Or{match, bare}
		}
		return directory.And{address, match}, nil
	}
}

// holds compares two texts.
func holds(op directory.Operator, have, want string) bool {
	switch op {
	case directory.OpEqual:
		return have == want
	case directory.OpPrefix:
		return strings.HasPrefix(have, want)
	case directory.OpSuffix:
		return strings.HasSuffix(have, want)
	}
	return strings.Contains(have, want)
}

// emailPrimary is whether the core's address is said to be the preferred one.
func emailPrimary(op filter.Op, value filter.Value) (directory.Filter, error) {
	text := filter.Value{Kind: filter.String, Text: "true"}
	switch {
	case op == filter.OpPresent:
		return emailLabel("primary", "true")(op, value)
	case op != filter.OpEqual:
		return nil, filter.BadOperator(op)
	case value.Kind == filter.Boolean && !value.Bool, value.Kind == filter.String && strings.EqualFold(value.Text, "false"):
		text.Text = "false"
	case value.Kind == filter.Boolean, value.Kind == filter.String && strings.EqualFold(value.Text, "true"):
	default:
		return nil, filter.BadValue("must be compared with true or false.")
	}
	return emailLabel("primary", "true")(filter.OpEqual, text)
}

// constant is a text that is the same for every resource of a type.
func constant(have string) filter.Attribute {
	return func(op filter.Op, value filter.Value) (directory.Filter, error) {
		if op == filter.OpPresent {
			return directory.And{}, nil
		}
		how, ok := textOperators[op]
		switch {
		case !ok:
			return nil, filter.BadOperator(op)
		case value.Kind != filter.String:
			return nil, filter.BadValue("must be compared with a text in double quotes.")
		case holds(how, have, value.Text):
			return directory.And{}, nil
		}
		return directory.Or{}, nil
	}
}

// compileUsers compiles a filter. Groups are found by their ids alone, in a
// condition that must hold by itself: groups.value eq "...", or several of them
// with or.
func compileUsers(e filter.Expr, table filter.Table) (f directory.Filter, groups []directory.GroupRef, err error) {
	conditions, ok := e.(filter.And)
	if !ok {
		conditions = filter.And{e}
	}
	var rest filter.And
	for _, c := range conditions {
		named, ok := groupsNamed(c)
		if !ok {
			rest = append(rest, c)
			continue
		}
		if groups != nil {
			return nil, nil, refuse(invalidFilter, "A filter takes one condition on groups.")
		}
		groups = named
	}
	if len(rest) == 0 {
		return nil, groups, nil
	}
	if len(rest) == 1 {
		f, err = filter.Compile(rest[0], table)
	} else {
		f, err = filter.Compile(rest, table)
	}
	return f, groups, err
}

// groupsNamed lists the groups of a condition on groups.value.
func groupsNamed(e filter.Expr) (groups []directory.GroupRef, ok bool) {
	switch e := e.(type) {
	case filter.Or:
		for _, m := range e {
			some, ok := groupsNamed(m)
			if !ok {
				return nil, false
			}
			groups = append(groups, some...)
		}
		return groups, true
	case filter.ValuePath:
		c, ok := e.Expr.(filter.Compare)
		if !ok || e.Path.Key(urnUser) != "groups" || c.Path.Key("") != "value" {
			return nil, false
		}
		c.Path = filter.Path{Attribute: "groups", Sub: "value"}
		return groupsNamed(c)
	case filter.Compare:
		if !slices.Contains([]string{"groups", "groups.value"}, e.Path.Key(urnUser)) || e.Op != filter.OpEqual || e.Value.Kind != filter.String {
			return nil, false
		}
		return []directory.GroupRef{{ID: e.Value.Text, Kind: directory.GroupPlain}}, true
	}
	return nil, false
}
