package directory

import (
	"slices"
	"strings"
)

// columnFields are the members of Record that a column of a CSV file can be.
var columnFields = []string{"id", "number", "user_name", "email", "given_name", "family_name", "display_name", "title", "company",
	"company_name", "employee_number", "open_id", "web_mdn", "client_user_id", "licence_type", "status", "locked", "lock_reason",
	"must_change_password", "valid_from", "expires_at", "phones", "address", "picture", "language", "time_zone", "attributes", "extras",
	"mobile_only", "storage_location", "groups", "roles", "locations", "password", "password_hash", "temporary"}

// ImportFields lists the members of Record that a column of a CSV file can be.
func ImportFields() []string { return slices.Clone(columnFields) }

// writtenOnly are the members of Record that an export has and an import leaves out.
var writtenOnly = []string{"rank", "created_at", "updated_at", "version"}

// headerWords are what people and other directories call the members of Record, with
// letters and digits alone. The vendors' are in their dossiers: docs/dialects/
// encore.md 4, iqmetrix.md 4.1, smartapp.md 4, edubrite.md 3.2, servicemobility.md 4.1;
// SCIM's in RFC 7643 section 4.1; the rest is what Active Directory, Entra ID, Okta
// and Google Workspace write.
var headerWords = map[string]string{
	"uniqueid": "id", "uuid": "id", "guid": "id", "objectid": "id", "objectguid": "id",
	"usernumber": "number", "userno": "number",
	"login": "user_name", "loginname": "user_name", "logon": "user_name", "logonname": "user_name", "account": "user_name", "accountname": "user_name",
	"samaccountname": "user_name", "userprincipalname": "user_name", "upn": "user_name", "user": "user_name", "uid": "user_name", "alias": "user_name",
	"mail": "email", "emails": "email", "emailaddress": "email", "mailaddress": "email", "primaryemail": "email", "workemail": "email",
	"firstname": "given_name", "forename": "given_name", "first": "given_name", "namegivenname": "given_name",
	"lastname": "family_name", "surname": "family_name", "last": "family_name", "sn": "family_name", "namefamilyname": "family_name",
	"fullname": "display_name", "name": "display_name", "nameformatted": "display_name", "cn": "display_name",
	"jobtitle": "title", "position": "title",
	"companynumber": "company", "companyid": "company", "parententityid": "company",
	"organization": "company_name", "organisation": "company_name", "employer": "company_name",
	"employeeid": "employee_number", "employeeno": "employee_number", "personnelnumber": "employee_number", "staffnumber": "employee_number",
	"epttwebmdn": "web_mdn", "mdn": "web_mdn",
	"license": "licence_type", "licence": "licence_type", "licensetype": "licence_type",
	"state": "status", "active": "status", "isactive": "status", "enabled": "status", "isenabled": "status", "accountenabled": "status",
	"activated": "status", "accountstatus": "status", "userstatus": "status",
	"islocked": "locked", "lockreasonid": "lock_reason",
	"changepasswordatnextsignin": "must_change_password", "changepassword": "must_change_password",
	"startdate": "valid_from", "start": "valid_from", "validsince": "valid_from",
	"expires": "expires_at", "expiry": "expires_at", "expirydate": "expires_at", "expirationdate": "expires_at", "validto": "expires_at",
	"validuntil": "expires_at", "enddate": "expires_at", "accountexpires": "expires_at",
	"phone": "phones", "phonenumber": "phones", "phonenumbers": "phones", "telephone": "phones", "tel": "phones",
	"mobile": "phones.mobile", "mobilephone": "phones.mobile", "mobilenumber": "phones.mobile", "cell": "phones.mobile", "cellphone": "phones.mobile",
	"workphone": "phones.work", "officephone": "phones.work", "businessphone": "phones.work", "telephonenumber": "phones.work",
	"homephone": "phones.home", "fax": "phones.fax", "faxnumber": "phones.fax",
	"street": "address.line1", "streetaddress": "address.line1", "address1": "address.line1", "addressline1": "address.line1", "address": "address.line1",
	"address2": "address.line2", "addressline2": "address.line2",
	"city": "address.city", "town": "address.city", "locality": "address.city",
	"region": "address.region", "province": "address.region", "statecode": "address.region", "stateprovince": "address.region",
	"country": "address.country", "countrycode": "address.country",
	"zip": "address.zip", "zipcode": "address.zip", "postcode": "address.zip", "postalcode": "address.zip",
	"lang": "language", "locale": "language", "languagecode": "language", "preferredlanguage": "language",
	"tz":                "time_zone",
	"storagelocationid": "storage_location",
	"group":             "groups", "groupname": "groups", "groupnames": "groups", "memberof": "groups",
	"role": "roles", "rolename": "roles", "applicationroles": "roles",
	"location": "locations", "locationids": "locations", "locationid": "locations",
	"pass": "password", "initialpassword": "password", "hash": "password_hash", "passwordtemporary": "temporary",
	"department": "attributes.department", "dept": "attributes.department", "division": "attributes.division", "manager": "attributes.manager",
	"costcenter": "attributes.cost_centre", "costcentre": "attributes.cost_centre",
}

