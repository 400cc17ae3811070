// Package webhook sends events to the endpoints of tenants.
//
// A Courier makes one try: a POST of a CloudEvents envelope, signed as Standard
// Webhooks 1.0.0 demands, within limits of time and size, and only to addresses
// that strangers may be sent to. A Dispatcher leases the endpoints that have
// something to do, sends each of them what is due, several users at once and the
// events of one user strictly one after another, and tells the directory what
// became of it. When and how often something is tried again is the directory's
// decision.
//
// The log names an endpoint by its id and host: a URL may hold a secret.
package webhook
