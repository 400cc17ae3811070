package canonical

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/cloudevent"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentStream is the media type of server-sent events (HTML Living Standard,
// section 9.2).
const contentStream = "text/event-stream"

// reconnectAfter is what clients are told to wait, in milliseconds, before they
// come back.
const reconnectAfter = 2000

// accepted is which of the forms that an operation has the client likes best: the
// first where it names none (RFC 9110 section 12.5.1; what it does not know it may
// be given all the same).
func (x *exchange) accepted(forms ...string) string {
	best, weight := forms[0], 0.0
	for _, header := range x.req.Header["Accept"] {
		for part := range strings.SplitSeq(header, ",") {
			media, parameters, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			q := 1.0
			if text, ok := parameters["q"]; ok {
				if q, err = strconv.ParseFloat(text, 64); err != nil {
					continue
				}
			}
			for _, form := range forms {
				if form == media && q > weight {
					best, weight = form, q
				}
			}
		}
	}
	return best
}

// followEvents answers with a stream of server-sent events.
func (x *exchange) followEvents(ctx context.Context, q directory.EventQuery, in *EventQuery) (*feedOutput, error) {
	if q.Newest {
		return nil, x.refuse(badQuery("order", "A stream goes on with what happens: it has no order newest."))
	}
	if in.LastEventID != "" {
		q.Cursor = in.LastEventID
	}
	q.Wait, q.EachCursor = 0, true
	x.raw = &web.Response{ContentType: contentStream,
		Header: [][2]string{{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}}} // the last one tells nginx
	if x.req.Method == http.MethodHead {
		_, err := x.door.svc.ListEvents(ctx, &x.call, q)
		return &feedOutput{}, renamed(err, eventFields)
	}
	x.raw.Stream = func(ctx context.Context, s *web.Stream) error { return x.sendEvents(ctx, s, q, in.Envelope != "") }
	return &feedOutput{}, nil
}

// sendEvents writes events until the client goes, may not read any more, or the
// server stops. An error before the first byte is answered as any other; a later
// one is the last event.
func (x *exchange) sendEvents(ctx context.Context, s *web.Stream, q directory.EventQuery, clouds bool) error {
	err := x.door.svc.FollowEvents(ctx, &x.call, q, func(page directory.EventPage) error {
		var b []byte
		if !s.Begun() {
			x.record()
			for _, h := range x.door.limitHeaders(nil, x.call.Quota) {
				s.SetHeader(h[0], h[1])
			}
			b = append(strconv.AppendInt(append(b, "retry: "...), reconnectAfter, 10), "\n\n"...)
		}
		b, err := x.appendEvents(b, &page, clouds)
		if err == nil {
			_, err = s.Write(b)
		}
		return err
	})
	err = renamed(err, eventFields)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case !s.Begun():
		return x.failed(err)
	}
	s.Tell(err)
	_, _ = s.Write(appendEvent(nil, "", "error", x.door.onError(x.req, err).Body)) // it ends here either way
	return nil
}

// appendEvents appends a page as server-sent events. An empty one shows that the
// server is there; its id, which no event carries, is how far it has looked.
func (x *exchange) appendEvents(b []byte, page *directory.EventPage, clouds bool) ([]byte, error) {
	for i := range page.Events {
		e := &page.Events[i]
		var data []byte
		if clouds {
			data = cloudevent.Append(nil, x.door.source(), e)
		} else {
			shown, err := eventOf(e)
			if err != nil {
				return nil, err
			}
			if data, err = encode(shown); err != nil {
				return nil, err
			}
		}
		b = appendEvent(b, page.Cursors[i], string(e.Type), data)
	}
	if len(page.Events) == 0 {
		b = append(b, ": still here\n"...)
		if page.Next != "" {
			b = append(append(append(b, "id: "...), page.Next...), '\n')
		}
		b = append(b, '\n')
	}
	return b, nil
}

// appendEvent appends one server-sent event, each line of its data by itself.
func appendEvent(b []byte, id, name string, data []byte) []byte {
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	b = append(append(append(b, "event: "...), name...), '\n')
	for line := range strings.Lines(string(data)) {
		b = append(append(append(b, "data: "...), strings.TrimRight(line, "\r\n")...), '\n')
	}
	return append(b, '\n')
}
