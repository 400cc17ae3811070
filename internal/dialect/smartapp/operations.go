package smartapp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// operation is one call of the door: its name in settings, the paths that it
// has unless they name others, where it is documented, and what it says when it
// refuses.
type operation struct {
	name    string
	paths   []string
	methods []string
	subject bool // whom or what it is about may stand behind the path
	source  string
	handle  handler
	texts   texts
}

// texts are what an operation says when it refuses, letter for letter (dossier
// 6); "" leaves it to the core's own message.
type texts struct {
	invalid   string   // 400 for the fields named in covers
	covers    []string // the core's names of fields
	missing   string   // 400: there is no such user, company or location
	exhausted string   // 401: no seat
	taken     string   // 402
}

// The methods of operations. Those whose method no page names take three, since
// the vendor's updates carry everything in the query (dossier 5.3).
var (
	methodsRead   = []string{"GET", "HEAD"}
	methodsCreate = []string{"POST"}
	methodsAny    = []string{"POST", "PUT", "GET"}
	methodsFind   = []string{"GET", "HEAD", "POST", "PUT"}
	methodsUpdate = []string{"POST", "PUT"}
)

// nameField is the name of a company or a location in the core's violations:
// it is no field of a user.
const nameField = "name"

// coversUser are the fields that the vendor's texts of refusals name.
var coversUser = []string{directory.FieldID.String(), directory.FieldEmail.String(), directory.FieldCompany.String(), directory.FieldLocations.String()}

// coversName is what the texts about a name cover.
var coversName = []string{nameField}

// Texts that several operations have.
const (
	textEmailTaken = "email already exists"
	textNoUser     = "invalid user Id"
	textGroups     = "Invalid group(s) or userId"
	textCompanyID  = "invalid company id"
	textCompany    = "invalid company name"
	textLocationID = "invalid location id"
)

// operations are all operations of the door (dossier 3). The handlers refer to
// none of it, so that the table is one value.
var operations = []operation{
	{"create_user", []string{"/user/create"}, methodsCreate, false, "dossier 3.1: the vendor's page of users", createUser,
		texts{invalid: "Invalid emailId, Company, CompanyLocation, or Email", covers: coversUser,
			exhausted: "Insufficient user licences", taken: textEmailTaken}},
	{"get_user", []string{"/user/get/uniqueid"}, methodsRead, true, "dossier 3.2: seed, path decided", getUser,
		texts{invalid: textNoUser, covers: coversUser, missing: textNoUser}},
	{"list_users", []string{"/user/getusers", "/user/list", "/user/getall"}, methodsRead, false, "dossier 3.3: seed, paths decided", listUsers, texts{}},
	{"activate_user", []string{"/user/activate"}, methodsAny, true, "dossier 3.4: seed, path decided", activate,
		texts{invalid: textNoUser, covers: coversUser, missing: textNoUser, exhausted: "Insufficient licences to activate the user"}},
	{"deactivate_user", []string{"/user/deactivate"}, methodsAny, true, "dossier 3.5: seed, path decided", deactivate,
		texts{invalid: "Invalid User Id", covers: coversUser, missing: "Invalid User Id"}},
	{"update_user", []string{"/user/update"}, methodsAny, true, "dossier 3.6: seed, path decided", updateUser,
		texts{invalid: textUpdate, covers: coversUser, missing: textUpdate, exhausted: "insufficient licences", taken: textEmailTaken}},
	{"add_groups", []string{"/user/addgroups"}, methodsAny, true, "dossier 3.7: seed, name and path decided",
		changeGroups(directory.GroupsAdd), textsGroups},
	{"remove_groups", []string{"/user/removegroups"}, methodsAny, true, "dossier 3.8: seed, name and path decided",
		changeGroups(directory.GroupsRemove), textsGroups},
	{"replace_groups", []string{"/user/updategroups"}, methodsAny, true, "dossier 3.9: seed, name and path decided",
		changeGroups(directory.GroupsReplace), textsGroups},
	{"get_user_by_email", []string{"/user/get/email"}, methodsFind, true, "dossier 3.9: decided", getUserByEmail,
		texts{invalid: textNoUser, covers: coversUser, missing: textNoUser}},
	{"get_user_by_user_name", []string{"/user/get/username"}, methodsFind, true, "dossier 3.9: decided", getUserByName,
		texts{invalid: textNoUser, covers: append(coversUser, directory.FieldUserName.String()), missing: textNoUser}},

	{"create_company", []string{"/company/create"}, methodsCreate, false, "dossier 3.10: the vendor's page of companies", createCompany,
		texts{invalid: textCompany, covers: coversName, taken: "name already exists"}},
	{"get_company", []string{"/company/get/uniqueid"}, methodsRead, true, "dossier 3.11: the vendor's page of companies", getCompany,
		texts{invalid: textCompanyID, covers: coversUser, missing: textCompanyID}},
	{"get_company_by_name", []string{"/company/get/name"}, methodsRead, true, "dossier 3.12: the vendor's page of companies, path decided", getCompanyByName,
		texts{invalid: textCompany, covers: coversName, missing: textCompany}},
	{"create_location", []string{"/companyl.ocation/create", "/companylocation/create"}, methodsCreate, false,
		"dossier 3.13: the vendor's page of company locations", createLocation,
		texts{invalid: "invalid company id or location", covers: append(coversUser, nameField), taken: "already exists"}},
	{"get_location", []string{"/companylocation/get/uniqueid"}, methodsRead, true,
		"dossier 3.14: the vendor's page of company locations, path decided", getLocation,
		texts{invalid: textLocationID, covers: coversUser, missing: textLocationID}},
	{"list_locations", []string{"/companylocation/get/companyuniqueid"}, methodsRead, true,
		"dossier 3.15: the vendor's page of company locations, path decided", listLocations,
		texts{invalid: textCompanyID, covers: coversUser, missing: textCompanyID}},
	{"update_location", []string{"/companylocation/update"}, methodsUpdate, true, "dossier 3.16: decided", updateLocation,
		texts{invalid: textLocationID, covers: coversUser, missing: textLocationID, taken: "already exists"}},
}

