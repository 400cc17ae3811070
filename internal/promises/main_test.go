package promises

import (
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// start starts a server. It believes X-Forwarded-For, so that requests can come
// from addresses of their own and meet no limit of sign-ins.
func start(t *testing.T, engine string) *testkit.Server {
	t.Helper()
	return testkit.Start(t, testkit.Options{Engine: engine, Tune: believe})
}

// believe also keeps warnings out of the tests' output: refusals are what is
// tested.
func believe(c *config.Config) { c.TrustedProxies, c.LogLevel = []string{"127.0.0.1"}, "error" }

// onEngines runs a test on a server of each engine.
func onEngines(t *testing.T, test func(t *testing.T, s *testkit.Server)) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, engine))
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
