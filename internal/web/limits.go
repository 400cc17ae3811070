package web

import (
	"net/http"
	"time"
)

// Limits sets the time-outs and the header limit of a server; those already
// set are kept, so that an operator's choice wins. An answer that is
// streamed has them for each write (Stream), and one that waits moves them
// (Request.HoldFor).
func Limits(srv *http.Server) {
	setIfZero(&srv.ReadHeaderTimeout, 10*time.Second)
	setIfZero(&srv.ReadTimeout, time.Minute)
	setIfZero(&srv.WriteTimeout, time.Minute)
	setIfZero(&srv.IdleTimeout, 2*time.Minute)
	if srv.MaxHeaderBytes == 0 {
		srv.MaxHeaderBytes = 32 << 10 // net/http adds 4 KiB of its own
	}
}

func setIfZero(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}
