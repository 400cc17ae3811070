package client_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/client"
)

// methods are the operations of the API with the methods that call them.
var methods = map[string]string{
	"get_openapi": "Client.OpenAPI",

	"list_users":          "UserService.List",
	"create_user":         "UserService.Create",
	"look_up_user":        "UserService.GetBy",
	"get_user":            "UserService.Get",
	"update_user":         "UserService.Update",
	"replace_user":        "UserService.Replace",
	"delete_user":         "UserService.Delete",
	"activate_user":       "UserService.Activate",
	"deactivate_user":     "UserService.Deactivate",
	"lock_user":           "UserService.Lock",
	"unlock_user":         "UserService.Unlock",
	"restore_user":        "UserService.Restore",
	"purge_user":          "UserService.Purge",
	"sign_out_user":       "UserService.SignOut",
	"impersonate_user":    "UserService.Impersonate",
	"set_password":        "UserService.SetPassword",
	"generate_password":   "UserService.GeneratePassword",
	"mail_reset":          "UserService.MailReset",
	"make_reset_token":    "UserService.ResetToken",
	"list_user_groups":    "UserService.Groups",
	"join_group":          "UserService.JoinGroup",
	"leave_group":         "UserService.LeaveGroup",
	"list_user_locations": "UserService.Locations",
	"join_location":       "UserService.JoinLocation",
	"leave_location":      "UserService.LeaveLocation",
	"list_user_roles":     "UserService.Roles",
	"give_role":           "UserService.GiveRole",
	"take_role":           "UserService.TakeRole",
	"list_holds":          "UserService.Holds",
	"place_hold":          "UserService.PlaceHold",
	"release_hold":        "UserService.ReleaseHold",
	"list_user_sessions":  "UserService.Sessions",
	"end_user_sessions":   "UserService.EndSessions",
	"end_user_session":    "UserService.EndSession",
	"list_user_events":    "UserService.Events",

	"list_companies": "CompanyService.List",
	"create_company": "CompanyService.Create",
	"get_company":    "CompanyService.Get",
	"update_company": "CompanyService.Update",
	"delete_company": "CompanyService.Delete",

	"list_locations":  "LocationService.List",
	"create_location": "LocationService.Create",
	"get_location":    "LocationService.Get",
	"update_location": "LocationService.Update",
	"delete_location": "LocationService.Delete",

	"list_groups":          "GroupService.List",
	"create_group":         "GroupService.Create",
	"get_group":            "GroupService.Get",
	"update_group":         "GroupService.Update",
	"delete_group":         "GroupService.Delete",
	"list_group_members":   "GroupService.Members",
	"change_group_members": "GroupService.ChangeMembers",
	"add_group_member":     "GroupService.AddMember",
	"remove_group_member":  "GroupService.RemoveMember",

	"list_roles":        "RoleService.List",
	"create_role":       "RoleService.Create",
	"get_role":          "RoleService.Get",
	"update_role":       "RoleService.Update",
	"delete_role":       "RoleService.Delete",
	"list_role_members": "RoleService.Members",

	"list_lock_reasons":  "LockReasonService.List",
	"create_lock_reason": "LockReasonService.Create",
	"get_lock_reason":    "LockReasonService.Get",
	"update_lock_reason": "LockReasonService.Update",
	"delete_lock_reason": "LockReasonService.Delete",

	"list_licence_pools": "LicencePoolService.List",
	"get_licence_pool":   "LicencePoolService.Get",
	"set_licence_pool":   "LicencePoolService.Set",

	"list_credentials":  "CredentialService.List",
	"create_credential": "CredentialService.Create",
	"get_credential":    "CredentialService.Get",
	"delete_credential": "CredentialService.Revoke",

	"get_tenant":    "TenantService.Get",
	"update_tenant": "TenantService.Update",

	"get_me":             "MeService.Get",
	"update_me":          "MeService.Update",
	"change_my_password": "MeService.SetPassword",

	"create_session": "SessionService.Create",
	"delete_session": "SessionService.End",

	"list_events":    "EventService.List",
	"get_checkpoint": "EventService.Checkpoint",

	"list_webhooks":         "WebhookService.List",
	"create_webhook":        "WebhookService.Create",
	"get_webhook":           "WebhookService.Get",
	"update_webhook":        "WebhookService.Update",
	"delete_webhook":        "WebhookService.Delete",
	"add_webhook_secret":    "WebhookService.AddSecret",
	"remove_webhook_secret": "WebhookService.RemoveSecret",
	"test_webhook":          "WebhookService.Test",
	"replay_webhook":        "WebhookService.Replay",
	"list_deliveries":       "WebhookService.Deliveries",
	"retry_delivery":        "WebhookService.RetryDelivery",
	"drop_delivery":         "WebhookService.DropDelivery",

	"list_jobs":  "JobService.List",
	"get_job":    "JobService.Get",
	"retry_job":  "JobService.Retry",
	"cancel_job": "JobService.Cancel",

	"export_users":         "UserService.Export",
	"create_import":        "ImportService.Create",
	"guess_columns":        "ImportService.Columns",
	"list_imports":         "ImportService.List",
	"get_import":           "ImportService.Get",
	"put_import_part":      "ImportService.PutPart",
	"start_import":         "ImportService.Start",
	"cancel_import":        "ImportService.Cancel",
	"list_import_verdicts": "ImportService.Verdicts",
	"get_rejected_rows":    "ImportService.Rejected",
	"get_undo_file":        "ImportService.Undo",

	"create_bulk_action":        "BulkActionService.Create",
	"list_bulk_actions":         "BulkActionService.List",
	"get_bulk_action":           "BulkActionService.Get",
	"cancel_bulk_action":        "BulkActionService.Cancel",
	"list_bulk_action_verdicts": "BulkActionService.Verdicts",
}

