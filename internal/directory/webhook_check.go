package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxOrigin is the most characters of an origin that a filter names.
const maxOrigin = 200

// checkWebhook validates what people set of an endpoint; companies, which need a
// look-up, aside. What is said twice is kept once, and OriginSelf becomes the
// caller's own origin.
func (s *Service) checkWebhook(call *Call, p *WebhookPatch) error {
	var bad violations
	if p.Name.Set {
		collect(&bad, checkName("name", p.Name.Value))
	}
	if p.URL.Set {
		collect(&bad, s.checkWebhookURL(p.URL.Value))
	}
	collect(&bad, checkEventTypes("types", p.Types.Value))
	if len(p.Companies.Value) > MaxWebhookFilters {
		collect(&bad, Invalid("companies", ReasonFieldLength, "companies can have %d entries.", MaxWebhookFilters))
	}
	collect(&bad, checkOrigins("except_origins", p.ExceptOrigins.Value))
	if p.State.Set && p.State.Value != WebhookActive && p.State.Value != WebhookPaused {
		collect(&bad, Invalid("state", ReasonFieldValue, "state must be %s or %s.", WebhookActive, WebhookPaused))
	}
	if err := bad.err(); err != nil {
		return err
	}
	p.Types.Value, p.Companies.Value = withoutRepeats(p.Types.Value), withoutRepeats(p.Companies.Value)
	p.ExceptOrigins.Value = withoutRepeats(withSelf(p.ExceptOrigins.Value, call.Actor.origin()))
	return nil
}

// checkOrigins refuses a list in which an origin is that of no event.
func checkOrigins(field string, origins []string) error {
	if len(origins) > MaxWebhookFilters {
		return Invalid(field, ReasonFieldLength, "%s can have %d entries.", field, MaxWebhookFilters)
	}
	var bad violations
	for _, origin := range origins {
		collect(&bad, checkOrigin(field, origin))
	}
	return bad.err()
}

// withSelf is a list of origins with the caller's own in the place of OriginSelf.
func withSelf(origins []string, own string) []string {
	named := slices.Clone(origins)
	for i := range named {
		if named[i] == OriginSelf {
			named[i] = own
		}
	}
	return named
}

// checkOrigin refuses a text that is the origin of no event, such as the name of a
// key: a filter with it would match nothing, and nobody would be told.
func checkOrigin(field, origin string) error {
	if err := CleanText(field, origin, maxOrigin); err != nil {
		return err
	}
	kind, who, _ := strings.Cut(origin, ":")
	if origin != OriginSelf && (who == "" || kind != "credential" && kind != "user" && kind != "system") {
		return Invalid(field, ReasonFieldValue, "%q is no origin: write credential:<id>, user:<number>, system:<what> or %s.", origin, OriginSelf)
	}
	return nil
}

// checkWebhookURL refuses a URL to which nothing can or may be sent.
func (s *Service) checkWebhookURL(text string) error {
	bad := func(message string) error { return Invalid("url", ReasonWebhookURL, "url %s.", message) }
	if text == "" {
		return Invalid("url", ReasonFieldRequired, "url is required.")
	}
	if len(text) > MaxWebhookURL {
		return Invalid("url", ReasonFieldLength, "url can have %d bytes.", MaxWebhookURL)
	}
	if err := CleanText("url", text, 0); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !u.IsAbs() || u.Hostname() == "" || u.Opaque != "":
		return bad("is not an absolute URL like https://example.com/events")
	case u.Scheme != "https" && (u.Scheme != "http" || s.opts.Courier == nil):
		return bad("must begin with https://")
	case u.User != nil:
		return bad("must not hold a user name or password: deliveries are signed")
	case u.Fragment != "" || text[len(text)-1] == '#':
		return bad("must not have a fragment")
	}
	if s.opts.Courier == nil {
		return nil
	}
	if err := s.opts.Courier.Check(text); err != nil {
		return Invalid("url", ReasonWebhookURL, "url: %s.", err)
	}
	return nil
}

// checkWebhookCompanies refuses companies that the tenant does not have.
func checkWebhookCompanies(ctx context.Context, r Reader, call *Call, companies []int64) error {
	var bad violations
	for _, number := range companies {
		if _, err := companyInScope(ctx, r, call.Actor, number); IsReason(err, ReasonCompanyNotFound) {
			collect(&bad, Invalid("companies", ReasonCompanyNotFound, "There is no company %d.", number))
		} else if err != nil {
			return err
		}
	}
	return bad.err()
}

// drawWebhookSecret makes a secret of an endpoint, as Standard Webhooks writes
// symmetric ones. Errors: secret_key.missing.
func (s *Service) drawWebhookSecret(w *Webhook) (WebhookSecret, Secret, error) {
	bits := make([]byte, 32)
	rand.Read(bits) // never fails (crypto/rand)
	plain := "whsec_" + base64.StdEncoding.EncodeToString(bits)
	made := WebhookSecret{ID: s.opts.NewID(), CreatedAt: s.now()}
	var err error
	made.Sealed, err = s.opts.Sealer.Seal(webhookPurpose(w, made.ID), []byte(plain))
	return made, Secret(plain), err
}

// openWebhookSecrets unseals an endpoint's secrets. Those that were sealed with a
// key that is lost are left out, as long as there is another. Errors:
// secret_key.missing; internal when none opens.
func (s *Service) openWebhookSecrets(w *Webhook) ([]Secret, error) {
	var list []Secret
	var failed error
	for _, sealed := range w.Secrets {
		plain, err := s.opts.Sealer.Open(webhookPurpose(w, sealed.ID), sealed.Sealed)
		if err != nil {
			failed = err
			continue
		}
		list = append(list, Secret(plain))
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, failed
}

// webhookPurpose binds a sealed secret to its endpoint.
func webhookPurpose(w *Webhook, secret string) string {
	return fmt.Sprintf("webhook %d %s %s", w.Tenant, w.ID, secret)
}

// shownURL is what events tell of a URL: path and query may hold a secret of the
// receiver.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || text == "" {
		return ""
	}
	shown := u.Scheme + "://" + u.Host
	if len(text) > len(shown) {
		shown += "/…"
	}
	return shown
}

// webhookChanges are the differences of what people set, as events tell them.
func webhookChanges(before, after *Webhook) changes {
	var diff changes
	diff.named("name", before.Name, after.Name)
	if before.URL != after.URL {
		diff.raw("url", textOrNull(shownURL(before.URL)), textOrNull(shownURL(after.URL)))
	}
	listed(&diff, "types", before.Types, after.Types)
	listed(&diff, "companies", before.Companies, after.Companies)
	listed(&diff, "except_origins", before.ExceptOrigins, after.ExceptOrigins)
	listed(&diff, "secrets", secretIDs(before), secretIDs(after))
	diff.named("state", string(before.State), string(after.State))
	diff.named("pause_reason", before.PauseReason, after.PauseReason)
	return diff
}

func textOrNull(text string) []byte {
	if text == "" {
		return nil
	}
	return asJSON(text)
}

// listed records a difference of lists.
func listed[T comparable](diff *changes, name string, before, after []T) {
	if !slices.Equal(before, after) {
		diff.raw(name, asJSON(slices.Concat([]T{}, before)), asJSON(slices.Concat([]T{}, after)))
	}
}

func secretIDs(w *Webhook) []string {
	var ids []string
	for _, s := range w.Secrets {
		ids = append(ids, s.ID)
	}
	return ids
}

// withoutRepeats is a list with each entry once.
func withoutRepeats[T comparable](list []T) []T {
	var out []T
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
