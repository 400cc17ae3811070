package app

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// openFeed keeps the feed of events going while the server runs.
func (a *App) openFeed(context.Context) error {
	a.inBackground(func(ctx context.Context) error { return a.service.RunFeed(ctx, directory.System(0, "feed")) })
	return nil
}
