package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// remote is a running server as a command works on it: what its key may do, on the
// key's tenant.
type remote struct {
	*client.Client
	tenant  *client.Tenant
	because client.CallOption // the reason, for every change
}

// What a command does, on the database and on a server.
type (
	near = func(context.Context, *app.TenantAdmin) error
	far  = func(context.Context, *remote) error
)

// on runs a command: far on the server that is named, else near on the database.
func (p *program) on(cmd *cobra.Command, t *target, near near, far far) error {
	return p.choose(cmd, t, p.withTenant, near, far)
}

// onNamed is on for a command whose argument names the tenant.
func (p *program) onNamed(cmd *cobra.Command, t *target, near near, far far) error {
	return p.choose(cmd, t, p.withTenantNamed, near, far)
}

func (p *program) choose(cmd *cobra.Command, t *target, open func(*cobra.Command, *target, near) error, near near, far far) error {
	address, err := p.address(cmd, t)
	if err != nil {
		return err
	}
	if address != "" {
		return p.onServer(cmd, address, t, far)
	}
	if t.reason != "" || t.keyFile != "" {
		return errors.New("--reason and --key-file are for --server")
	}
	return open(cmd, t, near)
}

// asked runs a command that only a server can answer.
func (p *program) asked(cmd *cobra.Command, t *target, far far) error {
	address, err := p.address(cmd, t)
	if err == nil && address == "" {
		err = fmt.Errorf("--server: name the running server, or set %s: this command asks one", serverVariable)
	}
	if err != nil {
		return err
	}
	return p.onServer(cmd, address, t, far)
}

// onServer runs a command on a server.
func (p *program) onServer(cmd *cobra.Command, address string, t *target, far far) error {
	c, err := p.connect(address, t)
	if err != nil {
		return err
	}
	r := &remote{Client: c, because: client.Reason(t.reason)}
	if r.tenant, err = c.Tenant.Get(cmd.Context()); err != nil {
		return forPeople(cmd, address, err)
	}
	if t.tenant != "" && t.tenant != r.tenant.Name {
		return fmt.Errorf("the key is of tenant %s: with --server a command works on that one", r.tenant.Name)
	}
	return forPeople(cmd, address, far(cmd.Context(), r))
}

// forPeople keeps of a server's error what a person reads, with the status to exit
// with; fields that are flags of the command are named as those.
func forPeople(cmd *cobra.Command, address string, err error) error {
	refused, ok := errors.AsType[*client.Error](err)
	unreachable, lost := errors.AsType[net.Error](err)
	switch {
	case lost:
		return withExit(exitUnavailable, fmt.Errorf("cannot reach %s: %w", address, unreachable))
	case !ok:
		return err
	}
	return withExit(statusOfCode(refused.Code, refused.Status), readable(cmd, address, refused))
}

// readable is what a person reads of a refusal, a line for each field at fault.
func readable(cmd *cobra.Command, address string, refused *client.Error) error {
	switch {
	case refused.Code == client.CodeUnauthenticated:
		return fmt.Errorf("%s does not take the key: %s", address, refused.Detail)
	case len(refused.Fields) == 0:
		return errors.New(refused.Explanation())
	}
	var lines []error
	for _, f := range refused.Fields {
		name, message := f.Field, f.Message
		if flag := strings.ReplaceAll(f.Field, "_", "-"); cmd.Flags().Lookup(flag) != nil {
			name = "--" + flag
		}
		if rest, ok := strings.CutPrefix(message, f.Field); ok {
			message = name + rest
		} else {
			message = name + ": " + message
		}
		lines = append(lines, errors.New(message))
	}
	return errors.Join(lines...)
}

// absent is an error about what is not there.
func absent(format string, args ...any) error {
	return withExit(exitNotFound, fmt.Errorf(format, args...))
}

// uuid is the form of ids.
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// user finds a user by user name, e-mail address or id.
func (r *remote) user(ctx context.Context, who string, options ...client.CallOption) (*client.User, error) {
	if who == "" {
		return nil, errors.New("--user: name the user")
	}
	var u *client.User
	var err error
	if uuid.MatchString(who) {
		u, err = r.Users.Get(ctx, who, options...)
	} else {
		u, err = r.Users.GetBy(ctx, client.ByLogin, who, options...)
	}
	if client.IsNotFound(err) {
		return nil, absent("--user: tenant %s has no user %q", r.tenant.Name, who)
	}
	return u, err
}

// userID is the id of a user by user name, e-mail address or id. An id is not looked
// up, since that of a user in the recycle bin would not be found.
func (r *remote) userID(ctx context.Context, who string) (string, error) {
	if uuid.MatchString(who) {
		return who, nil
	}
	u, err := r.user(ctx, who)
	if err != nil {
		return "", err
	}
	return u.ID, nil
}

// removed finds a user in the recycle bin by id, or by the user name or address
// that it had.
func (r *remote) removed(ctx context.Context, who string) (*client.User, error) {
	if who == "" {
		return nil, errors.New("--user: name the user")
	}
	text, err := json.Marshal(who)
	if err != nil {
		return nil, err
	}
	filter := fmt.Sprintf("user_name eq %s or email eq %s", text, text)
	if uuid.MatchString(who) {
		filter = fmt.Sprintf("id eq %s", text)
	}
	page, err := r.Users.List(ctx, client.UserQuery{Filter: filter, Status: []string{client.StatusDeleted}})
	switch {
	case err != nil:
		return nil, err
	case len(page.Items) == 0:
		return nil, absent("--user: the recycle bin of tenant %s has no user %q", r.tenant.Name, who)
	case len(page.Items) > 1:
		var ids []string
		for i := range page.Items {
			ids = append(ids, page.Items[i].ID)
		}
		return nil, fmt.Errorf("--user: the recycle bin has several users %q; name one by its id: %s", who, strings.Join(ids, ", "))
	}
	return &page.Items[0], nil
}

// role finds a role that a company can use, by key, name or number.
func (r *remote) role(ctx context.Context, text string, company int64) (*client.Role, error) {
	if text == "" {
		return nil, errors.New("--role: name the role by its key; see: usher role list")
	}
	roles, err := r.roles(ctx, company)
	if err != nil {
		return nil, err
	}
	for _, match := range []func(*client.Role) bool{
		func(role *client.Role) bool { return role.Key == text },
		func(role *client.Role) bool {
			return strings.EqualFold(role.Key, text) || strings.EqualFold(role.Name, text)
		},
		func(role *client.Role) bool { return fmt.Sprint(role.Number) == text },
	} {
		var found []*client.Role
		for i := range roles {
			if match(&roles[i]) {
				found = append(found, &roles[i])
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return nil, fmt.Errorf("--role: the tenant and the company both have a role %q; name one by its number: %d or %d", text, found[0].Number, found[1].Number)
	}
	return nil, absent("--role: there is no role %q; see: usher role list", text)
}

// roles are the roles that a company can use: the tenant's and its own.
func (r *remote) roles(ctx context.Context, company int64) ([]client.Role, error) {
	if _, err := r.Companies.Get(ctx, fmt.Sprint(company)); client.IsNotFound(err) {
		return nil, absent("--company: tenant %s has no company %d", r.tenant.Name, company)
	} else if err != nil {
		return nil, err
	}
	var roles []client.Role
	for role, err := range r.Roles.All(ctx, client.RoleQuery{PageQuery: client.PageQuery{Limit: 200}}) {
		if err != nil {
			return nil, err
		}
		if role.Company == 0 || role.Company == company {
			roles = append(roles, role)
		}
	}
	return roles, nil
}
