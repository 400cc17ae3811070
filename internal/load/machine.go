package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ticks is how many a second /proc counts processor time in: USER_HZ, which is
// 100 on every architecture that Go has (proc_pid_stat(5)).
const ticks = 100

// stat are the fields of /proc/<pid>/stat that follow the name.
func stat(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}

// tickSum adds fields that count processor time.
func tickSum(fields []string) (sum time.Duration) {
	for _, field := range fields {
		n, _ := strconv.ParseInt(field, 10, 64)
		sum += time.Duration(n) * time.Second / ticks
	}
	return sum
}

// CPU is the processor time that the process has used; 0 where the system has no
// /proc.
func (p *Process) CPU() time.Duration { return processCPU(p.PID()) }

func processCPU(pid int) time.Duration {
	fields, err := stat(pid)
	if err != nil {
		return 0
	}
	return tickSum(fields[11:13]) // utime, stime
}

// Memory is a figure of /proc/<pid>/status in bytes: "VmRSS" is what is in memory,
// pages of files included, "RssAnon" what is the process's own. 0 where the
// system has no /proc.
func (p *Process) Memory(name string) int64 {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(io.LimitReader(file, 64<<10)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// postmaster is the parent of all processes of a PostgreSQL server on this
// machine; 0 is none that can be seen.
type postmaster int

// findPostmaster asks a server for the number of the process that answers, and
// looks for it here.
func findPostmaster(ctx context.Context, conn *pgx.Conn) postmaster {
	var pid int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return 0
	}
	// Another machine may have a process of that number.
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err != nil || !strings.HasPrefix(string(name), "postgres") {
		return 0
	}
	fields, err := stat(pid)
	if err != nil {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return postmaster(parent)
}

// cpu is the processor time of the server's processes, those that have ended
// included.
func (m postmaster) cpu() time.Duration {
	if m == 0 {
		return 0
	}
	fields, err := stat(int(m))
	if err != nil {
		return 0
	}
	sum := tickSum(fields[11:15]) // utime, stime, and those of children that have ended
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if fields, err := stat(pid); err == nil && fields[1] == strconv.Itoa(int(m)) {
			sum += tickSum(fields[11:13])
		}
	}
	return sum
}

// Machine is where something was measured.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes,omitempty"`
	System string `json:"system"`
	Go     string `json:"go"`
}

// ThisMachine describes this one as far as it says.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	m.CPU = valueOf("/proc/cpuinfo", "model name")
	if kib, err := strconv.ParseInt(strings.TrimSuffix(valueOf("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		m.Memory = kib << 10
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", kernel " + series(string(release))
	}
	return m
}

// series is the major and the minor number of a kernel's release: what follows names a
// build that nobody else has.
func series(release string) string {
	parts := strings.SplitN(strings.TrimSpace(release), ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// valueOf is the first value of a name in a file of lines "name: value".
func valueOf(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// settle waits until the processes of a measure have no work of their own left,
// such as merging an index after many users were loaded: until they take less
// than a twentieth of a core for a second. It gives up after two minutes.
func settle(ctx context.Context, cpu func() time.Duration) error {
	const look, quiet, most = 250 * time.Millisecond, 4, 480
	tick := time.NewTicker(look)
	defer tick.Stop()
	before := cpu()
	for still, looks := 0, 0; still < quiet && looks < most; looks++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now := cpu()
		if still++; now-before > look/20 {
			still = 0
		}
		before = now
	}
	return nil
}
