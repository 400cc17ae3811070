package directory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// grantMethods have no row in the matrix: they take callers who have no
// credential yet, or persons alone, or anybody. Each has tests of its own.
var grantMethods = []string{"PasswordGrant", "RefreshGrant", "Connect", "OpenSession", "SignIn", "Impersonate", "Delegate",
	"ResetOf", "SpendReset", "Admit", "OpenUserSession", "ActAsUser", "WhoAmI", "EndOwnSession", "OwnTenant", "OpenConsoleSession", "AnswerSecondFactor", "ReplaceTemporaryPassword",
	"FinishEnrolment", "ChangeOwnPassword", "EndImpersonation", "BeginSecondFactor", "ConfirmSecondFactor", "NewRecoveryCodes", "OwnAccount"}

func addSessionRules(rules map[string]methodRule) {
	onTarget := func(call func(w *world, c *directory.Call, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			ref := w.target()
			return func(c *directory.Call) error { return call(w, c, ref) }
		}
	}
	rules["ChangePassword"] = methodRule{deskRank, directory.ScopePasswords, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return w.svc.ChangePassword(w.ctx, c, ref, directory.NewPassword{Password: password})
	})}
	rules["GeneratePassword"] = methodRule{deskRank, directory.ScopePasswords, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return w.svc.GeneratePassword(w.ctx, c, ref)
	})}
	rules["MailReset"] = methodRule{deskRank, directory.ScopePasswords, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		return w.svc.MailReset(w.ctx, c, ref)
	})}
	create := func(make func(s *directory.Service, w *world, c *directory.Call, in directory.NewCredential) (string, error)) methodRule {
		return methodRule{adminRank, directory.ScopeCredentials, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
			secret, err := make(w.svc, w, c, directory.NewCredential{Name: "made", Root: w.outside})
			if secret != "" {
				w.secret(secret)
			}
			return err
		})}
	}
	rules["CreateAPIUser"] = create(func(s *directory.Service, w *world, c *directory.Call, in directory.NewCredential) (string, error) {
		_, secret, err := s.CreateAPIUser(w.ctx, c, in)
		return secret, err
	})
	rules["CreateCustomer"] = create(func(s *directory.Service, w *world, c *directory.Call, in directory.NewCredential) (string, error) {
		_, secret, err := s.CreateCustomer(w.ctx, c, in)
		return secret, err
	})
	addJobRules(rules)
}

func addJobRules(rules map[string]methodRule) {
	rules["ClaimJobs"] = methodRule{ownerRank, directory.ScopeTenant, false, true, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.ClaimJobs(w.ctx, c, directory.JobMail, "matrix", 1, time.Minute)
		return err
	})}
	rules["Sweep"] = methodRule{ownerRank, directory.ScopeTenant, false, true, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.Sweep(w.ctx, c)
		return err
	})}
	onJob := func(call func(w *world, c *directory.Call, job directory.Job) error) methodRule {
		return methodRule{ownerRank, directory.ScopeTenant, false, true, "", func(w *world) func(c *directory.Call) error {
			check(w.t, w.svc.MailReset(w.ctx, w.sys(), w.target()))
			jobs := must(w.svc.ClaimJobs(w.ctx, w.sys(), directory.JobMail, "matrix", 1, time.Minute))(w.t)
			return func(c *directory.Call) error { return call(w, c, jobs[0]) }
		}}
	}
	rules["FinishJob"] = onJob(func(w *world, c *directory.Call, job directory.Job) error { return w.svc.FinishJob(w.ctx, c, job) })
	rules["RetryJob"] = onJob(func(w *world, c *directory.Call, job directory.Job) error {
		return w.svc.RetryJob(w.ctx, c, job, w.clock.now(), "busy")
	})
	rules["AbandonJob"] = onJob(func(w *world, c *directory.Call, job directory.Job) error {
		return w.svc.AbandonJob(w.ctx, c, job, "no such address")
	})
	rules["OpenMail"] = onJob(func(w *world, c *directory.Call, job directory.Job) error {
		_, err := w.svc.OpenMail(w.ctx, c, job)
		return err
	})
}