// textUpdate is the seed's, its space before a comma included.
const textUpdate = "Invalid email id, company, user id, company location , or email"

var textsGroups = texts{invalid: textGroups, covers: append(coversUser, directory.FieldGroups.String()), missing: textGroups}

// pathsOf are the paths that an operation has.
func pathsOf(op *operation, chosen map[string][]string) []string {
	if paths := chosen[op.name]; len(paths) > 0 {
		return paths
	}
	return op.paths
}

// CheckPaths reports what is wrong with paths that were chosen for operations:
// a name that no operation has, or a path that two of them share.
func CheckPaths(chosen map[string][]string) error {
	taken, known := map[string]string{}, map[string]bool{}
	for i := range operations {
		op := &operations[i]
		known[op.name] = true
		for _, path := range pathsOf(op, chosen) {
			if other, ok := taken[foldPath(path)]; ok && other != op.name {
				return fmt.Errorf("%s is the path of both %s and %s", path, other, op.name)
			}
			taken[foldPath(path)] = op.name
		}
	}
	for name := range chosen {
		if !known[name] {
			return fmt.Errorf("there is no operation %q; the operations are %s", name, strings.Join(Operations(), ", "))
		}
	}
	return nil
}

// Operations are the names of all operations, as settings write them.
func Operations() []string {
	names := make([]string, len(operations))
	for i := range operations {
		names[i] = operations[i].name
	}
	return names
}

// Segments are the first segments of all paths in lower case, each once: where
// the door is to be mounted.
func Segments(chosen map[string][]string) []string {
	var segments []string
	for i := range operations {
		for _, path := range pathsOf(&operations[i], chosen) {
			segment, _, _ := strings.Cut(strings.TrimPrefix(foldPath(path), "/"), "/")
			if !slices.Contains(segments, segment) {
				segments = append(segments, segment)
			}
		}
	}
	return segments
}
