package directory

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/google/uuid"
)

// jobDay is how often the jobs come that every tenant has, and firstWithin in
// what time they come first, spread over tenants.
const (
	jobDay      = 24 * time.Hour
	firstWithin = time.Hour
)

// recyclePage is how many deleted users are read at once, and recycleMost how
// many are purged in one go, after which another job may come first.
const (
	recyclePage = 100
	recycleMost = 2000
)

// comesAgain says that a job has been done and when it is due the next time.
type comesAgain struct{ at time.Time }

func (e comesAgain) Error() string { return "done, and due again at " + e.at.Format(time.RFC3339) }

// Again is when the job is due the next time.
func (e comesAgain) Again() time.Time { return e.at }

// tomorrow is when a job that has done all it could comes again.
func (s *Service) tomorrow() error { return comesAgain{s.now().Add(jobDay)} }

// Recycle does a job of the kind recycle, and Trim one of the kind retention.
// Only the server itself can. Both answer an error with a method Again, which
// says when the job is due the next time, when all is done.
//
// Each user is purged by the rule for everybody, in a transaction of its own. One
// that is held stays, and so does one that was restored since.
func (s *Service) Recycle(ctx context.Context, call *Call, job Job) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	settings, err := s.jobSettings(ctx, job)
	if err != nil {
		return err
	}
	days := settings.RecycleBinDays
	if days == 0 {
		return s.tomorrow()
	}
	before := s.now().AddDate(0, 0, -days)
	purged, at, after := 0, time.Time{}, int64(0)
	for {
		var page []User
		err := s.store.Read(ctx, func(r Reader) (err error) {
			page, err = r.DeletedUsers(ctx, job.Tenant, before, at, after, recyclePage)
			return err
		})
		if err != nil {
			return err
		}
		for i := range page {
			gone, err := s.recycle(ctx, &page[i])
			if err != nil {
				return err
			}
			if gone {
				purged++
			}
			at, after = page[i].DeletedAt, page[i].Number
		}
		switch {
		case len(page) < recyclePage:
			return s.tomorrow()
		case purged >= recycleMost:
			return comesAgain{s.now()}
		}
	}
}

// recycle purges a user that was deleted long ago, as it was read, and reports
// whether it could.
func (s *Service) recycle(ctx context.Context, u *User) (bool, error) {
	call := byItself(u.Tenant, "recycle")
	call.Reason = "recycle_bin_days have passed"
	call.If.Match = []int64{u.Version} // not one that was restored and deleted again
	err := s.PurgeUser(ctx, call, ByNumber(u.Number))
	for _, stays := range [...]Reason{ReasonUserHeld, ReasonVersionMismatch, ReasonStateNotAllowed, ReasonUserNotFound, ReasonOwnerProtected} {
		if IsReason(err, stays) {
			return false, nil
		}
	}
	return err == nil, err
}

// jobSettings reads the settings of a job's tenant.
func (s *Service) jobSettings(ctx context.Context, job Job) (*Settings, error) {
	own := byItself(job.Tenant, string(job.Kind))
	err := s.enter(ctx, own, ActTenant)
	return own.Settings, err
}

// EnsureJobs writes the jobs that every tenant has and that never end, where one
// is missing, and makes one due that is put back for longer than it can be, after
// a clock was wrong. Only the server itself can.
func (s *Service) EnsureJobs(ctx context.Context, call *Call) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	var tenants []Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		tenants, err = r.Tenants(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for i := range tenants {
		for _, job := range s.permanentJobs(&tenants[i]) {
			if err := s.ensureJob(ctx, job); err != nil {
				return fmt.Errorf("directory: job %s of tenant %s: %w", job.Kind, tenants[i].Name, err)
			}
		}
	}
	return nil
}

// permanentJobs are the jobs that a tenant always has. Their ids follow from the
// tenant's, so that of several processes one makes them.
func (s *Service) permanentJobs(t *Tenant) []Job {
	var jobs []Job
	for _, kind := range JobKinds() {
		if !kind.permanent() {
			continue
		}
		id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("usher job "+t.ID+" "+string(kind))).String()
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(id)) // never fails (package hash)
		first := s.now().Add(time.Duration(sum.Sum32()) * time.Second % firstWithin)
		jobs = append(jobs, Job{Tenant: t.No, ID: id, Kind: kind, RunAt: first, CreatedAt: s.now()})
	}
	return jobs
}

// ensureJob writes a job that is missing, or makes it due again. It looks before
// it writes.
func (s *Service) ensureJob(ctx context.Context, job Job) error {
	var there Job
	err := s.store.Read(ctx, func(r Reader) (err error) {
		there, err = r.Job(ctx, job.Tenant, job.ID, s.now())
		return err
	})
	switch {
	case err == nil && there.ClosedAt.IsZero() && !there.RunAt.After(s.now().Add(MaxJobPause)):
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		_, err := tx.Job(ctx, job.Tenant, job.ID, s.now())
		if errors.Is(err, ErrNotFound) {
			return tx.InsertJob(ctx, job)
		}
		if err == nil {
			_, err = tx.ReopenJob(ctx, job.Tenant, job.ID, s.now(), JobWaiting, JobDone, JobFailed, JobCancelled)
		}
		return err
	})
}
