package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Credential is what a program presents, without its secret.
type Credential struct {
	ID        string              `json:"id" format:"uuid"`
	Kind      string              `json:"kind" enum:"key,client,api_user,customer" doc:"key: a bearer key; client: an OAuth client; api_user and customer: names with a secret, of the edubrite and servicemobility doors."`
	Name      string              `json:"name" example:"HR sync" doc:"What people call it."`
	ClientID  string              `json:"client_id" doc:"Of all kinds but keys; empty for a key."`
	Hint      string              `json:"hint" doc:"The end of the secret, so that people can tell keys apart; empty for a short one."`
	Rank      string              `json:"rank" enum:"self,reader,helpdesk,administrator,owner" doc:"The most that it may do."`
	Scopes    []string            `json:"scopes" enum:"users_read,users_write,passwords,companies,credentials,tenant,events" doc:"What it was made for."`
	Doors     []string            `json:"doors" enum:"canonical,console,edubrite,encore,iqmetrix,scim,servicemobility,smartapp" doc:"The doors that it opens."`
	Company   nullable[int64]     `json:"company" doc:"Number of the company whose subtree is all that it can see; null for the whole tenant."`
	ExpiresAt nullable[time.Time] `json:"expires_at" doc:"null: never."`
	CreatedAt time.Time           `json:"created_at"`
}

// NewCredential is a credential that was just made, with its secret.
type NewCredential struct {
	Credential
	Secret string `json:"secret" doc:"Shown only here."`
}

// credentialOf is a credential of the core as it is shown.
func credentialOf(c *directory.Credential) Credential {
	return Credential{ID: c.ID, Kind: string(c.Kind), Name: c.Name, ClientID: c.ClientID, Hint: c.Hint, Rank: c.Rank.String(), Scopes: c.Scopes.Names(),
		Doors: c.Doors.Names(), Company: numberOf(c.Root), ExpiresAt: timeOf(c.ExpiresAt), CreatedAt: c.CreatedAt.UTC()}
}

// CredentialPath is the parameter of a credential.
type CredentialPath struct {
	Credential string `path:"credential" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The credential's id, a UUID; anything else is unknown."`
}

// exampleCredential is the id of no credential: ids of credentials are drawn.
const exampleCredential = "/credentials/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31"

// makers make the kinds of credentials.
var makers = map[string]func(*directory.Service, context.Context, *directory.Call, directory.NewCredential) (directory.Credential, string, error){
	string(directory.CredentialKey):      (*directory.Service).CreateKey,
	string(directory.CredentialClient):   (*directory.Service).CreateClient,
	string(directory.CredentialAPIUser):  (*directory.Service).CreateAPIUser,
	string(directory.CredentialCustomer): (*directory.Service).CreateCustomer,
}

