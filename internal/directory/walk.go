package directory

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// walks remembers where the pages of an offset walk ended, so that the next
// page is found by key and not by counting rows again (docs/decisions/0006).
// It is a hint of this process only: a miss falls back to OFFSET.
type walks struct {
	ends *otter.Cache[walkKey, int64]
}

func newWalks() walks {
	return walks{ends: otter.Must(&otter.Options[walkKey, int64]{
		MaximumSize:      10_000,
		ExpiryCalculator: otter.ExpiryWriting[walkKey, int64](10 * time.Minute),
	})}
}

// start turns an offset into a key where the end of the page before is known.
func (w walks) start(call *Call, q *UserQuery) walk {
	at := walk{skip: q.Skip, key: walkKey{actor: call.Actor.Name, skip: q.Skip}}
	if q.After != 0 || q.Sort != FieldNone {
		return at
	}
	at.key.query = q.queryKey(call.Actor.Tenant)
	if q.Skip == 0 {
		return at
	}
	if after, ok := w.ends.GetIfPresent(at.key); ok {
		q.After, q.Skip = after, 0
	}
	return at
}

// remember notes where a page ended, if another follows.
func (w walks) remember(at walk, page *UserPage) {
	if !page.More || at.key.query == "" {
		return
	}
	at.key.skip += len(page.Users)
	w.ends.Set(at.key, page.Users[len(page.Users)-1].Number)
}
