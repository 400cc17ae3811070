package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spf13/pflag"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// The race for seats: many people, few seats, all activated at once.
const (
	racers = 500
	seats  = 100
)

// Of 500 activations that race for 100 free seats exactly 100 succeed, and the
// others are told why: on SQLite by one process, on PostgreSQL by three.
func TestSeatsAreNeverOversold(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for engine, processes := range map[string]int{"sqlite": 1, "postgres": 3} {
		t.Run(engine, func(t *testing.T) {
			prepared := testkit.Start(t, testkit.Options{Engine: engine})
			tenant, key := prepared.Tenant(t, "acme", directory.RankAdministrator)
			users := manyUsers(t, prepared, tenant.No)
			if err := prepared.Stop(); err != nil {
				t.Fatal(err)
			}
			var urls []string
			for range processes {
				urls = append(urls, testkit.Serve(t, program, "--database="+prepared.Config.Database))
			}
			won, refused := race(t, urls, key, users)
			if won != seats || refused != racers-seats {
				t.Errorf("%d activations won and %d were refused, want %d and %d", won, refused, seats, racers-seats)
			}
		})
	}
}

// serveAsProgram makes a process of this test binary a server, as `usher serve`
// with the same flags is one: building the program would take far longer than
// the race. It answers with the exit status.
func serveAsProgram(arguments []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	serve := func() (err error) {
		flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		config.AddFlags(flags)
		if err := flags.Parse(arguments); err != nil {
			return err
		}
		loaded, err := config.Load(os.Environ(), flags)
		if err != nil {
			return err
		}
		a, err := app.New(ctx, loaded.Config, os.Stderr)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		if err := a.Listen(ctx); err != nil {
			return err
		}
		return a.Run(ctx)
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// manyUsers makes the racers, inactive, and the pool that they race for.
func manyUsers(t *testing.T, s *testkit.Server, tenant directory.TenantNo) []int64 {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Service.SetPool(ctx, directory.System(tenant, "test"), "regular", seats); err != nil {
		t.Fatal(err)
	}
	numbers := make([]int64, racers)
	var group sync.WaitGroup
	for i := range numbers {
		group.Go(func() {
			u, err := s.Service.CreateUser(ctx, directory.System(tenant, "test"), directory.NewUser{State: directory.StateInactive,
				Fields: directory.UserPatch{UserName: directory.Some(fmt.Sprintf("racer%d", i)), LicenceType: directory.Some("regular")}})
			if err != nil {
				t.Error(err)
			}
			numbers[i] = u.Number
		})
	}
	group.Wait()
	return numbers
}

// race activates everybody through the encore door, by all servers in turn.
func race(t *testing.T, urls []string, key string, users []int64) (won, refused int64) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: racers}}
	defer client.CloseIdleConnections()
	var wins, refusals atomic.Int64
	var group sync.WaitGroup
	start := make(chan struct{})
	for i, number := range users {
		group.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s/users/v1/users/%d/active", urls[i%len(urls)], number), nil)
			if err != nil {
				t.Error(err)
				return
			}
			request.Header.Set("Ocp-Apim-Subscription-Key", key)
			<-start
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			switch {
			case response.StatusCode == http.StatusOK:
				wins.Add(1)
			case response.StatusCode == http.StatusUnprocessableEntity && strings.Contains(string(body), `"Code":108`):
				refusals.Add(1)
			default:
				t.Errorf("an activation answers %d %s", response.StatusCode, body)
			}
		})
	}
	close(start)
	group.Wait()
	return wins.Load(), refusals.Load()
}
