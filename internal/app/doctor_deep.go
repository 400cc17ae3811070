package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/usher-id/usher/internal/store"
)

// deepCheck is the part that reads the whole database.
var deepCheck = check{"deep", true, (*examination).deep}

// deep compares everything that the database says twice, user by user. Each part is
// a finding of its own.
func (x *examination) deep(ctx context.Context) error {
	return x.auditor.db.Examine(ctx, func(p store.Part) {
		x.check = "deep: " + p.Name
		for i := range p.Found {
			c := &p.Found[i]
			x.fail(fmt.Sprintf("%s: %d (%s)", c.What, c.Count, strings.Join(c.Examples, "; ")), c.Remedy)
		}
		if len(p.Found) == 0 {
			x.ok("%s", p.Seen)
		}
	})
}