// registerCredentials adds the operations on credentials.
func registerCredentials(d *door) {
	const tag, path = "credentials", "/credentials/{credential}"
	register(d, operation{id: "list_credentials", method: http.MethodGet, path: "/credentials", tag: tag, summary: "List credentials",
		description: "Oldest first, without anything secret.", examples: []example{{name: "credentials"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*listOutput[Credential], error) {
			list, err := x.door.svc.Credentials(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			var items []Credential
			for i := range list {
				items = append(items, credentialOf(&list[i]))
			}
			return listAnswer(items), nil
		})
	register(d, operation{id: "create_credential", method: http.MethodPost, path: "/credentials", tag: tag, summary: "Create a credential",
		description: "The secret is shown once. Nobody makes a credential that may do more than itself; what is left out is as the maker's.",
		status:      http.StatusCreated, creates: true,
		examples: []example{{name: "a key for one door", body: `{"name":"HR sync","rank":"administrator","scopes":["users_read","users_write"],"doors":["scim"]}`}}}, createCredential)
	register(d, operation{id: "get_credential", method: http.MethodGet, path: path, tag: tag, summary: "Read a credential",
		description: "Without anything secret.", examples: []example{{name: "no such credential", path: exampleCredential, status: http.StatusNotFound}}},
		func(ctx context.Context, x *exchange, in *struct{ CredentialPath }) (*made[Credential], error) {
			c, err := x.door.svc.Credential(ctx, &x.call, in.Credential)
			if err != nil {
				return nil, err
			}
			return &made[Credential]{Body: credentialOf(&c)}, nil
		})
	register(d, removal("delete_credential", path, tag, "Revoke a credential", "From the next request on, in every process; with a client, the tokens that were given through it.",
		example{name: "no such credential", path: exampleCredential, status: http.StatusNotFound}),
		func(ctx context.Context, x *exchange, in *struct{ CredentialPath }) (*nothing, error) {
			return nil, x.door.svc.RevokeCredential(ctx, &x.call, in.Credential)
		})
}

// credentialInput is the body of POST /credentials.
type credentialInput struct {
	Kind      opt[string]    `json:"kind,omitempty" enum:"key,client,api_user,customer" doc:"key if left out."`
	Name      string         `json:"name" minLength:"1" maxLength:"256"`
	ClientID  opt[string]    `json:"client_id,omitempty" maxLength:"256" doc:"Of all kinds but keys, unique in the installation; drawn if left out."`
	Secret    opt[string]    `json:"secret,omitempty" minLength:"12" maxLength:"1024" writeOnly:"true" doc:"Drawn if left out, as it should be."`
	Rank      opt[string]    `json:"rank,omitempty" enum:"self,reader,helpdesk,administrator" doc:"reader if left out. A client has none: it acts as the users who sign in through it."`
	Scopes    opt[[]string]  `json:"scopes,omitempty" maxItems:"20" enum:"users_read,users_write,passwords,companies,credentials,tenant,events" doc:"The maker's if left out or empty."`
	Doors     opt[[]string]  `json:"doors,omitempty" maxItems:"20" enum:"canonical,console,edubrite,encore,iqmetrix,scim,servicemobility,smartapp" doc:"The maker's if left out or empty."`
	Company   opt[int64]     `json:"company,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of the company whose subtree is all that it can see."`
	ExpiresAt opt[time.Time] `json:"expires_at,omitempty" doc:"Never if left out, unless the maker expires."`
}

// core is the input of the use case.
func (in *credentialInput) core() (directory.NewCredential, error) {
	next := directory.NewCredential{Name: in.Name, ClientID: in.ClientID.or(""), Secret: directory.Secret(in.Secret.or("")),
		Root: in.Company.or(0), ExpiresAt: in.ExpiresAt.or(time.Time{})}
	var err error
	if next.Rank, err = directory.ParseRank(in.Rank.or(directory.RankReader.String())); err != nil {
		return next, err
	}
	if next.Scopes, err = directory.ParseScopes(in.Scopes.or(nil)); err != nil {
		return next, err
	}
	next.Doors, err = doorsNamed(in.Doors.or(nil))
	return next, err
}

func createCredential(ctx context.Context, x *exchange, in *struct {
	Body credentialInput `nameHint:"CredentialInput"`
}) (*made[NewCredential], error) {
	show := func(m directory.MadeCredential) (NewCredential, string, int64) {
		return NewCredential{Credential: credentialOf(&m.Credential), Secret: m.Secret}, "/credentials/" + m.Credential.ID, 0
	}
	creates(x, show)
	next, err := in.Body.core()
	if err != nil {
		return nil, x.refuse(err)
	}
	c, secret, err := makers[in.Body.Kind.or(string(directory.CredentialKey))](x.door.svc, ctx, &x.call, next)
	if err != nil {
		return nil, err
	}
	body, path, _ := show(directory.MadeCredential{Credential: c, Secret: secret})
	x.setHeader("Cache-Control", "no-store")
	x.setLocation(path)
	return &made[NewCredential]{Body: body}, nil
}