// Whoever signed in with a temporary password may replace it, and do nothing
// else, whatever the rank.
func TestRulesPolicyTemporaryPassword(t *testing.T) {
	w := newWorld(t)
	admin := w.ranked(adminRank)
	check(t, w.svc.SetPassword(w.ctx, w.sys(), directory.ByNumber(admin.Number), directory.NewPassword{Password: password, Temporary: true}))
	token := must(w.signIn(admin.UserName, password))(t)
	for name, rule := range methodRules() {
		want := directory.ReasonLoginTemporary
		if name == "ChangePassword" { // of somebody else
			want = directory.ReasonSelfOnly
		}
		run := rule.run(w)
		dump := w.dump()
		wantRefused(t, name, run(w.signed(token)), directory.CodeForbidden, want)
		w.wantUnchanged(dump, name)
	}
	wantRefused(t, "Delegate", second(w.svc.Delegate(w.ctx, w.signed(token), w.tenant.ID, "x")), directory.CodeForbidden, directory.ReasonLoginTemporary)
	check(t, w.svc.Admit(w.ctx, w.signed(token)))
	check(t, w.svc.ChangePassword(w.ctx, w.signed(token), directory.ByNumber(admin.Number), directory.NewPassword{Password: otherPass, Temporary: true}))
	if u := w.stored(admin.Number); u.MustChangePassword {
		t.Error("the new password is temporary too")
	}
	wantRefused(t, "the old token", w.svc.Admit(w.ctx, w.signed(token)), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	check(t, w.reads(w.signed(must(w.signIn(admin.UserName, otherPass))(t)), admin.Number))
}

// What an impersonator may not do is refused whatever the ranks, and everything
// else is what the target may do.
func TestRulesPolicyImpersonation(t *testing.T) {
	w := newWorld(t)
	token := must(w.impersonate(w.ranked(adminRank), w.ranked(adminRank)))(t)
	barred := []string{"SetPassword", "ChangePassword", "GeneratePassword", "MailReset", "MakeReset", "CreateKey", "CreateClient", "CreateAPIUser",
		"CreateCustomer", "Credentials", "Credential", "RevokeCredential", "AssignRole", "UnassignRole", "SetUserRoles", "GiveRole", "TakeRole",
		"SetRoleMembers", "UpdateTenant", "EditTenant", "SetOwner", "CreateTenant", "TenantByName", "Tenants", "SetEntity", "SetEntityOf", "ClaimJobs",
		"FinishJob", "RetryJob", "AbandonJob", "OpenMail", "Sweep", "RestartChain", "RemoveSecondFactor", "TemporaryPassword",
		"CreateBulk", "AddBulkPart", "StartBulk", "CancelBulk", "BulkPart"}
	for name, rule := range methodRules() {
		run := rule.run(w)
		dump := w.dump()
		webhooks := rule.scope == directory.ScopeEvents|directory.ScopeTenant
		refused := rule.operator && rule.scope == directory.ScopeTenant || webhooks || slices.Contains(barred, name)
		if err := run(w.signed(token)); directory.IsReason(err, directory.ReasonImpersonating) != refused {
			t.Errorf("%s: error %v, barred: %t", name, err, refused)
		}
		if refused {
			w.wantUnchanged(dump, name)
		}
	}
	u := w.someone()
	must(w.svc.CreateRole(w.ctx, w.sys(), directory.Role{Key: "clerk", Name: "Clerk"}))(t)
	for what, patch := range map[string]directory.UserPatch{
		"password":      {Password: directory.Some(password)},
		"roles":         {Roles: directory.Some([]string{"clerk"})},
		"administrator": {Administrator: directory.Some(true)},
	} {
		_, err := w.svc.UpdateUser(w.ctx, w.signed(token), directory.ByNumber(u.Number), patch, directory.UpdateOptions{})
		wantRefused(t, "a patch of "+what, err, directory.CodeForbidden, directory.ReasonImpersonating)
	}
	wantRefused(t, "Delegate", second(w.svc.Delegate(w.ctx, w.signed(token), w.tenant.ID, "x")), directory.CodeForbidden, directory.ReasonImpersonating)
}
