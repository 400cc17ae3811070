package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
)

// inBackground adds what runs beside the doors while Run does: it ends when its
// context does.
func (a *App) inBackground(run func(context.Context) error) { a.background = append(a.background, run) }

// leaseOwner names this process in a lease, as nobody else is ever named.
func leaseOwner() string {
	host, _ := os.Hostname() // for people who read leases; what follows makes it unique
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
