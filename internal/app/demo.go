package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// DemoCredentials are the credentials of the sample directory. Its JSON form
// is what random ones are printed as.
type DemoCredentials struct {
	Tenant        string `json:"tenant"`
	Key           string `json:"api_key"` // all scopes, all doors
	Admin         string `json:"admin_user"`
	AdminPassword string `json:"admin_password"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	// APIUser signs in at the edubrite door and acts for ActingUser.
	APIUser         string `json:"edubrite_api_user"`
	APIUserPassword string `json:"edubrite_api_password"`
	ActingUser      string `json:"edubrite_acting_user"`
}

// publishedDemo are the fixed credentials, which the README publishes.
func publishedDemo() DemoCredentials {
	return DemoCredentials{
		Tenant: demoTenant, Key: "usher-demo-key",
		Admin: "admin", AdminPassword: "usher-demo-password",
		ClientID: "usher-demo-client", ClientSecret: "usher-demo-secret",
		APIUser: "api_usher_demo", APIUserPassword: "usher-demo-password", ActingUser: "chenry",
	}
}

// randomDemo has the same names with secrets of 130 random bits.
func randomDemo() DemoCredentials {
	c := publishedDemo()
	for _, secret := range []*string{&c.Key, &c.AdminPassword, &c.ClientSecret, &c.APIUserPassword} {
		*secret = rand.Text()
	}
	return c
}

// The name of the sample directory's API key says whether its credentials are
// the published ones. The key is made last: without it, loading was cut short.
const (
	demoTenant       = "demo"
	demoKeyPublished = "demo (published)"
	demoKeyRandom    = "demo (random)"
)

// LoadDemo loads the sample directory into an empty database, or finds it
// there. It refuses a database with anything else, one where loading was cut
// short, and one with published credentials when random ones are wanted, or
// the other way round. Random credentials are returned only by the call that
// drew them.
func LoadDemo(ctx context.Context, service *directory.Service, random bool) (DemoCredentials, error) {
	tenants, err := service.Tenants(ctx, directory.System(0, "demo"))
	if err != nil {
		return DemoCredentials{}, err
	}
	switch {
	case len(tenants) == 0:
		return createDemo(ctx, service, random)
	case len(tenants) == 1 && tenants[0].Settings.Demo:
		return findDemo(ctx, service, tenants[0].No, random)
	default:
		return DemoCredentials{}, errors.New("demo: the database holds another directory; name an empty one")
	}
}

func createDemo(ctx context.Context, service *directory.Service, random bool) (DemoCredentials, error) {
	credentials, keyName := publishedDemo(), demoKeyPublished
	if random {
		credentials, keyName = randomDemo(), demoKeyRandom
	}
	l := &demoLoader{ctx: ctx, service: service, credentials: credentials}
	for _, step := range []func() error{l.tenant, l.companies, l.groupsAndRoles, l.pools, l.users, l.memberships, l.client,
		func() error { return l.key(keyName) }} {
		if err := step(); err != nil {
			return DemoCredentials{}, fmt.Errorf("demo: loading the sample directory: %w", err)
		}
	}
	return credentials, nil
}

func findDemo(ctx context.Context, service *directory.Service, tenant directory.TenantNo, random bool) (DemoCredentials, error) {
	published, drawn, err := demoKeys(ctx, service, tenant)
	switch {
	case err != nil:
		return DemoCredentials{}, err
	case !published && !drawn:
		return DemoCredentials{}, errors.New("demo: the sample directory in this database was not loaded to its end; name an empty database")
	case published && random:
		return DemoCredentials{}, errors.New("demo_credentials: the sample directory in this database has the published credentials; name an empty database for random ones")
	case !published && !random:
		return DemoCredentials{}, errors.New("demo_credentials: the sample directory in this database has random credentials; start with --demo-credentials=random, or name an empty database")
	case random:
		return DemoCredentials{}, nil
	}
	return publishedDemo(), nil
}

// demoKeys reports which kinds of API keys a sample directory has.
func demoKeys(ctx context.Context, service *directory.Service, tenant directory.TenantNo) (published, drawn bool, err error) {
	list, err := service.Credentials(ctx, directory.System(tenant, "demo"))
	for _, c := range list {
		published = published || c.Name == demoKeyPublished
		drawn = drawn || c.Name == demoKeyRandom
	}
	return published, drawn, err
}

// refusePublicDemo stops a server from showing a sample directory with
// published credentials to others than this machine, also when it is started
// without --demo on a database that was once a demo. Only the key of random
// credentials proves that they are random: the published key may have been
// revoked, or never made, while the published password still signs in.
func refusePublicDemo(ctx context.Context, service *directory.Service, addr string) error {
	if config.Loopback(addr) {
		return nil
	}
	tenants, err := service.Tenants(ctx, directory.System(0, "serve"))
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if !t.Settings.Demo {
			continue
		}
		_, drawn, err := demoKeys(ctx, service, t.No)
		if err != nil {
			return err
		}
		if !drawn {
			return fmt.Errorf("addr: tenant %s is a sample directory whose credentials are public, so it is served on loopback only", t.Name)
		}
	}
	return nil
}
