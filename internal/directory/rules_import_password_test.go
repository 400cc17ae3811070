package directory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// withSecret gives a record a password.
func withSecret(plain string) func(*directory.Record) {
	return func(r *directory.Record) { r.Password = new(directory.Secret(plain)) }
}

// Plain passwords are hashed, unless the user has that one; hashes are kept. What is
// no good is refused with the member that it is in.
func TestRulesImportPasswords(t *testing.T) {
	f := newFixture(t)
	f.user("ann", withPassword)
	bob := f.user("bob", withPassword)
	cheap := "$2b$04$zfWfN6nTnhbDxvGYSZBcuOJkZpSjOY6D8u0bQJ8yCkXt0PzrXzSPK"
	f.secret(cheap)
	rows := []directory.Record{
		recordOf("ann", withSecret(password)),
		recordOf("bob", withSecret(otherPass), func(r *directory.Record) { r.Temporary = new(true) }),
		recordOf("cat", withSecret(password), func(r *directory.Record) { r.Temporary = new(true) }),
		recordOf("dan", withSecret("short")),
		recordOf("eve", func(r *directory.Record) {
			r.PasswordHash = new(directory.Secret("$2b$31$zfWfN6nTnhbDxvGYSZBcuOJkZpSjOY6D8u0bQJ8yCkXt0PzrXzSPK"))
		}),
		recordOf("fay", func(r *directory.Record) { r.PasswordHash = new(directory.Secret("md5")) }),
		recordOf("guy", withSecret(password), func(r *directory.Record) { r.PasswordHash = new(directory.Secret(cheap)) }),
		recordOf("hal", withSecret("Halhalhal-and-more-41"), func(r *directory.Record) { r.UserName = new("halhalhal") }),
	}
	want := []string{"skip", "update: must_change_password, password", "create", "invalid: password password.too_short",
		"invalid: password_hash password.hash_too_costly", "invalid: password_hash password.hash_unsupported", "invalid: password_hash field.value",
		"invalid: password password.contains_identity"}
	in := importOf()
	for _, dry := range []bool{true, false} {
		in.DryRun = dry
		_, verdicts := f.imported(in, rows...)
		if diff := cmp.Diff(want, whatCame(verdicts)); diff != "" {
			t.Errorf("dry run %t: verdicts (-want +got):\n%s%+v", dry, diff, verdicts)
		}
	}
	cat := f.stored(f.numberOf("cat"))
	if got := f.stored(bob.Number); !got.MustChangePassword || got.AuthEpoch != bob.AuthEpoch+1 || !cat.MustChangePassword {
		t.Errorf("bob is %+v, cat %+v", got, cat)
	}
	client := f.client()
	if _, err := f.grant(client, "bob", otherPass); !directory.IsReason(err, directory.ReasonLoginTemporary) {
		t.Errorf("bob's new password: %v", err)
	}
	if _, err := f.grant(client, "cat", password); !directory.IsReason(err, directory.ReasonLoginTemporary) {
		t.Errorf("cat's password: %v", err)
	}
	if _, err := f.grant(client, "ann", password); err != nil {
		t.Errorf("ann's password: %v", err)
	}
}

// Who shares an address is kept, and signs in by the name alone, if that was asked for.
func TestRulesImportSharedEmail(t *testing.T) {
	f := newFixture(t)
	f.user("ann")
	mail := func(r *directory.Record) { r.Email = new("ann@example.com") }
	rows := []directory.Record{recordOf("bob", mail), recordOf("cat", mail)}
	match := func(o *directory.ImportOptions) { o.Match = []string{"user_name"} }
	_, verdicts := f.imported(importOf(match), rows...)
	if diff := cmp.Diff([]string{"conflict: email user.email_taken", "conflict: email user.email_taken"}, whatCame(verdicts)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	run, verdicts := f.imported(importOf(match, func(o *directory.ImportOptions) { o.SharedEmail = true }), rows...)
	if diff := cmp.Diff([]string{"create", "create"}, whatCame(verdicts)); diff != "" || run.State != directory.BulkDone {
		t.Fatalf("verdicts (-want +got):\n%s", diff)
	}
	bob := f.stored(f.numberOf("bob"))
	if bob.Email != "ann@example.com" || bob.EmailClaimed || f.numberOf("ann@example.com") != f.numberOf("ann") {
		t.Errorf("bob is %+v", bob)
	}
}

// New users are told of their account only if the import says so, whatever the tenant
// has set for those who are made one by one.
func TestRulesImportNotice(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.NotifyOnCreate = true })
	mail := func(r *directory.Record) { r.Email = new(*r.UserName + "@example.com") }
	mails := func() int { return strings.Count(f.dump("jobs")["jobs"], "mail") }
	before := mails()
	f.imported(importOf(), recordOf("ann", mail), recordOf("bob", mail, func(r *directory.Record) { r.Roles = &[]string{} }))
	if mails() != before {
		t.Error("somebody was mailed")
	}
	f.imported(importOf(func(o *directory.ImportOptions) { o.Notify = true }), recordOf("cat", mail), recordOf("dan"))
	if mails() == before {
		t.Error("nobody was mailed")
	}
}