// more are methods that call an operation in another way than the method above.
var more = []string{"UserService.At", "EventService.Follow", "EventService.FollowCloudEvents", "UserService.ExportLines",
	"ImportService.SendFile", "ImportService.Wait", "BulkActionService.Wait"}

// operation is one of the description.
type operation struct {
	method string
	path   *regexp.Regexp
	keyed  bool // it takes an Idempotency-Key
}

// describedOperations reads the server's own description.
func describedOperations(t *testing.T, c *client.Client) map[string]operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			ID         string `json:"operationId"`
			Parameters []struct {
				Ref string `json:"$ref"`
			}
		}
	}
	if err := json.Unmarshal(must(c.OpenAPI(t.Context()))(t), &document); err != nil {
		t.Fatal(err)
	}
	operations := map[string]operation{}
	for path, item := range document.Paths {
		pattern := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+")
		for method, o := range item {
			op := operation{method: strings.ToUpper(method), path: regexp.MustCompile("^" + pattern + "$")}
			for _, p := range o.Parameters {
				op.keyed = op.keyed || strings.HasSuffix(p.Ref, "/Idempotency-Key")
			}
			operations[o.ID] = op
		}
	}
	return operations
}

// observer is a transport that notes which method of the client sent what.
type observer struct {
	t    *testing.T
	mu   sync.Mutex
	seen []sent
}

type sent struct {
	by, method, path string
	keyed            bool
	status           int
}

// RoundTrip sends a request; the method is found on the stack.
func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	s := sent{by: caller(), method: r.Method, path: r.URL.EscapedPath(), keyed: r.Header.Get("Idempotency-Key") != "", status: resp.StatusCode}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, s)
	return resp, nil
}

var exportedMethod = regexp.MustCompile(`/client\.\(\*(Client|\w+Service)\)\.([A-Z]\w*)$`)

// caller is the innermost exported method of the client on the stack.
func caller() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		frame, more := frames.Next()
		if m := exportedMethod.FindStringSubmatch(frame.Function); m != nil {
			return m[1] + "." + m[2]
		}
		if !more {
			return "nobody"
		}
	}
}

// Every operation of the description has a method of the client, which has been
// called with success; and every method is one of an operation, or goes over the
// pages of one.
func TestEveryOperationHasAMethod(t *testing.T) {
	o := &observer{t: t}
	server, c := newOffice(t, client.WithHTTPClient(&http.Client{Transport: o}))
	callUsers(t, c)
	callLives(t, c)
	callPasswords(t, c)
	callMemberships(t, c)
	callHoldsAndSessions(t, server.URL, c)
	callCompanies(t, c)
	callGroups(t, c)
	callRoles(t, c)
	callLockReasons(t, c)
	callCredentials(t, server.URL, c)
	callTenant(t, c)
	callFeed(t, c)
	callWebhooks(t, c)
	callJobs(t, c)
	callImports(t, c)
	callBulkActions(t, c)
	callMyself(t, server.URL, c, o)
	operations := describedOperations(t, c)
	called := map[string]string{}
	for _, s := range o.seen {
		for id, op := range operations {
			// A literal segment wins over a parameter: /users/by/... is no /users/{id}.
			if op.method != s.method || !op.path.MatchString(s.path) || methods[id] != s.by {
				continue
			}
			if op.keyed != s.keyed {
				t.Errorf("%s sends an Idempotency-Key: %v, the operation takes one: %v", s.by, s.keyed, op.keyed)
			}
			if s.status < 300 {
				called[id] = s.by
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(operations)) {
		if methods[id] == "" {
			t.Errorf("operation %s has no method", id)
		} else if called[id] == "" {
			t.Errorf("operation %s was not called by %s with success", id, methods[id])
		}
	}
	for id := range methods {
		if _, ok := operations[id]; !ok {
			t.Errorf("there is no operation %s", id)
		}
	}
	for _, name := range exportedMethods(c) {
		if !slices.Contains(slices.Collect(maps.Values(methods)), name) && !strings.Contains(name, ".All") && !slices.Contains(more, name) && name != "Client.String" {
			t.Errorf("method %s calls no operation", name)
		}
	}
}

// exportedMethods are the methods of a client and of its services.
func exportedMethods(c *client.Client) []string {
	var names []string
	add := func(v reflect.Value) {
		for i := range v.NumMethod() {
			names = append(names, v.Type().Elem().Name()+"."+v.Type().Method(i).Name)
		}
	}
	add(reflect.ValueOf(c))
	for i := range reflect.ValueOf(c).Elem().NumField() {
		if f := reflect.ValueOf(c).Elem().Field(i); f.Type().Kind() == reflect.Pointer && strings.HasSuffix(f.Type().Elem().Name(), "Service") {
			add(f)
		}
	}
	return names
}
