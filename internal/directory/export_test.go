package directory

import "time"

// FeedTimes sets how often followers hear of nothing, and how long is between two
// reads and between two rounds of the index.
func (s *Service) FeedTimes(beat, pause, rest time.Duration) {
	s.feed.beat, s.feed.pause, s.feed.rest = beat, pause, rest
}

// SearchBounds sets how many events a page looks at, and how many without the index.
func (s *Service) SearchBounds(scan, near int) { s.searches = searchBounds{scan: scan, near: near} }

// FeedWaiting is how many requests wait for a tenant's feed.
func (s *Service) FeedWaiting(t TenantNo) int {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if g := s.feed.tenants[t]; g != nil {
		return g.waiting
	}
	return 0
}

// OldFeedCursor is a cursor as it was when the feed went by sequence number.
func OldFeedCursor(s *Service, call *Call, seq int64) (string, error) {
	return s.sealCursorFor(call, eventFeed, "", place{Number: seq}, FeedCursorLifetime)
}

// MaxTenantWaiters is how many requests of a tenant may wait.
const MaxTenantWaiters = maxTenantWaiters

// OpenChallenge reads a challenge of a sign-in, and says whether it was good.
func (s *Service) OpenChallenge(text Secret) error {
	_, err := s.openChallenge(text)
	return err
}

// SealedChallenge is a challenge of somebody, as a sign-in makes it.
func (s *Service) SealedChallenge(until time.Time) Secret {
	text, err := s.sealChallenge(challenge{Tenant: 1, User: 2, Epoch: 3, Expires: until.UnixMicro()})
	if err != nil {
		panic(err)
	}
	return text
}

// HashWork is how many password hashes the service has computed.
func (s *Service) HashWork() int64 { return s.hasher.done.Load() }

// Recognises reports whether a credential would be looked up at once.
func (s *Service) Recognises(clientID string, secret Secret) bool {
	return s.strangers.Recognises(clientID, secret)
}
