package conformance

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// seed makes every run the same: the generated requests depend on it and on the
// description alone.
const seed = "20260101"

// checks are those of schemathesis that a description must pass whoever wrote
// the API.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,ignored_auth"

// strictChecks are those that an API of ours passes besides, while a vendor may
// take what its description calls bad, or call an unknown method an unknown path.
const strictChecks = checks + ",negative_data_rejection,unsupported_method,allow_header_conformance"

// described are the doors with a description, how a client of each proves
// itself, and which values of their parameters exist.
var described = []struct {
	door     string
	checks   string
	examples int // requests for each operation in the search phase
	header   func(*testing.T, subject) []string
	known    func(furniture) []dictionary
	proof    string // a path that a good credential reads
}{
	{"canonical", strictChecks, 6, bearer, func(f furniture) []dictionary {
		return []dictionary{{"path.id", f.ids}, {"path.key", f.names}, {"path.group", f.groupIDs}, {"path.role", texts(f.roles)}, {"path.location", texts(f.locations)},
			{"path.user", f.ids}, {"path.company", texts(f.companies)}, {"path.lock_reason", texts(f.reasons)}, {"query.company", f.companies}}
	}, "/api/v1/users/by/login/{owner}"},
	{"iqmetrix", checks, 15, bearer, func(f furniture) []dictionary {
		return []dictionary{{"path.UserId", f.users}, {"path.CompanyId", f.companies}, {"path.EntityId", f.companies}, {"path.LocationId", f.locations},
			{"path.LockReasonId", f.reasons}, {"path.SecurityRoleId", f.roles}, {"body.SecurityRoleId", f.roles}, {"body.LockReasonId", f.reasons},
			{"body.EntityId", f.companies}, {"body.ParentEntityId", f.companies}}
	}, "/v1/Users(1)"},
	{"encore", checks, 40, func(_ *testing.T, s subject) []string { return []string{"Ocp-Apim-Subscription-Key: " + s.tenant.Key} }, func(f furniture) []dictionary {
		return []dictionary{{"path.id", texts(f.users)}, {"body.GroupName", f.groupNames}, {"body.LicenseType", []int{1, 2, 3}}, {"body.RoleId", []int{1, 2, 3, 4}}}
	}, "/users/v1/users/1"},
	{"smartapp", checks, 3, bearer, func(f furniture) []dictionary {
		return []dictionary{{"path.UniqueID", f.everyID()}, {"query.UniqueID", f.everyID()}, {"body.UniqueID", f.everyID()}, {"path.email", f.mails},
			{"path.userName", f.names}, {"path.name", f.companyNames}, {"body.companyUniqueID", f.companyIDs}, {"body.groups[*]", f.groupNames}}
	}, "/user/list"},
	{"edubrite", checks, 6, func(t *testing.T, s subject) []string {
		return []string{"Cookie: " + s.eduBriteSession(t), "REAL_UNAME: " + s.tenant.Owner.UserName}
	}, func(f furniture) []dictionary {
		return []dictionary{{"query.userName", f.names}, {"body.userName", f.names}, {"query.id", f.groupIDs}, {"body.id", f.groupIDs}}
	}, "/site/userService.do?dispatch=get&userName={owner}"},
	{"servicemobility", checks, 15, func(t *testing.T, s subject) []string { return []string{"x-access-token: " + s.mobilityToken(t)} }, func(f furniture) []dictionary {
		return []dictionary{{"path.UserID", f.names}, {"path.EntityID", f.companyIDs}, {"path.ServiceTeamID", f.teams}, {"path.RoleID", f.roleKeys},
			{"body.ServiceTeamID", f.teams}, {"body.RoleID", f.roleKeys}}
	}, "/seiapi/v3/trans/User/{owner}"},
}

func bearer(_ *testing.T, s subject) []string {
	return []string{"Authorization: Bearer " + s.tenant.Key}
}

// Each door does what its description says, for requests that a stranger made
// up from it, good ones and bad ones.
func TestDoorsAreAsDescribed(t *testing.T) {
	for _, d := range described {
		t.Run(d.door, func(t *testing.T) {
			t.Parallel()
			program := tool(t, "schemathesis")
			s := start(t)
			config := configure(t, d.known(s.furnish(t)))
			phases := "examples,coverage,fuzzing"
			if d.door == "canonical" {
				phases += ",stateful" // its answers name what other operations take
			}
			args := []string{"--config-file", config, "run", s.URL + "/docs/" + d.door + "/openapi.json", "--url", s.URL, "--checks", d.checks,
				"--seed", seed, "--max-examples", strconv.Itoa(d.examples), "--phases", phases,
				"--generation-database", "none", "--suppress-health-check", "all", "--continue-on-failure", "--no-color", "--warnings", "off"}
			headers := d.header(t, s)
			for _, header := range headers {
				args = append(args, "--header", header)
			}
			report := judge(t, nil, program, args...)
			// A run in which the credential was lost would be all refusals.
			s.send(t, http.MethodGet, strings.ReplaceAll(d.proof, "{owner}", s.tenant.Owner.UserName), "", headers...)
			counts := tested.FindStringSubmatch(report)
			if counts == nil || counts[1] != counts[2] {
				t.Errorf("not every operation was tested:\n%s", report)
			}
			t.Log(regexp.MustCompile(`(?m)^ +\d+ generated.*|No issues found in.*s\b`).FindAllString(report, -1))
		})
	}
}

// tested is the line of a report that counts operations.
var tested = regexp.MustCompile(`Selected: \d+/(\d+)\n +Tested: (\d+)\n`)
