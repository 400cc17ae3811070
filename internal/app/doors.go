package app

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/dialect/canonical"
	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/scim"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// mountedDoor is one wire format and where it is served: at every path whose
// first segment is one of segments, in any letter case. It decides everything
// below by itself.
type mountedDoor struct {
	door     directory.Door
	segments []string
	handler  http.Handler
}

// doors is what is served: a door is added here and in demoCommands.
func (a *App) doors() []mountedDoor {
	// Paths that will not do are refused before anything is mounted.
	smartappPaths, _ := smartappPaths(&a.cfg)
	return []mountedDoor{
		{directory.DoorIQmetrix, []string{"v1", "ping"}, iqmetrix.New(a.service, iqmetrix.Options{
			MaxBody:   int64(a.cfg.MaxBody),
			DBVersion: a.store.SchemaVersion(),
			Version:   strings.TrimPrefix(Version(), "v"),
		})},
		{directory.DoorEncore, []string{"users"}, encore.New(a.service, encoreOptions(&a.cfg))},
		{directory.DoorSmartapp, smartapp.Segments(smartappPaths), smartapp.New(a.service, smartapp.Options{
			MaxBody:     int64(a.cfg.MaxBody),
			Credentials: smartappCredentials(&a.cfg),
			Paths:       smartappPaths,
		})},
		{directory.DoorEduBrite, []string{"oltpublish", "site"}, edubrite.New(a.service, edubrite.Options{
			MaxBody:   int64(a.cfg.MaxBody),
			PublicURL: a.cfg.PublicURL,
			HTTPS:     a.tls != nil,
		})},
		{directory.DoorCanonical, []string{"api"}, canonical.New(a.service, canonical.Options{MaxBody: int64(a.cfg.MaxBody), PublicURL: a.cfg.BaseURL(), SCIM: newSCIMLines(a.cfg.BaseURL())})},
		{directory.DoorServiceMobility, []string{"seiapi", "createjwt", "saas"}, servicemobility.New(a.service, mobilityOptions(&a.cfg))},
		{directory.DoorSCIM, []string{"scim"}, scim.New(a.service, scim.Options{
			MaxBody:   int64(a.cfg.MaxBody),
			PublicURL: a.cfg.PublicURL,
			HTTPS:     a.tls != nil,
		})},
		{directory.DoorConsole, []string{"console"}, a.console()},
	}
}

// encoreOptions are the settings of the encore door.
func encoreOptions(cfg *config.Config) encore.Options {
	o := encore.Options{
		MaxBody:          int64(cfg.MaxBody),
		StrictExternalID: cfg.EncoreStrictExternalID,
		AllowedOrigins:   cfg.EncoreAllowedOrigins,
		Limits:           encore.Limits{},
	}
	// A range that is none was refused with the other settings.
	lengths, _ := cfg.EncoreLengthLimits()
	for name, length := range lengths {
		o.Limits[name] = encore.Length{Least: length[0], Most: length[1]}
	}
	return o
}

// mobilityOptions are the settings of the servicemobility door.
func mobilityOptions(cfg *config.Config) servicemobility.Options {
	o := servicemobility.Options{MaxBody: int64(cfg.MaxBody), MinPassword: cfg.ServiceMobilityMinPassword}
	if cfg.ServiceMobilityErrorShape == "problem" {
		o.Errors = servicemobility.ShapeProblem
	}
	return o
}

// smartappCredentials are the places where the smartapp door looks for a key.
func smartappCredentials(cfg *config.Config) []smartapp.Credential {
	var places []smartapp.Credential
	for _, name := range cfg.SmartappCredentials {
		places = append(places, smartapp.Credential(name))
	}
	return places
}

// smartappPaths are the paths that settings give to the smartapp door's
// operations.
func smartappPaths(cfg *config.Config) (map[string][]string, error) {
	table, err := cfg.SmartappPathTable()
	if err == nil {
		err = smartapp.CheckPaths(table)
	}
	if err != nil {
		return nil, fmt.Errorf("smartapp_paths: %w", err)
	}
	return table, nil
}

// checkSegments refuses paths of the smartapp door, the only ones that are
// settings, that somebody else serves. What the doors serve that this process
// does not have is free.
func checkSegments(mounted []mountedDoor) error {
	taken := map[string]string{"healthz": "the server itself", "readyz": "the server itself", "metrics": "the server itself", "reset": "the server itself", "docs": "the server itself"}
	var ours []string
	for _, d := range mounted {
		if d.door == directory.DoorSmartapp {
			ours = d.segments
			continue
		}
		for _, segment := range d.segments {
			taken[segment] = "the " + d.door.String() + " door"
		}
	}
	for _, segment := range ours {
		if owner, ok := taken[segment]; ok {
			return fmt.Errorf("smartapp_paths: paths below /%s belong to %s", segment, owner)
		}
	}
	return nil
}

// chooseDoors keeps the doors that the setting names. Naming one that this
// program does not have is an error, not silence.
func chooseDoors(names []string, all []mountedDoor) ([]mountedDoor, error) {
	set, err := directory.ParseDoors(strings.Join(names, ","))
	if err != nil {
		return nil, fmt.Errorf("doors: %s", directory.AsError(err).Message)
	}
	if set == directory.AllDoors {
		return all, nil
	}
	var chosen []mountedDoor
	for _, d := range all {
		if set.Has(d.door) {
			chosen = append(chosen, d)
			set &^= directory.DoorSet(d.door)
		}
	}
	if set != 0 {
		return nil, fmt.Errorf("doors: this program has no door %s", set)
	}
	return chosen, nil
}

// router sends a request to its door by the first segment of its path.
type router struct {
	routes  []segmentRoute
	unknown http.Handler
}

type segmentRoute struct {
	segment string
	handler http.Handler
}

func newRouter(doors []mountedDoor) *router {
	rt := &router{unknown: web.Adapt("", "unknown path", unknownPath, unknownPathError)}
	for _, d := range doors {
		for _, segment := range d.segments {
			rt.routes = append(rt.routes, segmentRoute{segment, d.handler})
		}
	}
	return rt
}

// ServeHTTP is on the path of every request: a few comparisons, no allocation.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segment := firstSegment(r.URL.Path)
	for i := range rt.routes {
		if strings.EqualFold(rt.routes[i].segment, segment) {
			rt.routes[i].handler.ServeHTTP(w, r)
			return
		}
	}
	rt.unknown.ServeHTTP(w, r)
}

// firstSegment is the first segment of a path that is not empty. A base URL that
// ends in a slash makes paths that begin with two: no door serves those, but the
// one that was meant says so in its own words, since clients of some
// understand no other (docs/dialects/edubrite.md, dossier 4.1).
func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return segment
}

// unknownPath answers a path of no door with a problem of RFC 9457.
func unknownPath(r *web.Request) (web.Response, error) {
	r.Event.Code, r.Event.Reason = string(directory.CodeNotFound), string(directory.ReasonRouteNotFound)
	return web.Response{
		Status:      http.StatusNotFound,
		ContentType: "application/problem+json",
		Body:        []byte(`{"type":"about:blank","title":"Not Found","status":404,"detail":"No door serves this path."}`),
	}, nil
}

// unknownPathError answers a failure of unknownPath, which only a defect can
// cause.
func unknownPathError(r *web.Request, _ error) web.Response {
	return web.Response{
		Status:      http.StatusInternalServerError,
		ContentType: "application/problem+json",
		Body: []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"Something went wrong on the server (` +
			r.Event.ErrorID + `)."}`),
	}
}
