package store

import (
	"context"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// LoadUsers implements directory.BulkWriter.
func (t *tx) LoadUsers(ctx context.Context, tenant directory.TenantNo, load []directory.UserLoad) error {
	if len(load) > directory.MaxLoad {
		return fmt.Errorf("store: %d users to load at once, more than %d", len(load), directory.MaxLoad)
	}
	for i := range load {
		l := &load[i]
		if err := t.InsertUser(ctx, l.User); err != nil {
			return err
		}
		for _, h := range l.Handles {
			if err := t.InsertHandle(ctx, tenant, h); err != nil {
				return err
			}
		}
		if l.Password.Hash != "" {
			if err := t.SetPassword(ctx, tenant, l.Password); err != nil {
				return err
			}
		}
		if err := t.InsertEvent(ctx, l.Event); err != nil {
			return err
		}
	}
	return nil
}