// headerWord is a header with its letters and digits alone, in lower case, without what
// stands in brackets behind it.
func headerWord(header string) string {
	if at := strings.IndexAny(header, "[("); at > 0 {
		header = header[:at]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 {
			return r
		}
		return -1
	}, FoldSearch(header))
}

// memberWords are the members of Record by their headerWord.
var memberWords = func() map[string]string {
	words := map[string]string{}
	for _, field := range columnFields {
		words[headerWord(field)] = field
	}
	delete(words, "address") // in one cell it is no more than a street
	return words
}()

// GuessColumns maps the header of a CSV file: names in any letter case, with or
// without blanks, underscores and dashes, those that vendors' exports use among them.
// A column that nothing is known of, or whose field an earlier one has, has no field.
func GuessColumns(header []string) []ImportColumn {
	columns := make([]ImportColumn, len(header))
	taken := map[string]bool{}
	take := func(i int, field string) {
		if columns[i].Field == "" && field != "" && !taken[field] {
			columns[i].Field, taken[field] = field, true
		}
	}
	// What is named to the letter goes before what is only similar.
	for _, guess := range []func(string) string{exactField, similarField, otherField(taken)} {
		for i, name := range header {
			columns[i].Header = name
			take(i, guess(strings.TrimSpace(name)))
		}
	}
	return columns
}

// exactField is the field that a header names as the canonical API does.
func exactField(header string) string {
	if slices.Contains(columnFields, header) || partField(header) {
		return header
	}
	return ""
}

// similarField is the field that a header means.
func similarField(header string) string {
	if slices.Contains(writtenOnly, header) {
		return ""
	}
	word := headerWord(header)
	if field := memberWords[word]; field != "" {
		return field
	}
	return headerWords[word]
}

// otherField guesses headers whose meaning depends on the other columns: a "user id" is
// what people sign in with (docs/dialects/servicemobility.md 4.1), or, beside a user
// name, what another system finds them by (docs/dialects/encore.md 4).
func otherField(taken map[string]bool) func(string) string {
	return func(header string) string {
		switch headerWord(header) {
		case "userid":
			if !taken["user_name"] {
				return "user_name"
			}
			if !taken["number"] {
				return "id"
			}
		}
		return ""
	}
}

// addressParts are the parts of an address that a column can be.
var addressParts = []string{"line1", "line2", "city", "region", "country", "zip"}

// partField reports whether a field names a part of a member that holds several things.
func partField(field string) bool {
	outer, inner, _ := strings.Cut(field, ".")
	if inner == "" || CleanText("columns", inner, maxTextRunes) != nil {
		return false
	}
	switch outer {
	case "attributes":
		return true
	case "phones":
		return CleanText("columns", inner, maxPhoneRunes) == nil
	case "address":
		return slices.Contains(addressParts, inner)
	}
	return false
}

// CheckColumns refuses unknown fields and fields that two columns have. Errors:
// invalid with the field "columns".
func CheckColumns(columns []ImportColumn) error {
	var bad violations
	seen := map[string]bool{}
	for _, c := range columns {
		switch {
		case c.Field == "":
		case exactField(c.Field) == "":
			bad = append(bad, rowFault("columns", ReasonFieldUnknown, "There is no field %q for the column %q.", firstRunes(c.Field, 80), firstRunes(c.Header, 80)))
		case seen[c.Field]:
			bad = append(bad, rowFault("columns", ReasonFieldValue, "Two columns are %s.", c.Field))
		}
		seen[c.Field] = true
	}
	return bad.err()
}
