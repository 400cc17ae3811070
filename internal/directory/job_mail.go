package directory

import (
	"context"
	"encoding/json"
	"fmt"
)

// resetPage is where a reset token is spent (internal/console/reset).
const resetPage = "/reset?token="

// mailTo begins a message to a user, whose own stored address it goes to.
// Errors: user.no_email.
func mailTo(call *Call, kind MailKind, u *User) (Mail, error) {
	if u.Email == "" {
		return Mail{}, Wrong(CodeConflict, ReasonNoAddress, "The user has no e-mail address to write to.")
	}
	call.jobs = true
	m := Mail{Kind: kind, To: u.Email, Name: fullName(u), UserName: u.UserName, Language: u.Profile.Language}
	if call.tenant != nil {
		m.Tenant = call.tenant.Name
	}
	return m, nil
}

// fullName is what people call a user; "" when nothing is known.
func fullName(u *User) string {
	switch {
	case u.DisplayName != "":
		return u.DisplayName
	case u.GivenName == "" || u.FamilyName == "":
		return u.GivenName + u.FamilyName
	}
	return u.GivenName + " " + u.FamilyName
}

// enqueueMail seals a message to a user and inserts the job that sends it, in
// the transaction of the change that it tells of. id is the job's: drawn
// outside of the closure, so that a closure that runs twice asks once. Errors:
// secret_key.missing.
func (s *Service) enqueueMail(ctx context.Context, tx Tx, m Mail, u *User, id string) error {
	plain, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("directory: message of job %s: %w", id, err)
	}
	sealed, err := s.opts.Sealer.Seal(mailPurpose(u.Tenant, id), plain)
	if err != nil {
		return err
	}
	return tx.InsertJob(ctx, Job{Tenant: u.Tenant, ID: id, Kind: JobMail, User: u.Number, RunAt: s.now(), Payload: sealed, CreatedAt: s.now()})
}

// jobsAdded tells the server that jobs are due, once what asked for them has been
// committed.
func (s *Service) jobsAdded(call *Call, err error) {
	if err == nil && call.jobs && s.opts.JobAdded != nil {
		s.opts.JobAdded()
	}
}

// mailPurpose binds a sealed message to its job.
func mailPurpose(t TenantNo, job string) string { return fmt.Sprintf("mail %d %s", t, job) }

// openMail is what enqueueMail sealed. An error that has the method Permanent
// stays.
func (s *Service) openMail(job *Job) (Mail, error) {
	plain, err := s.opts.Sealer.Open(mailPurpose(job.Tenant, job.ID), job.Payload)
	if err != nil {
		return Mail{}, err
	}
	var m Mail
	if err := json.Unmarshal(plain, &m); err != nil {
		return Mail{}, errSealed // what sealed it was no enqueueMail
	}
	return m, nil
}

// resetLink is the link of a message.
func (s *Service) resetLink(token string) string { return s.opts.PublicURL + resetPage + token }
