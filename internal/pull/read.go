package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Source is the reader of a door.
type Source interface {
	// SignIn gets a credential, also when the one before is taken no longer.
	SignIn(ctx context.Context, ask web.Ask) error
	// Page reads the page at a place, "" for the first.
	Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error)
	// Shown is what the API shows of a user, as Page would read it.
	Shown(d *directory.UserDetail) (directory.Record, error)
	// Lists reports whether Page would ever have the user.
	Lists(d *directory.UserDetail) bool
	// Complete reports whether all users that are there are read, so that who is here
	// and was not read is not there.
	Complete() bool
}

// DefaultMax is how many users are read at most.
const DefaultMax = 5_000_000

// Options say what is read and where to.
type Options struct {
	Source Source
	Ask    web.Ask
	// Name is what is read, without secrets: a file of another one is not gone on with.
	Name string
	File string // the records, one JSON object a line; made if it is missing
	Max  int64  // users; 0: DefaultMax
	// Without are JSON names of members of Record that are left out.
	Without []string
	// Progress is told after each page; nil for nobody.
	Progress func(Progress)
}

// Progress is how far a reading is.
type Progress struct {
	Users int64
	Total int64 // 0 while it is not known
	Again bool  // the pages are read a second time: users had come or gone meanwhile
}

// Result is what was read.
type Result struct {
	Users int64
	// Missing is how many users the other side says there are beyond those that it
	// has shown.
	Missing int64
	Left    map[string]int64 // as RecordPage.Left
	Resumed int64            // users that were there from an earlier run
}

// maxStale is how many pages in a row may have nobody new.
const maxStale = 3

// Read reads all users into the file. When it ends early, by an error or a kill, the
// same call goes on where it was: the file has whole pages, and a note of the next one
// beside it. A file that was read to the end stays as it is. When fewer users came than
// the other side says there are, all pages are read a second time for those who are
// missing: pages that are counted shift when somebody leaves.
func Read(ctx context.Context, o Options) (Result, error) {
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	s, err := openSpool(o.File, o.Name)
	if err != nil {
		return Result{}, err
	}
	s.counted = o.Source.Complete()
	resumed := s.at.Users
	err = errors.Join(read(ctx, &o, s), s.close())
	return Result{Users: s.at.Users, Missing: s.missing(), Left: s.at.Left, Resumed: resumed}, err
}

func read(ctx context.Context, o *Options, s *spool) error {
	if s.at.Done {
		return nil
	}
	if err := o.Source.SignIn(ctx, o.Ask); err != nil {
		return err
	}
	for stale := 0; !s.at.Done; {
		page, err := o.page(ctx, s.at.Next)
		if err != nil {
			return err
		}
		if page.Next == s.at.Next && page.Next != "" {
			return fmt.Errorf("the page at %q names itself as the next one", page.Next)
		}
		fresh, err := s.add(&page, o.Without)
		if err != nil {
			return err
		}
		switch {
		case fresh > 0 || len(page.Records) == 0:
			stale = 0
		case s.at.Again:
		default:
			stale++
		}
		switch {
		case stale == maxStale:
			return fmt.Errorf("%d pages in a row, up to the one before %q, have nobody new: the server answers the same page again", maxStale, page.Next)
		case s.at.Again && s.at.Pages > 2*s.at.First+maxStale:
			return fmt.Errorf("the pages do not end: %d users in %d pages, and no end at %q", s.at.Users, s.at.Pages, page.Next)
		case s.at.Users > o.Max:
			return fmt.Errorf("there are more than %d users, or the pages do not end; --max lets more be read", o.Max)
		}
		if o.Progress != nil {
			o.Progress(Progress{Users: s.at.Users, Total: s.at.Total, Again: s.at.Again})
		}
	}
	return nil
}

// page reads a page, with a new credential once if the one that there is has ended.
func (o *Options) page(ctx context.Context, at string) (directory.RecordPage, error) {
	page, err := o.Source.Page(ctx, o.Ask, at)
	if refused, ok := errors.AsType[*web.RemoteError](err); !ok || refused.Status != http.StatusUnauthorized {
		return page, err
	}
	if err := o.Source.SignIn(ctx, o.Ask); err != nil {
		return page, err
	}
	return o.Source.Page(ctx, o.Ask, at)
}
