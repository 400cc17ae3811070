package bulk

import (
	"context"
	"errors"
	"io"

	"github.com/usher-id/usher/internal/directory"
)

// page is what ApplyImport takes at a time.
type page struct {
	done int64 // rows before it
	plan *directory.ImportPlan
	err  error // in place of the plan: io.EOF at the end
}

// ahead is how many pages are read before they are asked for: one is enough to keep
// both busy, and each is some megabytes of what is live.
const ahead = 1

// pipeline reads the records of a run's file, and has the core look at them, while
// those before are imported: that and writing to the database take about as long.
type pipeline struct {
	svc    Service
	file   *parts
	reader *Reader
	row    int64  // rows that were read
	ready  []page // read, and not taken yet; only between turns
	last   error  // what came in place of a page; nothing comes after it
	// pages are those of a turn that were read, and slots has a value for each.
	pages chan page
	slots chan struct{}
}

// newPipeline opens the file behind the rows that are done.
func newPipeline(ctx context.Context, svc Service, run *directory.BulkRun) (*pipeline, error) {
	p := &pipeline{svc: svc, file: ownParts(ctx, svc, run)}
	reader, err := NewReader(p.file, run.Import)
	if err != nil {
		return nil, err
	}
	p.reader = reader
	for p.row < run.Done {
		if _, err := reader.rows.next(); errors.Is(err, io.EOF) {
			p.row = run.Done // all rows are done, and those that the file did not have too
			break
		} else if err != nil {
			return nil, err
		}
		p.row++
	}
	return p, nil
}

// done is how many rows are before the next page.
func (p *pipeline) done() int64 {
	if len(p.ready) > 0 {
		return p.ready[0].done
	}
	return p.row
}

// start reads ahead until stop is called. stop waits for the page that is being read,
// so that the next turn goes on behind it.
func (p *pipeline) start(ctx context.Context) (stop func()) {
	p.file.ctx = ctx
	p.pages, p.slots = make(chan page, ahead), make(chan struct{}, ahead)
	for _, ready := range p.ready {
		p.slots <- struct{}{}
		p.pages <- ready
	}
	p.ready = nil
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-quit:
				return
			case p.slots <- struct{}{}: // there is room for what is read now
			}
			next := p.read()
			p.pages <- next
			if next.err != nil {
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
		close(p.pages)
		for next := range p.pages {
			p.ready = append(p.ready, next)
		}
	}
}

// read reads the next page.
func (p *pipeline) read() page {
	done := p.row
	var records []directory.Record
	for len(records) < directory.MaxImportPage {
		record, err := p.reader.Next()
		if err != nil && !(errors.Is(err, io.EOF) && len(records) > 0) {
			return page{done: done, err: err}
		}
		if err != nil {
			break
		}
		if records == nil {
			records = make([]directory.Record, 0, directory.MaxImportPage)
		}
		records = append(records, record)
		p.row++
	}
	t := p.file.run.Tenant
	plan, err := p.svc.PlanImport(p.file.ctx, system(t), t, p.file.run.ID, records)
	return page{done: done, plan: plan, err: err}
}

// next takes the next page. The error is io.EOF behind the last one.
func (p *pipeline) next(ctx context.Context) (page, error) {
	if p.last != nil {
		return page{}, p.last
	}
	select {
	case next := <-p.pages:
		<-p.slots
		p.last = next.err
		return next, next.err
	case <-ctx.Done():
		return page{}, ctx.Err()
	}
}

// whole reports whether the file can be read on: nothing but its end has come in place
// of a page.
func (p *pipeline) whole() bool {
	for _, next := range p.ready {
		if next.err != nil && !errors.Is(next.err, io.EOF) {
			return false
		}
	}
	return p.last == nil || errors.Is(p.last, io.EOF)
}
