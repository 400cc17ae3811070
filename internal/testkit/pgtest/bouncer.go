//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bouncerPort only names the socket: nothing listens on the network.
const bouncerPort = "6432"

// Bouncer starts PgBouncer in transaction mode before the cluster of a DSN that
// Database, Shared or Migrated returned, with so many connections to it, and
// returns the DSN of the same database through it. It ends with the test.
func Bouncer(t testing.TB, dsn string, connections int) string {
	t.Helper()
	c := start(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer" // not in everybody's PATH
	}
	dir, err := serverDir(c.credential)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a folder of temporary files
	settings := fmt.Sprintf(`[databases]
* = host=%s user=postgres
[pgbouncer]
listen_addr =
listen_port = %s
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 1000
logfile = %s
`, c.dir, bouncerPort, dir, connections, filepath.Join(dir, "log"))
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	cmd := exec.Command(path, file)
	cmd.Dir, cmd.SysProcAttr = dir, processAttributes(c.credential)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("pgtest: PgBouncer (Debian: apt-get install pgbouncer): %v", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it ends by a signal
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // what keeps nothing needs no orderly end
		<-exited
	})
	through := "postgres:///" + strings.TrimPrefix(u.Path, "/") + "?" + url.Values{"host": {dir}, "port": {bouncerPort}, "user": {"postgres"}}.Encode()
	if err := answers(through, exited); err != nil {
		t.Fatalf("pgtest: PgBouncer: %v\n%s", err, log.String())
	}
	return through
}

// answers returns when a server answers at a DSN, or its process has ended.
func answers(dsn string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		_, err := ask(ctx, dsn+"&default_query_exec_mode=exec", "SELECT true")
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return errors.Join(errors.New("it ended"), err)
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}
