package directory_test

import (
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// apiUser is an API user with its password.
type apiUser struct {
	directory.Credential
	secret string
}

// apiUser makes an API user of a rank.
func (f *fixture) apiUser(rank directory.Rank, change ...func(*directory.NewCredential)) apiUser {
	f.t.Helper()
	in := directory.NewCredential{Name: f.unique("api"), Rank: rank}
	for _, c := range change {
		c(&in)
	}
	made, secret, err := f.svc.CreateAPIUser(f.ctx, f.sys(), in)
	check(f.t, err)
	f.secret(secret)
	return apiUser{made, secret}
}

// connect opens an API session, as if from an address of its own.
func (f *fixture) connect(name, secret string) (directory.SessionPair, error) {
	call := f.through(directory.DoorEduBrite, secret)
	call.ClientID, call.Addr = name, f.unique("address")
	pair, err := f.svc.Connect(f.ctx, call, "")
	if err == nil {
		f.secret(pair.Info)
	}
	return pair, err
}

// connected is a session of an API user.
func (f *fixture) connected(a apiUser) directory.SessionPair {
	f.t.Helper()
	return must(f.connect(a.ClientID, a.secret))(f.t)
}

// acting is a call of a session for somebody.
func (f *fixture) acting(pair directory.SessionPair, name string) *directory.Call {
	call := f.through(directory.DoorEduBrite, string(pair.Secret()))
	call.ActAs = name
	return call
}

// reads reports what a call gets that reads a user.
func (f *fixture) reads(call *directory.Call, number int64) error {
	_, err := f.svc.User(f.ctx, call, directory.ByNumber(number))
	return err
}

// signIn signs a user in for a token, as if from an address of its own.
func (f *fixture) signIn(name, pass string) (string, error) {
	call := f.through(directory.DoorServiceMobility, "")
	call.Addr = f.unique("address")
	token, err := f.svc.SignIn(f.ctx, call, name, directory.Secret(pass))
	if err == nil {
		f.secret(token)
	}
	return token, err
}

// signed is a call with a signed token.
func (f *fixture) signed(token string) *directory.Call {
	return f.through(directory.DoorServiceMobility, token)
}

// impersonate gets a token that acts as a user.
func (f *fixture) impersonate(admin, target directory.User) (string, error) {
	call := f.through(directory.DoorServiceMobility, "")
	call.Addr = f.unique("address")
	token, err := f.svc.Impersonate(f.ctx, call, directory.ByUserName(target.UserName), admin.UserName, password)
	if err == nil {
		f.secret(token)
	}
	return token, err
}

// mail claims the tenant's waiting messages and opens them.
func (f *fixture) mail() []directory.Mail {
	f.t.Helper()
	var list []directory.Mail
	jobs := must(f.svc.ClaimJobs(f.ctx, f.sys(), directory.JobMail, "test", 100, time.Minute))(f.t)
	for _, job := range jobs {
		m := must(f.svc.OpenMail(f.ctx, f.sys(), job))(f.t)
		if m.Password != "" {
			f.secret(m.Password)
		}
		list = append(list, m)
		check(f.t, f.svc.FinishJob(f.ctx, f.sys(), job))
	}
	return list
}

// itoa is a number as texts have it.
func itoa(n int64) string { return strconv.FormatInt(n, 10) }
