package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Job is work that the server does beside the requests.
type Job struct {
	ID        string              `json:"id" format:"uuid"`
	Kind      string              `json:"kind" example:"mail" doc:"mail: a message; expiry: a validity date of a user that is to come; recycle: the purge of the recycle bin; retention: the removal of old events; bulk: an import or a bulk action. recycle and retention never end. An open set."`
	State     string              `json:"state" enum:"waiting,running,done,failed,cancelled" doc:"failed: given up after all attempts."`
	User      nullable[int64]     `json:"user" doc:"Number of the user it is about; null for none."`
	RunAt     time.Time           `json:"run_at" doc:"Not done before."`
	Attempts  int64               `json:"attempts"`
	LastError string              `json:"last_error" doc:"What went wrong the last time; empty for nothing."`
	CreatedAt time.Time           `json:"created_at"`
	ClosedAt  nullable[time.Time] `json:"closed_at" doc:"null while it waits or runs."`
}

// jobOf is a job of the core as it is shown.
func jobOf(j *directory.Job) Job {
	return Job{ID: j.ID, Kind: string(j.Kind), State: string(j.State), User: numberOf(j.User), RunAt: j.RunAt.UTC(), Attempts: int64(j.Attempts),
		LastError: j.LastError, CreatedAt: j.CreatedAt.UTC(), ClosedAt: timeOf(j.ClosedAt)}
}

// JobPath is the parameter of a job.
type JobPath struct {
	Job string `path:"job" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The job's id, a UUID; anything else is unknown."`
}

// JobQuery are the parameters of the list of jobs.
type JobQuery struct {
	PageQuery
	Kind  string `query:"kind" enum:"mail,expiry,recycle,retention,bulk" doc:"Only of this kind."`
	State string `query:"state" enum:"waiting,running,done,failed,cancelled" doc:"Only in this state."`
	User  string `query:"user" example:"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" doc:"Id of a user: what is about it."`
}

// exampleJob is the id of no job: ids of jobs are drawn.
const exampleJob = "/jobs/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31"

// registerJobs adds the operations on jobs.
func registerJobs(d *door) {
	const tag, path = "jobs", "/jobs/{job}"
	register(d, operation{id: "list_jobs", method: http.MethodGet, path: "/jobs", tag: tag, summary: "List jobs",
		description: "The newest first. What a job is to do is not shown, since it may hold secrets.", examples: []example{{name: "what failed", path: "/jobs?state=failed"}}},
		func(ctx context.Context, x *exchange, in *JobQuery) (*pageOutput[Job], error) {
			q := directory.JobQuery{Kind: directory.JobKind(in.Kind), State: directory.JobState(in.State), Cursor: in.Cursor, Limit: in.Limit}
			if in.User != "" {
				q.User = directory.ByID(in.User)
			}
			list, err := x.door.svc.Jobs(ctx, &x.call, q)
			if err != nil {
				return nil, err
			}
			return treePage(directory.Page[directory.Job]{Items: list.Jobs, Next: list.Next}, false, jobOf), nil
		})
	for _, op := range []struct {
		id, method, action, summary, description string
		do                                       func(*directory.Service, context.Context, *directory.Call, string) (directory.Job, error)
	}{
		{"get_job", http.MethodGet, "", "Read a job", "Done ones are kept for a while.", (*directory.Service).Job},
		{"retry_job", http.MethodPost, "/retry", "Retry a job", "Makes it due at once: one that waits, has failed or was cancelled.", (*directory.Service).RedoJob},
		{"cancel_job", http.MethodPost, "/cancel", "Cancel a job", "One that waits; those that never end cannot be cancelled.", (*directory.Service).CancelJob},
	} {
		register(d, operation{id: op.id, method: op.method, path: path + op.action, tag: tag, summary: op.summary, description: op.description,
			examples: []example{{name: "no such job", path: exampleJob + op.action, status: http.StatusNotFound}}},
			func(ctx context.Context, x *exchange, in *struct{ JobPath }) (*made[Job], error) {
				j, err := op.do(x.door.svc, ctx, &x.call, in.Job)
				if err != nil {
					return nil, err
				}
				return &made[Job]{Body: jobOf(&j)}, nil
			})
	}
}
