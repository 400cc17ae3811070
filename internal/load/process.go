package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Process is a running server.
type Process struct {
	Addr  string        // host:port on loopback
	Start time.Duration // from exec to the first answer
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of Wait, once ended is closed
	log   string
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// URL is where the server answers.
func (p *Process) URL() string { return "http://" + p.Addr }

// launch starts a command that serves on addr and waits until it answers a
// request for path, with whatever status. Its output goes to the file log.
func launch(ctx context.Context, addr, path, log string, cmd *exec.Cmd) (*Process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, diesWithParent()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{Addr: addr, cmd: cmd, ended: make(chan struct{}), log: log}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := p.await(ctx, path); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w%s", filepath.Base(cmd.Path), err, p.lastWords())
	}
	p.Start = time.Since(began)
	return p, nil
}

// startsWithin is how long a server may take to answer: PostgreSQL may have to be
// reached first.
const startsWithin = time.Minute

// await asks until the server answers.
func (p *Process) await(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+path, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+Key)
		answer, err := client.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			return answer.Body.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("ended before it served: %w", errors.Join(p.err))
		case <-ctx.Done():
			return fmt.Errorf("does not answer: %w", err)
		case <-again.C:
		}
	}
}

// lastWords is the end of the log.
func (p *Process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return ": " + strings.Join(lines[max(0, len(lines)-3):], "\n")
}

// Stop ends the process in order, and kills it when it does not end within 20 s.
func (p *Process) Stop() {
	select {
	case <-p.ended:
		return
	default:
	}
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil {
		_ = p.cmd.Process.Kill() // where there are no signals
	}
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// freeAddr is an address of loopback on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// BareBody is a user in the size and form that the iqmetrix door answers.
const BareBody = `{"Id":2576,"FirstName":"John","LastName":"Bates","UserName":"johnb@kentel.com","Address":{"AddressLine1":"1432 Merry View Road","AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},"ClientUserId":"132","Email":"johnb@kentel.com","IsActive":true,"JobTitle":"Sales Clerk","ParentEntityId":1,"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],"Picture":{},"Version":1}`

// ServeBare is what everything is compared with: a net/http handler that writes
// a constant user. It serves until ctx ends.
func ServeBare(ctx context.Context, addr string) error {
	body := []byte(BareBody)
	server := &http.Server{Addr: addr, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// StartBare starts the bare server, a process of the program.
func StartBare(ctx context.Context, program, dir string) (*Process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return launch(ctx, addr, "/", filepath.Join(dir, "bare.log"), exec.Command(program, "bench", "bare", "--addr", addr))
}

// Server says how to start usher.
type Server struct {
	Program  string
	Database string // sqlite:path or postgres://…
	Dir      string // for the log and what the server makes; each server needs its own
	// SecretKeyFile is the key that servers of one PostgreSQL database share; ""
	// leaves it to the server.
	SecretKeyFile string
	Flags         []string
}

// StartServer starts usher and waits for its first answer to a request for a user
// with Key. It takes no settings from the environment.
func StartServer(ctx context.Context, s Server) (*Process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	// The last flag lets the generator sign people in from many addresses.
	args := []string{"serve", "--addr", addr, "--trusted-proxies", "127.0.0.1"}
	if strings.HasPrefix(s.Database, "postgres:") {
		args = append(args, "--checkpoint-file", filepath.Join(s.Dir, "checkpoints"))
	}
	if s.SecretKeyFile != "" {
		args = append(args, "--secret-key-file", s.SecretKeyFile)
	}
	program, err := filepath.Abs(s.Program)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, append(args, s.Flags...)...)
	cmd.Dir = s.Dir
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "USHER_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "USHER_DATABASE="+s.Database) // it may hold a password, which arguments show
	return launch(ctx, addr, "/v1/Users(1)", filepath.Join(s.Dir, "usher.log"), cmd)
}
