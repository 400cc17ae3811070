package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/usher-id/usher/internal/testkit"
)

// Server is one process, which can be killed and started again at its address.
// Process may be changed while it does not run.
type Server struct {
	Site *Site
	// Addr is host and port, the same in every life of the server.
	Addr string
	Process

	mu    sync.Mutex
	cmd   *exec.Cmd
	up    chan struct{} // closed while it answers
	ended chan struct{} // closed when the process has ended
	err   error         // of its end; to be read once ended is closed
}

// URL is the address as http://host:port.
func (v *Server) URL() string { return "http://" + v.Addr }

// Start starts the process and returns when it answers. The test fails when it
// does not.
func (v *Server) Start() {
	v.Site.T.Helper()
	if err := v.Begin(); err != nil {
		v.Site.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := v.Await(ctx); err != nil {
		v.Site.T.Fatal(err)
	}
}

// Begin starts the process and does not wait for it.
func (v *Server) Begin() error {
	path := v.Program
	if path == "" {
		var err error
		if path, err = Program(); err != nil {
			return err
		}
	}
	doors := v.Doors
	if doors == "" {
		doors = "canonical"
	}
	line := append([]string{}, v.Prefix...)
	line = append(line, path, "serve", "--addr", v.Addr, "--database", v.Site.Database, "--doors", doors,
		"--mail-dir", v.Site.Dir, "--log-level", "warn", "--log-format", "text")
	if v.MetricsAddr != "" {
		line = append(line, "--metrics-addr", v.MetricsAddr)
	}
	line = append(line, v.Flags...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(append(os.Environ(), "USHER_SECRET_KEY="+testkit.SecretKey), v.Env...)
	cmd.SysProcAttr = processAttributes()
	cmd.Stderr = v.Stderr
	if v.Stderr == nil {
		cmd.Stderr = v.Site.T.Output()
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	ended := make(chan struct{})
	v.cmd, v.ended = cmd, ended
	go func() {
		v.err = cmd.Wait()
		close(ended)
	}()
	return nil
}

// Await returns when the server says that it is ready. The error says that the
// process ended or that the context did, whichever is first.
func (v *Server) Await(ctx context.Context) error {
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		err := v.ready(ctx)
		if err == nil {
			v.mu.Lock()
			defer v.mu.Unlock()
			select {
			case <-v.up: // it was up before
			default:
				close(v.up)
			}
			return nil
		}
		select {
		case <-v.Ended():
			return fmt.Errorf("the server at %s ended: %w", v.Addr, errors.Join(v.err, err))
		case <-ctx.Done():
			return fmt.Errorf("no server at %s: %w", v.Addr, err)
		case <-retry.C:
		}
	}
}

// ready asks the server once whether it takes requests.
func (v *Server) ready(ctx context.Context) error {
	addr := v.MetricsAddr
	if addr == "" {
		addr = v.Addr
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", answer.Status)
	}
	return nil
}

// Answers is closed while the server is there to answer.
func (v *Server) Answers() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.up
}

// Ended is closed when the process of the last start has ended; nil when there
// was none.
func (v *Server) Ended() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ended
}

// Kill ends the process as a power cut would.
func (v *Server) Kill() {
	v.away()
	v.Signal(syscall.SIGKILL)
	if ended := v.Ended(); ended != nil {
		<-ended
	}
}

// Signal sends a signal to the process and whatever runs it. One that has ended
// is no error.
func (v *Server) Signal(s syscall.Signal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd == nil || v.cmd.Process == nil {
		return
	}
	select {
	case <-v.ended: // its number may be another's by now
	default:
		signalGroup(v.cmd.Process, s)
	}
}

// PID is the number of the process of the last start, which is the prefix's when
// there is one that does not replace itself by the server.
func (v *Server) PID() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cmd.Process.Pid
}

// away says that the server does not answer for a while.
func (v *Server) away() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.up:
		v.up = make(chan struct{})
	default:
	}
}

// Stop ends the process in order, as SIGTERM does, and fails the test when it
// ends otherwise. A server that does not run is left as it is.
func (v *Server) Stop() {
	v.away()
	ended := v.Ended()
	if ended == nil {
		return
	}
	select {
	case <-ended:
		return
	default:
	}
	v.Signal(syscall.SIGTERM)
	<-ended
	if v.err != nil {
		v.Site.T.Errorf("the server at %s ended with %v", v.Addr, v.err)
	}
}

// client gives up in the end: a killed server may leave a connection hanging.
var client = &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// Call sends a request to the canonical door of the server, with Key. The
// status is 0 when no answer came.
func (v *Server) Call(ctx context.Context, method, path string, body, into any) (int, error) {
	return Call(ctx, client, v.URL(), method, path, body, into)
}

// Call sends a request to the canonical door at a base URL with Key, and reads
// the answer into into unless that is nil. The path is what follows /api/v1.
// The status is 0 when no whole answer came; one of 300 and more is an error.
func Call(ctx context.Context, c *http.Client, base, method, path string, body, into any) (int, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, base+"/api/v1"+path, sent)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+Key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode >= 300 {
		return answer.StatusCode, fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, strings.TrimSpace(string(text)))
	}
	if into != nil {
		return answer.StatusCode, json.Unmarshal(text, into)
	}
	return answer.StatusCode, nil
}
