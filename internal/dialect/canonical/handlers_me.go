package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// identity is who asks.
type identity struct {
	Kind       string          `json:"kind" enum:"user,key,customer" doc:"A person who has signed in, or the kind of the credential."`
	Name       string          `json:"name" example:"key:reader" doc:"As the events name the caller."`
	OnBehalfOf string          `json:"on_behalf_of" doc:"Who acts in the person's name; empty for nobody."`
	Rank       string          `json:"rank" enum:"self,reader,helpdesk,administrator,owner"`
	Scopes     []string        `json:"scopes" enum:"users_read,users_write,passwords,companies,credentials,tenant,events"`
	Company    nullable[int64] `json:"company" doc:"Number of the company whose subtree is all that the caller can see; null for the whole tenant."`
	Tenant     tenantRef       `json:"tenant"`
	User       *userBody       `json:"user,omitempty" doc:"The person's own record."`
	Credential *Credential     `json:"credential,omitempty" doc:"The credential, without its secret."`
}

// tenantRef is a tenant as everybody in it may see it.
type tenantRef struct {
	ID   string `json:"id" format:"uuid"`
	Name string `json:"name"`
}

// identityOf is who asks as it is shown.
func (x *exchange) identityOf(who *directory.Identity) identity {
	a := &who.Actor
	shown := identity{Kind: string(directory.CredentialKey), Name: a.Name, OnBehalfOf: a.OnBehalfOf, Rank: a.Rank.String(), Scopes: a.Scopes.Names(),
		Company: numberOf(a.Root), Tenant: tenantRef{ID: who.Tenant.ID, Name: who.Tenant.Name}}
	if who.Person.Set {
		shown.Kind = "user"
		shown.User = &userBody{x.show(&who.Person.Value)}
	}
	if who.Credential.Set {
		shown.Kind = string(who.Credential.Value.Kind)
		shown.Credential = ptr(credentialOf(&who.Credential.Value))
	}
	return shown
}

// myself is the person who asks.
var myself = directory.UserRef{Self: true}

// registerMe adds what callers do with themselves.
func registerMe(d *door) {
	register(d, operation{id: "get_me", method: http.MethodGet, path: "/me", tag: "me", summary: "Who asks",
		description: "The person or the credential, with rank and scopes. Every valid credential may ask.", examples: []example{{name: "who asks"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*made[identity], error) {
			who, err := x.door.svc.WhoAmI(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			return &made[identity]{Body: x.identityOf(&who)}, nil
		})
	never(d, http.MethodGet, "/me", http.StatusForbidden, http.StatusNotFound)
	register(d, operation{id: "update_me", method: http.MethodPatch, path: "/me", tag: "me", summary: "Change one's own record",
		description: "A merge patch, as that of a user. An ordinary user may change name, address, telephones, e-mail, picture, language and time zone. A credential is nobody: 404.",
		versioned:   true, patch: true, examples: []example{{name: "a key is nobody", body: `{"language":"en-GB"}`, status: http.StatusNotFound}}},
		func(ctx context.Context, x *exchange, in *struct{ Body UserChange }) (*userOutput, error) {
			options := directory.UpdateOptions{ClaimEmail: true, From: func(now *directory.UserDetail) (directory.UserPatch, error) {
				return mergePatch(&in.Body, &now.User)
			}}
			u, err := x.door.svc.UpdateUser(ctx, &x.call, myself, directory.UserPatch{}, options)
			if err != nil {
				return nil, err
			}
			return x.userAnswer(&u), nil
		})
	register(d, operation{id: "change_my_password", method: http.MethodPost, path: "/me/password", tag: "me", summary: "Change one's own password",
		description: "Every session of the caller ends, this one too: sign in again. A credential is nobody: 404.",
		examples:    []example{{name: "a key is nobody", body: `{"password":"quarry-lantern-57"}`, status: http.StatusNotFound}}},
		func(ctx context.Context, x *exchange, in *struct {
			Body struct {
				Password string `json:"password" minLength:"1" maxLength:"1024" writeOnly:"true"`
			} `nameHint:"OwnPassword"`
		}) (*nothing, error) {
			return nil, x.door.svc.ChangePassword(ctx, &x.call, myself, directory.NewPassword{Password: in.Body.Password})
		})
}
